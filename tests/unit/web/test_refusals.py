"""Every refusal that the desk can show is there in every language: found where it is made, in the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.canary_rule import Rate, state
from pipeline.doctypes.load import builtin, faults
from pipeline.doctypes.preview import field_remarks
from pipeline.doctypes.schema import parse
from pipeline.gate import Outcome, decide
from records.drafts import INTERRUPTED
from web import problems
from web.headers import TOO_LARGE
from web.labels import LANGUAGES, catalogue
from web.refusals import refusal

ROOT = Path(__file__).parents[3]
SOURCES = ("web", "records", "ingest/intake.py", "pipeline/pages.py", "pipeline/doctypes/author.py")
#: What refuses, and which of its arguments is the sentence.
RAISED = {
    **dict.fromkeys(("Refused", "LookupError", "Unfit", "Failed"), 0),
    **{
        one.__name__: 0 for one in vars(problems).values() if isinstance(one, type) and one.__module__ == "web.problems"
    },
    **dict.fromkeys(("BadFile", "HTTPException"), 1),
}
#: Faults of the program itself, which nobody at the desk ever sees, and sentences that are made elsewhere.
OTHERS = ("web/access.py doesn't say", "web/access.py has rows", "{}: {}", "{}{}.")


def shape(node: ast.expr, names: dict[str, str]) -> str | None:
    """A sentence with `{}` for its values; None where it is made elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(one.value if isinstance(one, ast.Constant) else "{}" for one in values)  # type: ignore[misc]
        case ast.BinOp(left=left, right=right):
            return "".join(shape(one, names) or "{}" for one in (left, right))
        case ast.Name(id=name):
            return names.get(name)
    return None


def refusals() -> Iterator[str]:
    """All of them as people are told: beginning with a capital, with a full stop."""
    files = [file for one in SOURCES for file in ([ROOT / one] if one.endswith(".py") else (ROOT / one).rglob("*.py"))]
    for file in files:
        tree = ast.parse(file.read_text("utf-8"))
        names = {
            target.id: text
            for one in tree.body
            if isinstance(one, ast.Assign) and (text := shape(one.value, {})) is not None
            for target in one.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED:
                place = RAISED[node.func.id]
                text = shape(node.args[place], names) if len(node.args) > place else None
                if text is not None and not text.startswith(OTHERS):
                    yield problems.sentence(ValueError(text))


def slotless(text: str) -> str:
    return re.sub(r"\{\w*\}", "{}", text)


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_refusal_is_there_in_every_language(code: str) -> None:
    found = {*refusals(), TOO_LARGE, INTERRUPTED}
    assert len(found) > 100
    assert sorted(found - {slotless(one) for one in catalogue(code)}) == []


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_refusal_with_values_is_heard(code: str) -> None:
    shapes = {*refusals(), TOO_LARGE}
    for english, told in catalogue(code).items():
        if "{" in english and slotless(english) in shapes:
            values = {name: str(place) for place, name in enumerate(re.findall(r"\{(\w+)\}", english), 100)}
            assert refusal(english.format(**values), code) == told.format(**values)


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_how_far_a_draft_is_is_told_in_every_language(code: str) -> None:
    made = "fields were proposed by the lines on the blank, at 200 dpi."
    for text in (
        *("Looking at 1 file…", "Looking at 7 files…", "A copy of slip@3.", f"12 {made}"),
        f"The blank was recovered from 6 filled samples. 12 {made}",
        f"1 {made.replace('fields were', 'field was')}",
        "File-01: The PDF can't be opened: its content is damaged. Scan or save it again.",
        "Page 2 can't be recovered: only 3 of 6 samples are the same page of the same form; a blank is recovered from"
        " at least 5. Add samples, or take out those of other forms and editions",
    ):
        assert not re.search(r"[a-z]{4}", refusal(text, code).replace("slip@3", "")), text


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_status_has_a_title(code: str) -> None:
    told = {one.status.phrase for one in vars(problems).values() if isinstance(one, type) and hasattr(one, "status")}
    told |= {HTTPStatus(status).phrase for status in (405, 413, 500)}
    assert told - catalogue(code).keys() == set()


def test_values_stay_and_those_with_words_of_their_own_are_told_by_them() -> None:
    told = refusal("Version abc123 is in shadow and can't become a canary.", "hi")
    assert told == "संस्करण abc123 अभी “छाया में” है और “कैनरी” नहीं बन सकता।"
    assert refusal("There is no user {x} who may sign in.", "hi") == "ऐसा कोई उपयोगकर्ता {x} नहीं है जो साइन इन कर सके।"
    once = "Training 7 is under way already; wait for it (docvigil trainings show 7), or cancel it first."
    assert "प्रशिक्षण 7 पहले से जारी है" in refusal(once, "hi")


def test_english_and_what_is_not_known_stay_as_they_are() -> None:
    assert refusal("Sign in first.", "en") == "Sign in first."
    assert refusal("A cat sat on the scanner.", "hi") == "A cat sat on the scanner."


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_what_is_said_about_a_draft_is_told_in_every_language(code: str) -> None:
    doctype = builtin()[0]
    first = doctype.fields[0]
    there = first.model_dump(mode="json", exclude_none=True)
    small = {**there, "name": "small", "kind": "date", "identifier": None, "cells": 8, "required": True, "checks": []}
    tiny = {**small, "box": [0.1, 0.1, 0.101, 0.101], "name": "tiny"}
    body = {**doctype.model_dump(mode="json", exclude_none=True), "fields": [there, small, tiny]}
    remarks = [sentence for _, sentence in field_remarks(parse(body))]
    assert len(remarks) >= 5
    broken = {**body, "fields": [there, there, {**small, "what": 1}, {**tiny, "box": [0, 0, 2, 2]}]}
    with pytest.raises(ValidationError) as wrong:
        parse(broken)
    remarks += [sentence for _, sentence in faults(wrong.value)]
    for text in remarks:
        for said in (text, text[:1].upper() + text[1:], f"Field {first.name}: {text}"):
            assert refusal(said, code) != said and re.search("[ऀ-ॿ]", refusal(text, code)), said


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_what_the_gate_and_a_trial_say_is_told_in_every_language(code: str) -> None:
    def outcomes(wrong: int, right: int) -> list[Outcome]:
        return [Outcome(f"{n}", f"{n}", "date.missing", n >= wrong, True) for n in range(wrong + right)]

    said = [*decide(outcomes(5, 5)).reasons, *decide(outcomes(0, 3)).reasons, *decide(outcomes(1, 200)).reasons]
    missed = "missed defects among known ones"
    for errors, labels in ((9, 10), (0, 3), (1, 400)):
        said += state([Rate(missed, errors, labels, 0.01)], 5, 100).reasons
    assert len(said) > 8
    assert [one for one in said if not re.search("[ऀ-ॿ]", refusal(one, code))] == []
