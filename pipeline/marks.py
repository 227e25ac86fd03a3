"""Signatures on a page of no known form: where a detector sees them, and how likely each is one.

Regions that the detector takes for signatures are marks, and so is handwriting where a label says to sign. A mark is
then weighed by how sure the detector is of it, by its size, by where it stands (`pipeline.standing`) and by what the
model answers about the cut-out mark itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeline import standing
from pipeline.doctypes.propose import Words
from pipeline.geometry import Box
from pipeline.pages import Page
from pipeline.patches import HANDWRITING, SIGNATURE, Chances, ink_of, of_ink, regions, written_regions
from pipeline.reading import Answer, Pixels, Question, QuestionKind, Reader
from pipeline.sheet import PX_PER_MM
from pipeline.standing import Standing, is_figures, log_odds, share, with_margin

#: What is known of a mark, in the order of the weights.
FEATURES = (*standing.FEATURES, "model_mark", "model_signature")

#: Width and height (mm) of a written line at least, and its height at most; longer than so many heights it is more
#: than a date. So many lines of a page are looked at.
LEAST_LINE_MM, MOST_LINE_MM, LONG, MOST_LINES = (12.0, 2.5), 16.0, 7.0, 8

#: A mark of which more than this lies in another is a part of it.
PART = 0.5

#: Paper (mm) around a mark in the box that is told, as people draw boxes.
MARGIN_MM = 2.0

WordsNear = Callable[[Box], Words]
"""The print in some part of a page, in fractions of the page."""


class Detector(Protocol):
    """Says what each patch of a page is, and how marks are weighed."""

    @property
    def scales(self) -> Scales: ...

    def patches(self, ink: Pixels) -> Chances:
        """`ink` is a page as `ink_of` gives it; patches that are not whole at its right and lower edge count too."""
        ...


@dataclass(frozen=True, slots=True)
class Scales:
    """Logistic weights of a mark by `FEATURES`, fitted together with the model that answers about marks
    (`models.training.weighing`)."""

    weights: tuple[float, ...] = (1.0,) + (0.0,) * (len(FEATURES) - 1)
    bias: float = 0.0

    def __post_init__(self) -> None:
        if len(self.weights) != len(FEATURES):
            raise ValueError(
                f"a mark has {len(FEATURES)} features, so as many weights are needed, not {len(self.weights)}"
            )

    def mark(self, features: Sequence[float]) -> float:
        """The log-odds that a mark is a signature or initials."""
        return self.bias + sum(weight * value for weight, value in zip(self.weights, features, strict=True))

    def page(self, marks: Sequence[float]) -> float:
        """The probability that a page with marks of such log-odds is signed."""
        return _chance(max([NO_MARK, *marks]))


#: The log-odds that a page on which no mark is seen is signed: one in ten such pages of the deeds at hand was.
NO_MARK = -2.2


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something like a signature stands, and how likely it is one (log-odds)."""

    box: Box
    log_odds: float

    @property
    def confidence(self) -> float:
        """The probability that it is a signature or initials."""
        return _chance(self.log_odds)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mark before it is weighed."""

    box: Box
    features: tuple[float, ...]


def marks(
    page: Page, detector: Detector, reader: Reader, words: WordsNear, cut: Callable[[Box], Pixels]
) -> tuple[Mark, ...]:
    """What on the page may be a signature, the likeliest first; `cut` gives the picture of a box for the model."""
    scales = detector.scales
    height, width = (side / page.dpi * 25.4 for side in page.image.shape)
    found = [
        Mark(with_margin(one.box, MARGIN_MM / width, MARGIN_MM / height), scales.mark(one.features))
        for one in candidates(page, detector, reader, words, cut)
    ]
    told: list[Mark] = []
    for one in sorted(found, key=lambda one: -one.log_odds):
        # Of a mark and a larger one that it is a part of the likelier one is told.
        if not any(max(share(one.box, other.box), share(other.box, one.box)) > PART for other in told):
            told.append(one)
    return tuple(told)


def candidates(
    page: Page, detector: Detector, reader: Reader, words: WordsNear, cut: Callable[[Box], Pixels]
) -> list[Candidate]:
    """The marks of a page with all that is known of them."""
    ink = ink_of(page.image, page.dpi)
    chances = of_ink(detector.patches(ink), ink)
    sheet = Standing(ink, chances)
    signed = regions(ink, chances, SIGNATURE)
    written = written_regions(ink, chances, [box for box, _inside in signed])
    seen = []
    for place, (box, inside) in enumerate([*signed, *written]):
        near = words(sheet.surroundings(box))
        if not is_figures(box, near) and (place < len(signed) or sheet.labelled(box, near)[0]):
            seen.append((box, sheet.features(box, inside, near)))
    pictures = [cut(box) for box, _features in seen]
    kinds = (QuestionKind.MARK, QuestionKind.SIGNATURE)
    asked = [Question(kind, picture, interactive=True) for picture in pictures for kind in kinds]
    answers = iter(reader.read(asked) if asked else ())
    return [
        Candidate(box, (*features, log_odds(_marked(next(answers))), log_odds(_signed(next(answers)))))
        for box, features in seen
    ]


def written(page: Page, detector: Detector) -> list[Box]:
    """Where something is written by hand in one line that is no signature, as large as a date; the most ink first."""
    ink = ink_of(page.image, page.dpi)
    height, width = ink.shape
    found = []
    for box, _inside in regions(ink, of_ink(detector.patches(ink), ink), HANDWRITING):
        wide, high = box.width * width / PX_PER_MM, box.height * height / PX_PER_MM
        if not (LEAST_LINE_MM[0] < wide and LEAST_LINE_MM[1] < high < MOST_LINE_MM):
            continue
        found.append(box)
        if wide > LONG * high:
            # A date stands at the end of its line: "Paris, le 3/2/2016".
            found.append(Box(box.x0 + box.width / 2, box.y0, box.x1, box.y1))
    return found[:MOST_LINES]


def _marked(answer: Answer) -> float:
    """The probability that a mark is a signature, from the one label that was given."""
    return answer.confidence if answer.label == "signature" else 1 - answer.confidence


def _signed(answer: Answer) -> float:
    """The probability that something signed stands there; a flourish through a name looks as if it were struck out."""
    return answer.present


def _chance(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))
