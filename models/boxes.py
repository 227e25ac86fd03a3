"""What the model read in comb boxes, weighed with what a reader of single boxes makes of each (`models.cells`).

The model knows what strings look like and how likely each that it holds possible is; the reader of boxes knows nothing
of strings. By Bayes' rule a string is as likely as both together make it. Strings that only the boxes speak for are
weighed too, as unlikely beforehand as the model's own confidence leaves room for.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np

from models.answers import ALTERNATIVES, LEAST_CHANCE, SURE
from models.cells import CLASSES, EMPTY, CellReader, Chances
from pipeline.reading import STRINGS, Answer, Question, QuestionKind

#: How much the boxes' word counts: what they see is not independent of what the model saw.
WEIGHT = 0.5

#: How likely a letter that the model did not hold possible is to stand in place of the one that it read.
SURPRISING = 0.05

#: The least a class is taken to be likely in a box: nobody is surer than that.
LEAST = math.log(1e-4)

#: Boxes that may be read otherwise than the model did, at most; where more are, the row is not where it should be.
MOST_OTHER, MOST_SHARE = 2, 0.3

NUMBER = {name: number for number, name in enumerate(CLASSES)}


def curve(kind: QuestionKind) -> str:
    """The name of the curve of what was read in boxes."""
    return f"{kind.value}.boxes"


def read_again(cells: CellReader | None, question: Question, answer: Answer) -> Answer | None:
    """The answer that stands after its boxes were read one by one; None where there are none, or nobody who reads them,
    or nothing was read that could be compared, or what was read is sure enough."""
    if cells is None or question.row is None or question.kind not in STRINGS:
        return None
    if not answer.value or answer.confidence >= SURE:
        return None
    return weighed(question, answer, cells.chances(question.image, question.row))


def weighed(question: Question, answer: Answer, chances: Chances) -> Answer | None:
    """The answer that stands after the boxes (`chances`, boxes × classes) were looked at, its confidence and those of
    its alternatives as likely as both make them; None where the two speak of different things."""
    read = answer.value or ""
    if len(read) > len(chances) or not read or not set(read) <= set(CLASSES):
        return None
    seen = np.maximum(chances, LEAST)
    best = _best(seen, question.alphabet)
    other = [place for place, letter in enumerate(best) if letter != _at(read, place)]
    if len(other) > max(MOST_OTHER, round(MOST_SHARE * len(read))):
        return None
    beforehand = _beforehand(answer, len(chances))
    left = 1 - answer.confidence
    for count in range(1, len(other) + 1):
        for places in combinations(other, count):
            letters = [_at(read, place) for place in range(len(chances))]
            for place in places:
                letters[place] = best[place]
            value = "".join(letters)
            # A box left bare between letters is no string that could be told.
            if value and EMPTY not in letters[: len(value)]:
                beforehand.setdefault(value, left * SURPRISING**count)
    scores = {value: math.log(max(chance, 1e-9)) + WEIGHT * _said(seen, value) for value, chance in beforehand.items()}
    most = max(scores.values())
    total = sum(math.exp(score - most) for score in scores.values())
    shares = sorted(((value, math.exp(score - most) / total) for value, score in scores.items()), key=lambda o: -o[1])
    (value, share), *others = shares
    rest = tuple((one, chance) for one, chance in others[:ALTERNATIVES] if chance >= LEAST_CHANCE)
    return replace(answer, value=value, confidence=share, alternatives=rest)


def _beforehand(answer: Answer, cells: int) -> dict[str, float]:
    """How likely the model holds each string that fits the boxes: what it read as sure as it is, the others share what
    that leaves in the proportions of their own chances."""
    left, total = 1 - answer.confidence, sum(chance for _, chance in answer.alternatives)
    found = {answer.value or "": answer.confidence}
    for value, chance in answer.alternatives:
        if value and len(value) <= cells and set(value) <= set(CLASSES):
            found.setdefault(value, left * chance / total)
    return found


def _best(chances: Chances, alphabet: str | None) -> list[str]:
    """The likeliest letter of each box, of those that may stand there."""
    known = [number for number, name in enumerate(CLASSES) if name == EMPTY or alphabet is None or name in alphabet]
    return [CLASSES[known[int(place)]] for place in chances[:, known].argmax(1)]


def _said(chances: Chances, value: str) -> float:
    """How likely the boxes make it that just this stands in them, as a logarithm."""
    return float(sum(row[NUMBER[_at(value, place)]] for place, row in enumerate(chances)))


def _at(value: str, place: int) -> str:
    return value[place] if place < len(value) else EMPTY
