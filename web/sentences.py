"""What was found, in the reader's language: by the key of the sentence and the values in it, never by its words; and
what the forms that come with docvigil call their fields and say in their rules.

A finding is kept with its English sentence, from which `pipeline.sentences` gives key and values back. What has no key,
as a finding of a former version may have none, is shown as it was written; so is what somebody else's form says.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import yaml

from pipeline.sentences import Heard, heard
from web.labels import FOLDER

#: Between the last two of a list.
AND = "list.and"
#: Values that are a form's own words.
NAMES = ("label", "other", "title")
#: What ends a sentence.
STOP = "।"


@cache
def sentences(code: str) -> Mapping[str, str]:
    """Key → sentence in that language."""
    return _catalogue(code, "sentences")


@cache
def forms(code: str) -> Mapping[str, str]:
    """English → that language: titles, labels, rules and their sources of the built-in forms."""
    return _catalogue(code, "forms")


def told(message: str, code: str, field: str | None = None) -> str:
    """The sentence of a finding in that language; `field` is what the form calls, in English, the field it is about."""
    found = None if code == "en" else heard(message, field)
    return message if found is None else _told(found, code)


def worded(text: str, code: str) -> str:
    """A form's own words in that language."""
    return text if code == "en" else forms(code).get(text, text)


def _told(one: Heard, code: str) -> str:
    return sentences(code)[one.key].format(**{name: _value(name, value, code) for name, value in one.values.items()})


def _value(name: str, value: str | Heard, code: str) -> str:
    if isinstance(value, Heard):
        text = _told(value, code)
        return text.rstrip(STOP) if name == "passed" else text
    if name == "listed":
        return sentences(code)[AND].join(value.split(" and "))
    return worded(value, code) if name in NAMES else value


def _catalogue(code: str, name: str) -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load((FOLDER / code / "findings" / f"{name}.yaml").read_text("utf-8"))
    return found
