"""A small form and what a scripted reader says of it: filled rightly unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np

from pipeline.checks import Context, Form, FormSheet, judge_form
from pipeline.doctypes.schema import DocumentType, parse
from pipeline.endorsers import Endorser
from pipeline.findings import Finding, Outcome
from pipeline.geometry import Box
from pipeline.questions import Reading, questions, reading
from pipeline.reading import Answer, AnswerState, Evidence, Pixels, Question, QuestionKind
from pipeline.sentences import heard
from pipeline.verdict import Thresholds

ON = date(2026, 3, 20)
BLANK: Pixels = np.full((8, 8), 255, np.uint8)

ANITA = Endorser("Anita Desai", "Manager", "EMP1041", valid_from=date(2026, 1, 1), valid_to=date(2026, 3, 16), id=1)
STAMP = "SUNRISE SECURITIES LTD\nANITA DESAI\nEmp. Code: EMP1041"

SURE = 0.95


def a_field(name: str, kind: str, row: int, **more: Any) -> dict[str, Any]:
    label = name.replace("_", " ").capitalize()
    box = [0.1, row * 0.04, 0.4, row * 0.04 + 0.03]
    checks = [{"check": check, **rest} for check, rest in more.pop("checks", {}).items()]
    return {"name": name, "label": label, "kind": kind, "box": box, "checks": checks, **more}


SLIP: DocumentType = parse(
    {
        "name": "slip",
        "title": "A slip",
        "pages": [{"blank": "page-1.png"}, {"blank": "page-2.png"}],
        "fields": [
            a_field("slip_date", "date", 1, required=True, cells=8, format="DDMMYYYY", checks={
                "date.missing": {"rule": "slip.dated"},
                "date.future": {"rule": "slip.dated"},
                "date.stale": {"rule": "slip.fresh", "max_age_days": 10},
            }),
            a_field("execution_date", "date", 2, checks={"date.order": {"not_before": "slip_date"}}),
            a_field("pan", "identifier", 3, required=True, identifier="pan", cells=10),
            a_field("isin_1", "identifier", 4, required=True, identifier="isin", cells=12),
            a_field("quantity_1", "amount", 5, required=True, checks={"amount.mismatch": {"words": "words_1"}}),
            a_field("words_1", "text", 6, required=True, checks={"amount.mismatch": {}}),
            a_field("isin_2", "identifier", 7, identifier="isin", cells=12),
            a_field("quantity_2", "amount", 8, required_if="isin_2", checks={"amount.mismatch": {"words": "words_1"}}),
            a_field("aadhaar", "identifier", 9, identifier="aadhaar_last4", cells=4),
            a_field("remarks", "text", 10),
            a_field("holder_signature", "signature", 11, required=True),
            a_field("second_holder", "text", 12),
            a_field("second_signature", "signature", 13, required_if="second_holder"),
            a_field("agreed", "checkbox", 14, required=True),
            a_field("receipt_stamp", "endorsement", 15, page=2, required=True, checks={
                "endorsement.unauthorised": {"rule": "slip.dated"},
            }),
            a_field("receipt_date", "date", 16, page=2, required=True),
            a_field("late_stamp", "endorsement", 17, page=2),
        ],
        "rules": [
            {"id": "slip.dated", "text": "A slip is dated.", "source": "a circular", "valid_from": "2014-10-01"},
            {"id": "slip.fresh", "text": "A slip is fresh.", "source": "a desk", "valid_to": "2026-12-31"},
            {"id": "slip.whole", "text": "A slip is whole.", "source": "a law"},
        ],
        "checks": [{"check": "page.missing", "rule": "slip.whole"}, {"check": "ink.unexpected", "rule": "slip.whole"}],
    }
)  # fmt: skip


def said(value: str, confidence: float = SURE, **alternatives: float) -> Answer:
    """A string; other readings of it by what they say, and how likely each is."""
    return Answer(AnswerState.PRESENT, value, confidence, 0.99, alternatives=tuple(alternatives.items()))


def chosen(label: str, confidence: float = SURE, present: float = 0.99) -> Answer:
    return Answer(AnswerState.PRESENT, None, confidence, present, label)


EMPTY = Answer(AnswerState.EMPTY, None, 0.97, 0.02, "nothing")
ILLEGIBLE = Answer(AnswerState.ILLEGIBLE, None, 0.8, 0.99)
STRUCK = Answer(AnswerState.STRUCK, None, 0.9, 0.99, "struck")

RIGHT: Mapping[str, Sequence[Answer]] = {
    "slip_date": [said("15032026")],
    "execution_date": [said("16/03/2026")],
    "pan": [said("ABCPE1234F")],
    "isin_1": [said("INE002A01018")],
    "quantity_1": [said("2,500")],
    "words_1": [chosen("filled"), said("Two thousand five hundred only", 0.9)],
    "isin_2": [EMPTY],
    "quantity_2": [EMPTY],
    "aadhaar": [said("0124")],
    "remarks": [EMPTY],
    "holder_signature": [chosen("signature")],
    "second_holder": [EMPTY],
    "second_signature": [EMPTY],
    "agreed": [chosen("ticked")],
    "receipt_stamp": [chosen("stamp"), said(STAMP, 0.93)],
    "receipt_date": [said("16 Mar 2026")],
    "late_stamp": [EMPTY, Answer(AnswerState.ILLEGIBLE, None, 0.5, 0.5)],
}


def evidence(name: str, doctype: DocumentType = SLIP, **more: Any) -> Evidence:
    one = doctype.field(name)
    return Evidence(name, QuestionKind(one.kind.value), one.page, one.where, BLANK, cells=one.cells, **more)


@dataclass
class Script:
    """A reader that says of each field what it was told to, through the real questions."""

    answers: Mapping[str, Sequence[Answer]]
    doctype: DocumentType = SLIP
    asked: dict[str, list[Question]] = field(default_factory=dict)

    def read(self, cut: Evidence) -> Reading:
        one = self.doctype.field(cut.field)
        self.asked[cut.field] = questions(cut, one)
        return reading(cut, one, self.answers[cut.field])


def form(doctype: DocumentType = SLIP, /, **wrong: Answer | Sequence[Answer]) -> Form:
    """The form, filled rightly but for the answers named."""
    answers = {**RIGHT, **{name: [one] if isinstance(one, Answer) else one for name, one in wrong.items()}}
    script = Script(answers, doctype)
    readings = tuple(script.read(evidence(one.name, doctype)) for one in doctype.fields)
    return Form(doctype, (FormSheet(1, 1), FormSheet(2, 2)), readings)


def mark(label: str, *, print_: Answer = ILLEGIBLE, ordinal: int = 0, page: int = 2) -> Reading:
    """Ink that no field explains."""
    where = Box(0.6, 0.6, 0.8, 0.7)
    cut = Evidence("unexpected", QuestionKind.MARK, page, where, BLANK, ordinal=ordinal)
    return reading(cut, None, [EMPTY if label == "nothing" else chosen(label), print_])


def with_marks(filled: Form, *marks: Reading) -> Form:
    return replace(filled, readings=(*filled.readings, *marks))


def judged(filled: Form, *, on: date = ON, endorsers: Sequence[Endorser] = (ANITA,), **clear: float) -> list[Finding]:
    thresholds = Thresholds({name.replace("_", ".", 1): value for name, value in clear.items()})
    found = judge_form(filled, Context(on, endorsers, thresholds))
    # Whatever is told has a key, so that it can be told in another language.
    assert [one.message for one in found if heard(one.message, label_of(one, filled.doctype)) is None] == []
    return found


def label_of(finding: Finding, doctype: DocumentType) -> str | None:
    """What the form calls the field of a finding."""
    return next((one.label for one in doctype.fields if one.name == finding.field), None)


def flags(findings: Sequence[Finding]) -> list[tuple[str, str | None, str]]:
    """What somebody must look at: check, field and outcome."""
    return [(one.check, one.field, one.outcome.value) for one in findings if one.outcome is not Outcome.PASS]


def only(findings: Sequence[Finding], check: str, name: str | None = None) -> Finding:
    """The one finding of that check (on that field)."""
    (found,) = [one for one in findings if one.check == check and name in (None, one.field)]
    return found
