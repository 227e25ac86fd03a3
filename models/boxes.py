"""What the model read in comb boxes, weighed with what a reader of single boxes makes of each (`models.cells`).

The model knows what strings look like and how likely each that it holds possible is; the reader of boxes knows nothing
of strings.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from models.cells import CLASSES, EMPTY, CellReader, Chances
from models.witness import beforehand, doubted
from models.witness import weighed as both
from pipeline.reading import Answer, Question

#: How much the boxes' word counts: what they see is not independent of what the model saw.
WEIGHT = 0.5

#: How likely a letter that the model did not hold possible is to stand in place of the one that it read.
SURPRISING = 0.05

#: The least a class is taken to be likely in a box: nobody is surer than that.
LEAST = math.log(1e-4)

#: Boxes that may be read otherwise than the model did, at most; where more are, the row is not where it should be.
MOST_OTHER, MOST_SHARE = 2, 0.3

NUMBER = {name: number for number, name in enumerate(CLASSES)}


class Boxes:
    """The witness for strings in comb boxes. Safe to share between threads."""

    name = "boxes"

    def __init__(self, cells: CellReader) -> None:
        self._cells = cells

    def read_again(self, question: Question, answer: Answer) -> Answer | None:
        """None where the string stands in no boxes, or is sure enough, or the two speak of different things."""
        if question.row is None or not doubted(question, answer):
            return None
        return weighed(question, answer, self._cells.chances(question.image, question.row))


def weighed(question: Question, answer: Answer, chances: Chances) -> Answer | None:
    """The answer that stands after the boxes (`chances`, boxes × classes) were looked at; None where the two speak of
    different things."""
    read = answer.value or ""
    if len(read) > len(chances) or not read or not set(read) <= set(CLASSES):
        return None
    seen = np.maximum(chances, LEAST)
    best = _best(seen, question.alphabet)
    other = [place for place, letter in enumerate(best) if letter != _at(read, place)]
    if len(other) > max(MOST_OTHER, round(MOST_SHARE * len(read))):
        return None
    likely = beforehand(answer, lambda value: len(value) <= len(chances) and set(value) <= set(CLASSES))
    left = 1 - answer.confidence
    for count in range(1, len(other) + 1):
        for places in combinations(other, count):
            letters = [_at(read, place) for place in range(len(chances))]
            for place in places:
                letters[place] = best[place]
            value = "".join(letters)
            # A box left bare between letters is no string that could be told.
            if value and EMPTY not in letters[: len(value)]:
                likely.setdefault(value, left * SURPRISING**count)
    return both(answer, likely, lambda value: WEIGHT * _said(seen, value))


def _best(chances: Chances, alphabet: str | None) -> list[str]:
    """The likeliest letter of each box, of those that may stand there."""
    known = [number for number, name in enumerate(CLASSES) if name == EMPTY or alphabet is None or name in alphabet]
    return [CLASSES[known[int(place)]] for place in chances[:, known].argmax(1)]


def _said(chances: Chances, value: str) -> float:
    """How likely the boxes make it that just this stands in them, as a logarithm."""
    return float(sum(row[NUMBER[_at(value, place)]] for place, row in enumerate(chances)))


def _at(value: str, place: int) -> str:
    return value[place] if place < len(value) else EMPTY
