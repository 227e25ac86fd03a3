"""What the model is asked and what it answers: the interface that the domain owns and `models` implements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline.geometry import Box

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""A grey image, height × width, 0 black to 255 white."""


class QuestionKind(StrEnum):
    """What can be asked about an evidence."""

    SIGNATURE = "signature"  # choice: signature, initials, empty, struck
    DATE = "date"  # string as written, or empty, illegible
    ENDORSEMENT = "endorsement"  # choice: stamp, empty, other
    PRINT = "print"  # what a stamp says: its lines, separated by newlines; asked beside ENDORSEMENT, read by OCR
    TEXT = "text"  # choice: filled, empty; the string where the reader can read it
    IDENTIFIER = "identifier"  # string of A-Z0-9, or empty, illegible
    AMOUNT = "amount"  # string of digits , . or empty, illegible
    CHECKBOX = "checkbox"  # choice: ticked, empty
    MARK = "mark"  # choice: signature, stamp, handwriting, nothing


#: Kinds whose answer is a string; the others are choices and have a label.
STRINGS = (QuestionKind.DATE, QuestionKind.IDENTIFIER, QuestionKind.AMOUNT)


class AnswerState(StrEnum):
    """What stands in the evidence, before any string is read."""

    PRESENT = "present"
    EMPTY = "empty"
    ILLEGIBLE = "illegible"  # overwritten, smeared, or unreadable: something stands there
    STRUCK = "struck"  # cancelled by a stroke


@dataclass(frozen=True, slots=True)
class Row:
    """A row of comb boxes in a picture: how many, and between which shares of its width they stand; of boxes in groups
    also where the `middles` of all are, else they stand side by side."""

    cells: int
    left: float
    right: float
    middles: tuple[float, ...] = ()

    @property
    def step(self) -> float:
        """How wide a box is, as a share of the picture's width."""
        if self.middles:
            return min(after - before for before, after in pairwise(self.middles))
        return (self.right - self.left) / self.cells

    def middle(self, place: int) -> float:
        """The middle of a box."""
        return self.middles[place] if self.middles else self.left + (place + 0.5) * self.step


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The image cut out for a field, as the reviewer sees it, and the model too; of a string on a line the model first
    sees the part that is written on (`pipeline.closeup`).

    `page` counts from 1 in the file; `box` is on that page as it arrived; `image` is deskewed and cut tight
    around the field. `alternate` is a second, slightly different cut that an unsure answer may look at.
    """

    field: str
    kind: QuestionKind
    page: int
    box: Box
    image: Pixels
    ordinal: int = 0
    alternate: Pixels | None = None
    residual: float | None = None  # registration error at this field, in millimetres on paper
    cells: int | None = None  # comb boxes in the field, None for a free line
    row: Row | None = None  # where these stand in `image`, as far as that is known
    faults: tuple[str, ...] = ()  # why the evidence can't be trusted, e.g. "registration", "off page"
    untouched: bool = False  # nothing stands there but what the blank has: no model need look


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One question about one evidence image. `alphabet` limits the characters of a string answer, which may stand in a
    `row` of comb boxes. A person waits for the answer to an `interactive` one; `priority` is that of the document."""

    kind: QuestionKind
    image: Pixels
    alphabet: str | None = None
    max_length: int | None = None
    alternate: Pixels | None = None
    row: Row | None = None
    interactive: bool = False
    priority: int = 0

    @property
    def urgency(self) -> tuple[bool, int]:
        """Of two questions that wait for the same thing, the one with more of it goes first."""
        return self.interactive, self.priority


@dataclass(frozen=True, slots=True)
class Answer:
    """`value` is as written (None unless present and read); `confidence` is the probability that state and value
    are both right; `present` is the probability that the field holds ink at all; `label` names the choice
    (`signature`, `initials`, `stamp`, `ticked`, …) where the question is one."""

    state: AnswerState
    value: str | None
    confidence: float
    present: float
    label: str | None = None
    alternatives: tuple[tuple[str, float], ...] = field(default=())


class Reader(Protocol):
    """A model that answers questions. Implementations: `models.engine`, and scripted readers in tests."""

    @property
    def version(self) -> str:
        """The model version: a digest of weights and calibration."""
        ...

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer a question, in their order. Blocks until all are there.

        Raises `ReaderUnavailable` when no answer can be had now (the document is not at fault).
        """
        ...


class ReaderUnavailable(RuntimeError):
    """The model can't answer at present; the work goes back to the queue and nothing is charged to the document."""
