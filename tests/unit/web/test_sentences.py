"""Findings in the reader's language: every sentence there is, and every check."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pipeline.checks import Context, FormSheet, judge_page
from pipeline.doctypes.load import builtin
from pipeline.findings import CHECKS, Finding, Outcome
from pipeline.sentences import PARTS, SENTENCES, say, slots
from pipeline.verdict import Thresholds
from tests.unit.pipeline.filled import (
    EMPTY,
    ILLEGIBLE,
    ON,
    SLIP,
    STRUCK,
    chosen,
    form,
    judged,
    label_of,
    mark,
    said,
    with_marks,
)
from web.labels import LANGUAGES
from web.sentences import AND, forms, sentences, told

OTHERS = [code for code in LANGUAGES if code != "en"]


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_there_with_the_same_values(code: str) -> None:
    english = {**SENTENCES, **PARTS}
    assert sentences(code).keys() - {AND} == english.keys()
    for key, template in english.items():
        assert sorted(slots(sentences(code)[key])) == sorted(slots(template)), key


def test_a_sentence_is_told_by_its_key_and_values() -> None:
    why = say("calendar.day", month_name=say("month.february"), year=2016, day=31)
    message = say("date.impossible", label="Date of the slip", why=why)
    assert message == "Date of the slip is no day that exists: February 2016 has no day 31."
    assert told(message, "hi", "Date of the slip") == (
        "पर्ची की तारीख़ ऐसा दिन है जो होता ही नहीं: फ़रवरी 2016 में 31 तारीख़ नहीं होती।"
    )
    assert told(message, "en", "Date of the slip") == message


def test_a_doubt_about_a_pass_is_told_as_one() -> None:
    message = say("doubt", passed=say("date.recent", label="My date").rstrip("."))
    assert told(message, "hi", "My date") == "My date बहुत पुराना नहीं है, पर यह पर्याप्त निश्चित नहीं है।"


def test_what_has_no_key_stays_as_it_was_written() -> None:
    # A finding of a former version, or of a check of somebody's own.
    for message in ("The seal is upside down.", "Date is no day that exists: because I say so.", ""):
        assert told(message, "hi", "Date") == message


def test_a_list_is_joined_in_the_language() -> None:
    message = say("page.again", number=2, times=3, listed="2, 5 and 7")
    assert told(message, "hi") == "प्रपत्र का पृष्ठ 2 एक से अधिक बार (3) है: पृष्ठ 2, 5 और 7 पर।"


def flagged() -> list[Finding]:
    """Findings that somebody must look at, of every check."""
    wrong = form(
        slip_date=said("15012026"),
        execution_date=said("15122025"),
        pan=said("ABCXE1234F"),
        isin_1=EMPTY,
        quantity_1=said("2,600"),
        aadhaar=said("234567890124"),
        holder_signature=STRUCK,
        receipt_stamp=[chosen("handwriting"), ILLEGIBLE],
        receipt_date=EMPTY,
        late_stamp=[chosen("stamp"), said("Somebody else of another house")],
    )
    again = replace(with_marks(form(), mark("signature")), pages=(FormSheet(1, 1), FormSheet(2, 2), FormSheet(4, 1)))
    dates = [judged(form(slip_date=one)) for one in (ILLEGIBLE, said("1603"), said("31022026"), said("01042026"))]
    types = [judge_page(FormSheet(9, None, (say("page.blurred"),)), Context(ON, (), Thresholds()))]
    return [
        one
        for each in (judged(wrong), judged(again), *dates, *types)
        for one in each
        if one.outcome is not Outcome.PASS
    ]


@pytest.mark.parametrize("code", OTHERS)
def test_every_check_tells_what_it_found_in_every_language(code: str) -> None:
    found = flagged()
    assert {one.check for one in found} == set(CHECKS)
    for one in found:
        label = label_of(one, SLIP)
        sentence = told(one.message, code, label)
        # Labels are the form's own, and what was read is shown as it was.
        words = sentence.replace(label or "", "").replace("Slip date", "")
        assert not re.search("[a-z]{2,}", words), sentence


@pytest.mark.parametrize("code", OTHERS)
def test_the_forms_that_come_with_it_have_their_words(code: str) -> None:
    said = {one.title for one in builtin()}
    for one in builtin():
        said |= {field.label for field in one.fields}
        said |= {text for rule in one.rules for text in (rule.text, rule.source)}
    assert said - forms(code).keys() == set()
    # The label of ink that no field explains.
    assert forms(code).keys() - said == {"mark"}
