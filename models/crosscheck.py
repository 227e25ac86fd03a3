"""Further witnesses for strings: what stands in comb boxes is read box by box too (`models.boxes`), and what is still
in doubt by the recogniser of print, from the same cut.

The recogniser was made for print and reads ink worse than the model, but errs elsewhere: where both read the same, the
string is far likelier to be right than where they differ, and how sure it is follows from a curve for each outcome.
Between readings of a date or an amount that the model itself holds possible its word decides; it adds none of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial

from models import boxes
from models.answers import SURE
from models.calibration import Calibration
from models.cells import CellReader
from models.nanovlm.processor import fitted
from models.ocr import LineReader
from pipeline import identifiers
from pipeline.reading import STRINGS, Answer, Question, QuestionKind, Reader

#: Where the recogniser decides between the model's readings. Between two identifiers it is wrong as often as right.
DECIDED = (QuestionKind.DATE, QuestionKind.AMOUNT)

#: How likely the model must hold a reading for the recogniser to decide for it.
POSSIBLE = 0.15


class Outcome(StrEnum):
    """What the recogniser makes of a string that the model has read."""

    AGREED = "agreed"  # both read the same
    OTHER = "other"  # as many characters, but not the same ones
    ALONE = "alone"  # nothing that could be compared with it
    CHOSEN = "chosen"  # what the model held possible but less likely, which becomes the answer

    def of(self, kind: QuestionKind) -> str:
        """The name of the curve of this outcome."""
        return f"{kind.value}.{self.value}"


class CrossCheck:
    """Reads doubtful strings once more. Safe to share between threads."""

    def __init__(self, lines: LineReader) -> None:
        self._lines = lines

    def __call__(
        self, question: Question, answer: Answer, own: Callable[[float], float]
    ) -> tuple[Outcome, Answer] | None:
        """How the recogniser's reading compares with an answer whose confidence is calibrated, and the answer that
        stands after it; None where the answer is no string, or sure enough. `own` calibrates the probabilities of the
        answer's alternatives as it did the answer's."""
        if question.kind not in STRINGS or not answer.value or answer.confidence >= SURE:
            return None
        # What the model saw, whatever size the cut had.
        text = self._lines.text(fitted(question.image), question.urgency)
        outcome = compared(question.kind, answer.value, text)
        if outcome is not Outcome.AGREED and question.kind in DECIDED:
            for value, chance in answer.alternatives:
                if value and own(chance) >= POSSIBLE and compared(question.kind, value, text) is Outcome.AGREED:
                    return Outcome.CHOSEN, _instead(answer, value, own(chance))
        return outcome, answer


class CheckedReader:
    """A `Reader` whose strings are checked. Any number of threads may ask, where they may ask what is inside: the check
    is done on the thread that asked, so that the engine's doesn't wait for it."""

    def __init__(
        self, reader: Reader, calibration: Calibration, check: CrossCheck, cells: CellReader | None = None
    ) -> None:
        self._reader, self._calibration, self._check, self._cells = reader, calibration, check, cells

    @property
    def version(self) -> str:
        return self._reader.version

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer a question, in their order. Raises what the reader inside raises."""
        answers = self._reader.read(questions)
        return [self._checked(question, answer) for question, answer in zip(questions, answers, strict=True)]

    def _checked(self, question: Question, answer: Answer) -> Answer:
        own = partial(self._calibration, question.kind.value)
        if (name := boxes.curve(question.kind)) in self._calibration.curves:
            again = boxes.read_again(self._cells, question, answer)
            if again is not None:
                own = partial(self._calibration, name)
                answer = replace(again, confidence=own(again.confidence))
        if not has_curves(self._calibration, question.kind):
            return answer
        found = self._check(question, answer, own)
        if found is None:
            return answer
        outcome, stands = found
        return replace(stands, confidence=self._calibration(outcome.of(question.kind), stands.confidence))


def checked(reader: Reader, calibration: Calibration, cells: CellReader | None = None) -> Reader:
    """The reader with its strings checked; the reader itself where its calibration has no curves for that."""
    if not any(has_curves(calibration, kind) or boxes.curve(kind) in calibration.curves for kind in STRINGS):
        return reader
    return CheckedReader(reader, calibration, CrossCheck(LineReader()), cells)


def has_curves(calibration: Calibration, kind: QuestionKind) -> bool:
    """Whether the checks of a kind were calibrated."""
    return any(outcome.of(kind) in calibration.curves for outcome in Outcome)


def compared(kind: QuestionKind, value: str, text: str) -> Outcome:
    """What the recogniser's text says about the value that the model read."""
    mine, other = _characters(kind, value), _characters(kind, text)
    if not other or len(mine) != len(other):
        return Outcome.ALONE
    return Outcome.AGREED if mine == other else Outcome.OTHER


def _instead(answer: Answer, value: str, confidence: float) -> Answer:
    """The answer with one of its alternatives in its place."""
    others = tuple(one for one in answer.alternatives if one[0] != value)
    former = (answer.value or "", answer.confidence)
    return replace(answer, value=value, confidence=confidence, alternatives=(former, *others))


def _characters(kind: QuestionKind, text: str) -> str:
    """What counts in a string: separators are small, and the sides of boxes look like them."""
    match kind:
        case QuestionKind.IDENTIFIER:
            return identifiers.cleaned(text)
        case QuestionKind.AMOUNT:
            return re.sub(r"[^0-9]", "", text)
        case _:
            return re.sub(r"[^A-Za-z0-9]", "", text)
