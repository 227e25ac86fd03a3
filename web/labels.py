"""What pages say, in the reader's language. English is the key; every other language is a catalogue of YAML files in
`web/words/<language>/`, one a part of the desk. A label that a catalogue doesn't have is shown in English.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from fastapi import Request

from web import cookies

#: Code → what the language calls itself.
LANGUAGES = {"en": "English", "hi": "हिन्दी"}
FOLDER = Path(__file__).with_name("words")


def language(request: Request) -> str:
    """The one that was chosen, else the first of the browser's that we know, else English."""
    chosen = cookies.read(request, cookies.LANGUAGE)
    if chosen in LANGUAGES:
        return chosen
    wanted = (
        one.partition(";")[0].strip()[:2].lower() for one in request.headers.get("accept-language", "").split(",")
    )
    return next((one for one in wanted if one in LANGUAGES), "en")


@cache
def catalogue(code: str) -> dict[str, str]:
    """English → that language. Raises ValueError where two files of a language disagree."""
    found: dict[str, str] = {}
    for path in sorted((FOLDER / code).glob("*.yaml")):
        for english, label in (yaml.safe_load(path.read_text("utf-8")) or {}).items():
            if found.setdefault(english, label) != label:
                raise ValueError(f"{path.name} has another label for {english!r} than a file before it")
    return found


def label(text: str, code: str, **values: object) -> str:
    """The text in that language; `{name}` stands for a value."""
    told = text if code == "en" else catalogue(code).get(text, text)
    return told.format(**values) if values else told
