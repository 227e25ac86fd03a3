"""Strings that the model is unsure of are read by others too: box by box, column by column (`models.witness`), and what
is still in doubt then by the recogniser of print, from the same cut.

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
from pathlib import Path

from models.boxes import Boxes
from models.calibration import Calibration
from models.cells import CellReader
from models.columns import ColumnReader
from models.lines import Lines
from models.nanovlm.processor import fitted
from models.ocr import LineReader
from models.witness import Witness, curve, doubted
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
        value = answer.value
        if not value or not doubted(question, answer):
            return None
        # What the model saw, whatever size the cut had.
        text = self._lines.text(fitted(question.image), question.urgency)
        outcome = compared(question.kind, value, text)
        if outcome is not Outcome.AGREED and question.kind in DECIDED:
            for other, chance in answer.alternatives:
                if other and own(chance) >= POSSIBLE and compared(question.kind, other, text) is Outcome.AGREED:
                    return Outcome.CHOSEN, _instead(answer, other, own(chance))
        return outcome, answer


class CheckedReader:
    """A `Reader` whose strings are checked. Any number of threads may ask, where they may ask what is inside: the check
    is done on the thread that asked, so that the engine's doesn't wait for it."""

    def __init__(
        self, reader: Reader, calibration: Calibration, check: CrossCheck, witnesses: Sequence[Witness] = ()
    ) -> None:
        self._reader, self._calibration, self._check, self._witnesses = reader, calibration, check, witnesses

    @property
    def version(self) -> str:
        return self._reader.version

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer a question, in their order. Raises what the reader inside raises."""
        answers = self._reader.read(questions)
        return [self._checked(question, answer) for question, answer in zip(questions, answers, strict=True)]

    def _checked(self, question: Question, answer: Answer) -> Answer:
        own = partial(self._calibration, question.kind.value)
        for witness in self._witnesses:
            # What a witness is worth is not known without its curve.
            if (name := curve(question.kind, witness.name)) in self._calibration.curves:
                again = witness.read_again(question, answer)
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


def witnesses(folder: Path) -> tuple[Witness, ...]:
    """Who stands beside a checkpoint, in the order in which they are asked. Raises ValueError with a sentence for one
    that is broken."""
    cells, columns = CellReader.beside(folder), ColumnReader.beside(folder)
    boxes = () if cells is None else (Boxes(cells),)
    return boxes if columns is None else (*boxes, Lines(columns))


def checked(reader: Reader, calibration: Calibration, witnesses: Sequence[Witness] = ()) -> Reader:
    """The reader with its strings checked; the reader itself where its calibration has no curves for that."""
    names = {curve(kind, witness.name) for kind in STRINGS for witness in witnesses}
    if not any(has_curves(calibration, kind) for kind in STRINGS) and not names & set(calibration.curves):
        return reader
    return CheckedReader(reader, calibration, CrossCheck(LineReader()), witnesses)


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
