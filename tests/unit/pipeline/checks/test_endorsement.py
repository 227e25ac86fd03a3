"""Stamps: there, somebody's, and in their time; and ink that no field explains."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from pipeline.endorsers import Endorser
from pipeline.findings import Finding, Outcome
from pipeline.reading import Answer
from tests.unit.pipeline.filled import (
    ANITA,
    EMPTY,
    ILLEGIBLE,
    SLIP,
    STAMP,
    chosen,
    flags,
    form,
    judged,
    mark,
    only,
    said,
    with_marks,
)

STRANGER = "BLUE HILL FINANCE\nJOSEPH FERNANDES\nEmp. Code: BH77"


@pytest.mark.parametrize(
    ("answers", "flagged"),
    [
        ([chosen("stamp"), said(STAMP)], None),
        ([chosen("handwriting"), said(STAMP)], None),
        ([EMPTY, ILLEGIBLE], ("endorsement.missing", "anomaly")),
        ([chosen("handwriting"), ILLEGIBLE], ("endorsement.missing", "anomaly")),
        ([chosen("stamp"), said(STRANGER)], ("endorsement.unauthorised", "anomaly")),
        ([chosen("stamp"), said(STRANGER, 0.55)], ("endorsement.unauthorised", "uncertain")),
        ([chosen("stamp"), ILLEGIBLE], ("endorsement.unauthorised", "uncertain")),
    ],
)
def test_the_stamp_that_must_be_there(answers: list[Answer], flagged: tuple[str, str] | None) -> None:
    found = flags(judged(form(receipt_stamp=answers)))
    assert found == ([(flagged[0], "receipt_stamp", flagged[1])] if flagged else [])


@pytest.mark.parametrize(
    ("answers", "flagged"),
    [
        ([chosen("stamp"), said(STAMP)], None),
        ([chosen("handwriting"), ILLEGIBLE], None),
        ([chosen("stamp"), said(STRANGER)], "anomaly"),
    ],
)
def test_a_stamp_that_may_be_there(answers: list[Answer], flagged: str | None) -> None:
    found = flags(judged(form(late_stamp=answers)))
    assert found == ([("endorsement.unauthorised", "late_stamp", flagged)] if flagged else [])


@pytest.mark.parametrize(
    ("receipt", "authorised"),
    [
        (said("16 Mar 2026"), True),
        (said("17 Mar 2026"), False),
        (said("31 Dec 2025"), False),
        (EMPTY, False),  # then as of the arrival, after the last day
        (said("31/02/2026"), False),
        (said("16 Mar 2028"), False),  # in the future: as of the arrival
    ],
)
def test_authority_is_as_of_the_date_beside_the_stamp(receipt: Answer, authorised: bool) -> None:
    found = only(judged(form(receipt_date=receipt)), "endorsement.unauthorised", "receipt_stamp")
    assert found.outcome is (Outcome.PASS if authorised else Outcome.ANOMALY)


def test_the_arrivals_date_serves_where_none_can_be_read() -> None:
    found = judged(form(receipt_date=ILLEGIBLE), endorsers=[replace(ANITA, valid_to=None)])
    assert only(found, "endorsement.unauthorised", "receipt_stamp").outcome is Outcome.PASS


def test_an_unsurely_read_date_makes_an_expired_authority_uncertain() -> None:
    found = judged(form(receipt_date=said("17 Mar 2026", 0.45)), date_unreadable=0.4)
    assert flags(found) == [("endorsement.unauthorised", "receipt_stamp", "uncertain")]
    assert "ended on 16/03/2026" in only(found, "endorsement.unauthorised").message


@pytest.mark.parametrize("register", [[], [replace(ANITA, document_types=("kyc-individual",))]])
def test_who_is_not_in_the_register_for_this_type_may_not_endorse(register: list[Endorser]) -> None:
    assert flags(judged(form(), endorsers=register)) == [("endorsement.unauthorised", "receipt_stamp", "anomaly")]


def test_a_stamp_without_a_date_of_its_name_takes_the_one_beside_it() -> None:
    # The late stamp stands under the date of receipt.
    found = judged(form(late_stamp=[chosen("stamp"), said(STAMP)], receipt_date=said("17 Mar 2026")))
    assert flags(found) == [
        ("endorsement.unauthorised", "receipt_stamp", "anomaly"),
        ("endorsement.unauthorised", "late_stamp", "anomaly"),
    ]


def ink(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.field == "unexpected"]


@pytest.mark.parametrize(
    ("label", "outcome", "says"),
    [
        ("nothing", Outcome.PASS, "nothing"),
        ("stamp", Outcome.ANOMALY, "a stamp where none belongs"),
        ("handwriting", Outcome.ANOMALY, "writing where none belongs"),
        ("signature", Outcome.ANOMALY, "a signature where none belongs"),
    ],
)
def test_unexpected_ink(label: str, outcome: Outcome, says: str) -> None:
    (found,) = ink(judged(with_marks(form(), mark(label, ordinal=3))))
    assert (found.check, found.outcome, found.page, found.ordinal) == ("ink.unexpected", outcome, 2, 3)
    assert says in found.message and found.rule == "slip.whole" and found.box is not None


@pytest.mark.parametrize(
    ("label", "text", "check", "outcome"),
    [
        ("stamp", STAMP, "endorsement.unauthorised", Outcome.PASS),
        ("stamp", STRANGER, "endorsement.unauthorised", Outcome.ANOMALY),
        ("handwriting", STAMP, "ink.unexpected", Outcome.ANOMALY),
    ],
)
def test_stamps_anywhere_on_a_type_that_is_endorsed_freely(label: str, text: str, check: str, outcome: Outcome) -> None:
    free = SLIP.model_copy(update={"endorsable": True})
    findings = judged(with_marks(form(free), mark(label, print_=said(text))), on=date(2026, 3, 16))
    (found,) = ink(findings)
    assert (found.check, found.outcome) == (check, outcome)
