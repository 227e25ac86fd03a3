"""A decision teaches what follows from it, and nothing more."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.findings import Outcome
from pipeline.lessons import Labelled, Lesson, labelled, lesson
from pipeline.reading import AnswerState, QuestionKind

EMPTY, STRUCK, ILLEGIBLE = (Lesson(one) for one in (AnswerState.EMPTY, AnswerState.STRUCK, AnswerState.ILLEGIBLE))
SIGNED = Lesson(AnswerState.PRESENT, label="signature")
READ = Lesson(AnswerState.PRESENT, value="01/02/2026")


@pytest.mark.parametrize(
    ("kind", "check", "outcome", "decision", "given", "taught"),
    [
        ("signature", "signature.missing", "anomaly", "confirmed", {"seen": "empty"}, EMPTY),
        ("signature", "signature.missing", "anomaly", "confirmed", {"seen": "struck"}, STRUCK),
        ("endorsement", "endorsement.missing", "anomaly", "confirmed", {}, None),
        ("signature", "signature.missing", "pass", "dismissed", {"required": False}, None),
        ("signature", "signature.missing", "uncertain", "dismissed", {}, SIGNED),
        ("signature", "signature.missing", "pass", "dismissed", {}, SIGNED),
        ("signature", "signature.missing", "pass", "confirmed", {}, EMPTY),
        ("date", "date.missing", "anomaly", "confirmed", {"seen": "empty"}, EMPTY),
        ("date", "date.missing", "anomaly", "dismissed", {"read": "01/02/2026"}, None),
        ("date", "date.unreadable", "uncertain", "dismissed", {"read": "01/02/2026"}, READ),
        ("date", "date.unreadable", "anomaly", "confirmed", {}, ILLEGIBLE),
        ("date", "date.unreadable", "anomaly", "dismissed", {}, None),
        ("date", "date.unreadable", "uncertain", "corrected", {"corrected": "01/02/2026"}, READ),
        ("date", "date.stale", "anomaly", "confirmed", {"read": "01/02/2026"}, READ),
        ("date", "date.stale", "anomaly", "dismissed", {"read": "01/02/2026"}, None),
        ("date", "date.stale", "uncertain", "confirmed", {"read": "01/02/2026"}, None),
        ("date", "date.stale", "pass", "dismissed", {"read": "01/02/2026"}, READ),
        ("date", "date.stale", "pass", "confirmed", {"read": "01/02/2026"}, None),
        ("date", "date.stale", "anomaly", "corrected", {"read": "01/02/2020", "corrected": "01/02/2026"}, READ),
        ("endorsement", "endorsement.unauthorised", "anomaly", "confirmed", {}, None),
        ("mark", "ink.unexpected", "anomaly", "dismissed", {}, None),
        ("mark", "ink.unexpected", "pass", "dismissed", {}, EMPTY),
        ("mark", "ink.unexpected", "anomaly", "confirmed", {}, None),
        ("signature", "signature.missing", "anomaly", "corrected", {"corrected": "x"}, None),
    ],
)
def test_what_is_taught(
    kind: str, check: str, outcome: str, decision: Any, given: dict[str, Any], taught: Lesson | None
) -> None:
    assert lesson(QuestionKind(kind), check, Outcome(outcome), decision, **given) == taught


@pytest.mark.parametrize(
    ("kind", "value", "defect", "taught"),
    [
        ("signature", "signature", None, ("signature.missing", Lesson(AnswerState.PRESENT, label="signature"))),
        ("signature", "initials", None, ("signature.missing", Lesson(AnswerState.PRESENT, label="initials"))),
        ("signature", None, "signature.missing", ("signature.missing", EMPTY)),
        ("endorsement", "For ABC Ltd", None, ("endorsement.missing", Lesson(AnswerState.PRESENT, label="stamp"))),
        ("text", "hello", None, ("field.missing", Lesson(AnswerState.PRESENT, label="filled"))),
        ("date", "01/02/2026", None, ("date.unreadable", READ)),
        ("date", "01/02/2026", "date.future", ("date.future", READ)),
        ("date", "01/02/2026", "signature.missing", ("date.unreadable", READ)),
        ("date", "illegible", None, ("date.unreadable", Lesson(AnswerState.ILLEGIBLE))),
        ("date", None, None, ("date.missing", EMPTY)),
        ("identifier", None, None, ("field.missing", EMPTY)),
        ("amount", "1,000", None, ("amount.mismatch", Lesson(AnswerState.PRESENT, value="1,000"))),
    ],
)
def test_what_a_label_teaches(kind: str, value: str | None, defect: str | None, taught: tuple[str, Lesson]) -> None:
    check, said = taught
    assert labelled(QuestionKind(kind), value, defect) == Labelled(said, check)


def test_a_mark_is_no_field_that_is_labelled() -> None:
    assert labelled(QuestionKind.MARK, "signature") is None
