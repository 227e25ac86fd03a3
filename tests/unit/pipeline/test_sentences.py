"""Sentences of findings: what is said is heard again by key and values, whatever the values look like."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pipeline.sentences import CLAUSES, PARTS, SENTENCES, Heard, heard, say, slots

PIPELINE = Path(__file__).parents[3] / "pipeline"
#: What an example holds in a slot with a key of its own: the key.
INSIDE = {
    "why": "picture.off_page",
    "also": "picture.resolution",
    "passed": "field.empty",
    "wanted": "written.day",
    "characters": "characters.many",
    "month_name": "month.may",
}
#: Labels that forms may have, and that look like parts of sentences.
LABELS = ("Date of the slip", "PAN", "Is “X” filled in? If so: Y", "X is empty, though “Y” is filled in", "A. B (c), d")


def example(key: str, label: str) -> tuple[str, Heard]:
    """A sentence of that key, and what should be heard."""
    said: dict[str, str] = {}
    values: dict[str, str | Heard] = {}
    for name in slots({**SENTENCES, **PARTS}[key]):
        if name in CLAUSES:
            inner = "page.pale" if name == "why" and key.startswith(("page.", "identifier.")) else INSIDE[name]
            said[name], values[name] = example(inner, label)
            if name == "passed":
                said[name] = said[name].rstrip(".")
        else:
            said[name] = values[name] = label if name == "label" else f"{name} 5/3"
    return say(key, **said), Heard(key, values)


@pytest.mark.parametrize("key", SENTENCES)
def test_what_is_said_is_heard(key: str) -> None:
    for label in LABELS:
        message, meant = example(key, label)
        assert heard(message, label) == meant
    message, meant = example(key, LABELS[0])
    assert heard(message) == meant, "without the label too"


@pytest.mark.parametrize("key", PARTS)
def test_every_part_is_heard_within_a_sentence(key: str) -> None:
    within = {"calendar": "date.impossible", "written": "date.miswritten", "endorser": "stamp.judged"}
    part, meant = example(key, "Date")
    if (outer := within.get(key.partition(".")[0])) is not None and key not in ("written.digits", "written.day"):
        assert heard(say(outer, label="Date", why=part), "Date") == Heard(outer, {"label": "Date", "why": meant})
    elif key.startswith("picture."):
        assert heard(say("field.untrusted", label="Date", why=part), "Date") is not None
    else:
        slot = {"written": "wanted", "characters": "characters", "month": "month_name"}[key.partition(".")[0]]
        outer = {"wanted": "written.otherwise", "characters": "bo_id.length", "month_name": "calendar.day"}[slot]
        values = dict.fromkeys(slots({**SENTENCES, **PARTS}[outer]), "5") | {slot: part}
        told = say(outer, **values)
        whole = told if outer in SENTENCES else say("date.impossible", label="Date", why=told)
        found = heard(whole, "Date")
        assert found is not None
        inner = found if outer in SENTENCES else found.values["why"]
        assert isinstance(inner, Heard) and inner.values[slot] == meant


def test_nothing_else_is_heard() -> None:
    for message in ("", "Date", "Date is.", "Date is no day that exists: whatever.", "Something new was found."):
        assert heard(message, "Date") is None


#: Where findings get their words; raised errors and what is no sentence aside.
SOURCES = [*sorted((PIPELINE / "checks").glob("*.py")), *(PIPELINE / f"{name}.py" for name in ("dates", "quality"))]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_check_words_a_sentence_by_itself(source: Path) -> None:
    tree = ast.parse(source.read_text("utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    worded = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docs
        and re.search(r"[a-z]{2,} [a-z]{2,}", node.value)
    ]
    assert set(worded) <= {"off page"}
