"""A form as a whole: what is right is clear, and every way of doubting it is said once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from pipeline.checks import Context, Form, FormSheet, judge_page
from pipeline.doctypes.load import builtin
from pipeline.doctypes.schema import DocumentType
from pipeline.findings import CHECKS, Outcome, Verdict
from pipeline.questions import questions, reading
from pipeline.sentences import say
from pipeline.verdict import Thresholds, decide
from tests.unit.pipeline.filled import EMPTY, ILLEGIBLE, ON, chosen, evidence, flags, form, judged, only, said


def test_a_form_filled_rightly_is_clear() -> None:
    findings = judged(form())
    assert flags(findings) == []
    assert decide(findings) is Verdict.CLEAR
    assert {one.check for one in findings} <= set(CHECKS)
    assert all(one.message.endswith(".") and 0 <= one.confidence <= 1 for one in findings)


def test_no_finding_is_there_twice() -> None:
    findings = judged(form())
    assert len({(one.page, one.field, one.check, one.ordinal) for one in findings}) == len(findings)


def test_an_optional_field_can_not_flag_a_form_by_its_text() -> None:
    for answer in (EMPTY, chosen("filled"), chosen("filled", 0.3, 0.3)):
        assert flags(judged(form(remarks=answer))) == []


def test_a_hardly_seen_answer_in_an_optional_field_is_nothing() -> None:
    assert flags(judged(form(isin_2=replace(said("7"), present=0.4), quantity_2=EMPTY))) == []


def test_rules_are_cited_while_they_are_in_force() -> None:
    findings = judged(form())
    assert only(findings, "date.missing", "slip_date").rule == "slip.dated"
    assert only(findings, "date.stale", "slip_date").rule == "slip.fresh"
    assert only(findings, "date.impossible", "slip_date").rule is None
    assert only(findings, "page.missing").rule == "slip.whole"
    later = judged(form(), on=date(2027, 3, 20))
    assert not [one for one in later if one.check == "date.stale"]


def test_a_threshold_makes_a_pass_uncertain() -> None:
    findings = judged(form(slip_date=said("15032026", 0.9)), date_unreadable=0.92)
    assert flags(findings) == [("date.unreadable", "slip_date", "uncertain")]


@pytest.mark.parametrize(
    ("name", "flagged"),
    [
        ("slip_date", ["date.missing"]),
        ("pan", ["field.missing"]),
        ("execution_date", ["date.unreadable"]),
        ("remarks", []),
        ("second_signature", []),
        ("isin_2", []),
        ("receipt_stamp", ["endorsement.missing"]),
    ],
)
def test_a_bad_picture_of_a_field_is_a_doubt_where_anything_hangs_on_it(name: str, flagged: list[str]) -> None:
    filled = form()
    readings = tuple(
        replace(one, evidence=replace(one.evidence, faults=("registration", "resolution")))
        if one.evidence.field == name
        else one
        for one in filled.readings
    )
    findings = judged(replace(filled, readings=readings))
    assert flags(findings) == [(check, name, "uncertain") for check in flagged]
    if flagged:
        assert "the print around it" in only(findings, flagged[0], name).message


def test_a_required_field_without_a_picture_is_uncertain() -> None:
    filled = form()
    readings = tuple(one for one in filled.readings if one.evidence.field not in ("holder_signature", "remarks"))
    assert flags(judged(replace(filled, readings=readings))) == [("signature.missing", "holder_signature", "uncertain")]


def test_fields_of_a_doubtful_page_are_not_judged() -> None:
    doubtful = FormSheet(1, 1, location_why="The form would lie mirrored on the page.", sure=False)
    filled = form(slip_date=EMPTY)
    findings = judged(replace(filled, pages=(doubtful, filled.pages[1])))
    assert flags(findings) == [("type.unknown", None, "uncertain")]
    (doubt,) = [one for one in findings if one.outcome is Outcome.UNCERTAIN]
    assert "The form would lie mirrored on the page." in doubt.message
    assert {one.field for one in findings if one.page == 1} == {None}


def test_a_poor_page_is_uncertain_and_still_judged() -> None:
    filled = form(slip_date=EMPTY)
    coarse, blurred = say("page.coarse", dpi=72), say("page.blurred")
    poor = FormSheet(1, 1, (coarse, blurred))
    findings = judged(replace(filled, pages=(poor, filled.pages[1])))
    assert flags(findings) == [("page.poor", None, "uncertain"), ("date.missing", "slip_date", "anomaly")]
    assert findings[0].message == f"{coarse} {blurred}"


@pytest.mark.parametrize(
    ("sheets", "page", "ordinal", "says"),
    [
        ([FormSheet(3, 1)], 3, 2, "Page 2 of 2 of the form is missing."),
        ([FormSheet(4, 2)], 4, 1, "Page 1 of 2 of the form is missing."),
        ([FormSheet(1, 1), FormSheet(2, 2), FormSheet(3, 2)], 3, 2, "there 2 times, on pages 2 and 3"),
    ],
)
def test_pages_are_all_there_once(sheets: list[FormSheet], page: int, ordinal: int, says: str) -> None:
    filled = form()
    readings = tuple(
        replace(one, evidence=replace(one.evidence, page=sheet.number))
        for one in filled.readings
        for sheet in sheets
        if one.evidence.page == sheet.form_page
    )
    findings = judged(replace(filled, pages=tuple(sheets), readings=readings))
    assert flags(findings) == [("page.missing", None, "anomaly")]
    found = only(findings, "page.missing")
    assert (found.page, found.ordinal) == (page, ordinal)
    assert says in found.message


def test_an_unknown_page_is_flagged() -> None:
    context = Context(ON, [], Thresholds())
    findings = judge_page(FormSheet(5, None, (), "No form fits.", False), context)
    assert flags(findings) == [("type.unknown", None, "uncertain")]
    assert findings[-1].message == "No form fits."
    assert decide(findings) is Verdict.FLAGGED
    poor = judge_page(FormSheet(5, None, ("The page is black.",), "", False), context)
    assert flags(poor) == [("page.poor", None, "uncertain"), ("type.unknown", None, "uncertain")]


def test_an_unused_line_may_be_struck_through() -> None:
    assert flags(judged(form(isin_2=ILLEGIBLE, quantity_2=ILLEGIBLE))) == []
    assert flags(judged(form(isin_2=ILLEGIBLE, quantity_2=EMPTY))) == []
    assert flags(judged(form(isin_2=ILLEGIBLE, quantity_2=said("2,500")))) == [
        ("identifier.invalid", "isin_2", "uncertain"),
    ]


@pytest.mark.parametrize("doctype", builtin(), ids=lambda one: one.name)
def test_an_empty_form_lacks_what_is_required(doctype: DocumentType) -> None:
    readings = []
    for one in doctype.fields:
        cut = evidence(one.name, doctype)
        readings.append(reading(cut, one, [EMPTY] * len(questions(cut, one))))
    sheets = tuple(FormSheet(number, number) for number in range(1, len(doctype.pages) + 1))
    findings = judged(Form(doctype, sheets, tuple(readings)))
    required = {one.name for one in doctype.fields if one.required}
    assert {one.field for one in findings if one.outcome is Outcome.ANOMALY} == required
    assert not [one for one in findings if one.outcome is Outcome.UNCERTAIN]
    assert all(one.rule for one in findings if one.outcome is Outcome.ANOMALY)
