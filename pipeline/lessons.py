"""What a decision teaches: the right answer to the question that was asked about an evidence.

Not every decision tells it. Whoever dismisses "the date is in the future" says that the date read is wrong or that it
doesn't matter, but not what stands there; only what follows from a decision without a guess is learned from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.findings import Outcome
from pipeline.reading import STRINGS, AnswerState, QuestionKind

Decision = Literal["confirmed", "dismissed", "corrected"]
Seen = Literal["empty", "struck"] | None

#: What a person who says "it is there" says of a choice.
PRESENT = {
    QuestionKind.SIGNATURE: "signature",
    QuestionKind.ENDORSEMENT: "stamp",
    QuestionKind.CHECKBOX: "ticked",
    QuestionKind.TEXT: "filled",
}

#: Checks of what a string says, whose value stands where their outcome does.
OF_VALUES = ("date.format", "date.impossible", "date.future", "date.stale", "date.order", "identifier.invalid")

#: The value of a string of which no more can be said.
ILLEGIBLE = "illegible"

#: The class that a value decides where it is no defect; and the one of an empty field, `field.missing` for other kinds.
READ = {
    QuestionKind.DATE: "date.unreadable",
    QuestionKind.IDENTIFIER: "identifier.invalid",
    QuestionKind.AMOUNT: "amount.mismatch",
}
MISSING = {
    QuestionKind.SIGNATURE: "signature.missing",
    QuestionKind.DATE: "date.missing",
    QuestionKind.ENDORSEMENT: "endorsement.missing",
}

#: Checks whose pass teaches something where people say that it stands. That a date is there is not yet what it says.
TEACHING = (
    "signature.missing",
    "endorsement.missing",
    "field.missing",
    "ink.unexpected",
    "date.unreadable",
    *OF_VALUES,
)


@dataclass(frozen=True, slots=True)
class Lesson:
    """The right answer: a state, and the value (strings) or the label (choices) of what is present."""

    state: AnswerState
    value: str | None = None
    label: str | None = None


def lesson(
    kind: QuestionKind,
    check: str,
    outcome: Outcome,
    decision: Decision,
    *,
    read: str | None = None,
    corrected: str | None = None,
    seen: Seen = None,
    required: bool = True,
) -> Lesson | None:
    """What a decision on a finding teaches about its evidence; None where it leaves the answer open.

    `read` is the finding's value, `corrected` the one that the person gave, `seen` what the field was found to be where
    something is missing, and `required` whether it must be filled at all.
    """
    if decision == "corrected":
        if not corrected or kind not in STRINGS:
            return None
        return Lesson(AnswerState.PRESENT, value=corrected)
    # A defect is there if one was found and confirmed, or not found and doubted with success.
    defect = decision == "confirmed"
    if check.endswith(".missing"):
        return _presence(kind, outcome, defect, seen, required)
    if check == "ink.unexpected" and kind is QuestionKind.MARK:
        # Whoever dismisses a mark that was found may mean that it is allowed there.
        return Lesson(AnswerState.EMPTY) if outcome is Outcome.PASS and not defect else None
    if kind not in STRINGS:
        return None
    if check == "date.unreadable":
        if defect:
            return None if outcome is Outcome.PASS else Lesson(AnswerState.ILLEGIBLE)
        # It could be read after all: as it was, where it was read at all.
        return _value(read)
    if check not in OF_VALUES:
        return None
    # What was read stands where the outcome does: an anomaly that is one, a pass that was none.
    stands = (outcome is Outcome.ANOMALY and defect) or (outcome is Outcome.PASS and not defect)
    return _value(read) if stands else None


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a label teaches, and the defect class that it decides."""

    lesson: Lesson
    check: str


def labelled(kind: QuestionKind, value: str | None, defect: str | None = None) -> Labelled | None:
    """What a label of a field teaches: `value` as it is written there, None for nothing. `defect` is the check that the
    label says should speak. None for kinds that nobody labels."""
    missing = MISSING.get(kind, "field.missing")
    if value is None:
        return Labelled(Lesson(AnswerState.EMPTY), missing)
    if kind in STRINGS:
        if value == ILLEGIBLE:
            return Labelled(Lesson(AnswerState.ILLEGIBLE), READ[kind])
        check = defect if defect in OF_VALUES else READ[kind]
        return Labelled(Lesson(AnswerState.PRESENT, value=value), check)
    label = PRESENT.get(kind)
    if label is None:
        return None
    # Any other word says no more than that it is there.
    initials = kind is QuestionKind.SIGNATURE and value == "initials"
    return Labelled(Lesson(AnswerState.PRESENT, label="initials" if initials else label), missing)


def _presence(kind: QuestionKind, outcome: Outcome, defect: bool, seen: Seen, required: bool) -> Lesson | None:
    if defect:
        if outcome is Outcome.PASS:
            return Lesson(AnswerState.EMPTY)
        # Something else may stand where a stamp is missing.
        return {"empty": Lesson(AnswerState.EMPTY), "struck": Lesson(AnswerState.STRUCK)}.get(seen or "")
    # What need not be filled is no defect either way; and that a string stands there is not yet what it says.
    label = PRESENT.get(kind)
    if label is None or (outcome is Outcome.PASS and not required):
        return None
    return Lesson(AnswerState.PRESENT, label=label)


def _value(read: str | None) -> Lesson | None:
    return Lesson(AnswerState.PRESENT, value=read) if read else None
