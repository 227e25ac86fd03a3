"""What the desk refuses, how far a draft is and what is to be said about it, in the reader's language.

Such sentences are made where a thing is refused, in English and with values in them. `words/<language>/refusals.yaml`
has each with its values named; a value that has words of its own there is told by them. What nobody has translated is
told in English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from string import Formatter

import yaml

from web.labels import FOLDER, catalogue


def refusal(text: str, code: str) -> str:
    """The sentence in that language."""
    if code == "en":
        return text
    # Within a longer sentence one may begin small, and by itself large.
    for same in (text, text[:1].lower() + text[1:]):
        if (known := catalogue(code).get(same)) is not None:
            return known
    for pattern, told in _patterns(code):
        if (found := pattern.fullmatch(text)) is not None:
            return told.format(**{name: refusal(value, code) for name, value in found.groupdict().items()})
    return text


@cache
def _patterns(code: str) -> Sequence[tuple[re.Pattern[str], str]]:
    """Sentences with values, those with most words of their own first."""
    found = yaml.safe_load((FOLDER / code / "refusals.yaml").read_text("utf-8"))
    slotted = [(english, told) for english, told in found.items() if "{" in english]
    slotted.sort(key=lambda pair: -len(re.sub(r"\{\w+\}", "", pair[0])))
    return [(_pattern(english), told) for english, told in slotted]


def _pattern(english: str) -> re.Pattern[str]:
    parts: list[str] = []
    names: set[str] = set()
    for literal, name, _, _ in Formatter().parse(english):
        parts.append(re.escape(literal))
        if name is not None:
            parts.append(f"(?P={name})" if name in names else f"(?P<{name}>.+?)")
            names.add(name)
    if english[:1].isalpha():
        parts[0] = f"(?i:{parts[0][0]}){parts[0][1:]}"
    return re.compile("".join(parts), re.DOTALL)
