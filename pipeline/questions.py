"""What is asked about an evidence, and what its answers mean: field → questions, answers → reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline import amounts, closeup, dates, identifiers
from pipeline.doctypes.schema import FormField, Identifier
from pipeline.evidence import narrowed
from pipeline.gaps import closed
from pipeline.parts import count, joined, parts
from pipeline.reading import Answer, AnswerState, Evidence, Question, QuestionKind

#: Kinds beside which the print is asked for.
_WITH_PRINT = (QuestionKind.ENDORSEMENT, QuestionKind.MARK)

#: An Indian amount in crores with paise: `99,99,99,999.00`.
_LONGEST_AMOUNT = 16


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What stands in one evidence.

    `value` is as written (of a stamp: its print, lines joined by newlines), None where absent or illegible;
    `normalised` is the ISO date, the cleaned identifier or the amount as a plain integer. `confidence` is the
    probability that state, label and ink's value are right; `present` that there is ink at all; `printed` the
    confidence of print. Of an Aadhaar number only the last four digits are ever here: `whole` says that more stood
    in the field, `valid` whether the check digit of a complete one was right. `alternatives` are other strings that
    the model holds possible, each with its probability; of an Aadhaar number there are none.
    """

    evidence: Evidence
    field: FormField | None
    state: AnswerState
    value: str | None
    normalised: str | None
    confidence: float
    present: float
    label: str | None = None
    printed: float | None = None
    whole: bool = False
    valid: bool | None = None
    alternatives: tuple[tuple[str, float], ...] = ()

    @property
    def filled(self) -> bool:
        """Whether something stands there that was not struck out."""
        return self.state in (AnswerState.PRESENT, AnswerState.ILLEGIBLE)


#: What there is to say of an untouched field. Of the fields of labelled documents that were found to be so none held
#: anything (docs/decisions/0040).
UNTOUCHED = Answer(AnswerState.EMPTY, None, 0.9995, 0.0005)


def questions(evidence: Evidence, field: FormField | None) -> list[Question]:
    """What is asked about an evidence, nothing where it is untouched; `field` is None for ink that no field explains,
    and for `docvigil read`."""
    if evidence.untouched:
        return []
    alphabet, longest = _limits(evidence, field)
    image, whole = closeup.views(evidence.image, evidence.kind, evidence.cells)
    alternate, row = evidence.alternate if whole is None else whole, evidence.row
    if row is not None and row.middles:
        image, row = closed(image, row)
        alternate = None if alternate is None else narrowed(image)
    asked = parts(Question(evidence.kind, image, alphabet, longest, alternate, row))
    if _print_wanted(evidence, field):
        asked.append(Question(QuestionKind.PRINT, evidence.image))
    return asked


def reading(evidence: Evidence, field: FormField | None, answers: Sequence[Answer]) -> Reading:
    """What the answers to `questions(evidence, field)` say. Raises `ValueError` for another number of answers."""
    with_print = not evidence.untouched and _print_wanted(evidence, field)
    wanted = 0 if evidence.untouched else count(evidence.kind, evidence.row) + with_print
    if len(answers) != wanted:
        raise ValueError(f"{len(answers)} answers to the {wanted} questions about {evidence.field!r}")
    ink = joined(answers[: wanted - with_print]) if answers else UNTOUCHED
    value = ink.value if ink.state is AnswerState.PRESENT else None
    printed = None
    if with_print and answers[-1].state is AnswerState.PRESENT and answers[-1].value and ink.state is not _EMPTY:
        value, printed = answers[-1].value, answers[-1].confidence
    if _is_aadhaar(field):
        return _aadhaar(evidence, field, ink, value)
    return Reading(
        evidence=evidence,
        field=field,
        state=ink.state,
        value=None if value is None else identifiers.without_aadhaar(value),
        normalised=None if value is None else _normalised(evidence, field, value),
        confidence=ink.confidence,
        present=ink.present,
        label=ink.label,
        printed=printed,
        alternatives=tuple((identifiers.without_aadhaar(other), chance) for other, chance in ink.alternatives if other),
    )


def otherwise(reading: Reading) -> list[Reading]:
    """What else may stand there: a reading for each alternative, its probability as confidence."""
    return [
        replace(
            reading,
            value=other,
            normalised=_normalised(reading.evidence, reading.field, other),
            confidence=chance,
            alternatives=(),
        )
        for other, chance in reading.alternatives
    ]


_EMPTY = AnswerState.EMPTY


def _print_wanted(evidence: Evidence, field: FormField | None) -> bool:
    """Print is asked of stamps, and of a text field that is itself checked as an amount in words."""
    words = field is not None and any(check.check == "amount.mismatch" for check in field.checks)
    return evidence.kind in _WITH_PRINT or (evidence.kind is QuestionKind.TEXT and words)


def _limits(evidence: Evidence, field: FormField | None) -> tuple[str | None, int | None]:
    """The alphabet and length of a string answer."""
    match evidence.kind:
        case QuestionKind.DATE:
            comb = evidence.cells is not None
            return (dates.COMB_ALPHABET, evidence.cells) if comb else (dates.LINE_ALPHABET, dates.LONGEST)
        case QuestionKind.IDENTIFIER:
            identifier = field.identifier if field is not None else None
            longest = identifiers.length(identifier)
            # More than four digits of an Aadhaar number must be seen, whatever the boxes are for.
            if evidence.cells is not None and identifier is not Identifier.AADHAAR_LAST4:
                longest = evidence.cells
            return identifiers.alphabet(identifier), longest
        case QuestionKind.AMOUNT:
            return amounts.ALPHABET, evidence.cells or _LONGEST_AMOUNT
        case _:
            return None, None


def _normalised(evidence: Evidence, field: FormField | None, value: str) -> str | None:
    match evidence.kind:
        case QuestionKind.DATE:
            layout = field.format if field is not None and evidence.cells is not None else None
            day = dates.parse(value, layout).day
            return day.isoformat() if day else None
        case QuestionKind.IDENTIFIER:
            unshaped = field is None or field.identifier is Identifier.SERIAL
            return identifiers.numbered(value) if unshaped else identifiers.cleaned(value)
        case QuestionKind.AMOUNT:
            number = amounts.figures(value)
            return None if number is None else str(number)
        case _:
            return None


def _is_aadhaar(field: FormField | None) -> bool:
    return field is not None and field.identifier in identifiers.AADHAARS


def _aadhaar(evidence: Evidence, field: FormField | None, ink: Answer, value: str | None) -> Reading:
    """Only the last four digits of an Aadhaar number, and what is to be known of the rest, go further."""
    kept = None if value is None else identifiers.aadhaar(value)
    return Reading(
        evidence=evidence,
        field=field,
        state=ink.state,
        value=None if kept is None else kept.last_four,
        normalised=None if kept is None else kept.last_four,
        confidence=ink.confidence,
        present=ink.present,
        label=ink.label,
        whole=kept is not None and kept.whole,
        valid=None if kept is None else kept.valid,
    )
