"""Long rows of comb boxes, asked about in parts: a model sees all its pictures at one size, in which twenty letters are
narrower than any it learned from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from pipeline.evidence import narrowed
from pipeline.reading import STRINGS, Answer, AnswerState, Question, QuestionKind, Row

#: The most boxes that are asked about at once; a BO ID has as many.
MOST = 16

#: What is seen of the boxes beside a part, in widths of a box: letters reach over their sides.
OVER = 0.15


def count(kind: QuestionKind, row: Row | None) -> int:
    """In how many parts a field is asked about; what is no string can be seen at any size."""
    return 1 if row is None or kind not in STRINGS else max(1, math.ceil(row.cells / MOST))


def parts(question: Question) -> list[Question]:
    """The question about each part of a row that is too long, of nearly as many boxes each; itself otherwise."""
    row, number_of = question.row, count(question.kind, question.row)
    if row is None or number_of == 1:
        return [question]
    ends = [round(row.cells * number / number_of) for number in range(number_of + 1)]
    return [_part(question, row, first, last) for first, last in pairwise(ends)]


def joined(answers: Sequence[Answer]) -> Answer:
    """The answer to the whole: all that stands in its parts, as sure as all of them together."""
    if len(answers) == 1:
        return answers[0]
    present = max(one.present for one in answers)
    told = [one for one in answers if one.state is not AnswerState.EMPTY]
    sure = math.prod(one.confidence for one in answers)
    if not told:
        return replace(answers[0], confidence=sure, present=present)
    other = next((one for one in told if one.state is not AnswerState.PRESENT), None)
    if other is not None:
        return replace(other, present=present)
    value = "".join(one.value or "" for one in told)
    return replace(told[0], value=value, confidence=sure, present=present, alternatives=())


def _part(question: Question, row: Row, first: int, last: int) -> Question:
    width = question.image.shape[1]
    begins, ends = row.middle(first) - row.step / 2, row.middle(last - 1) + row.step / 2
    # The whole's own margins stay.
    left = 0 if first == 0 else round((begins - OVER * row.step) * width)
    right = width if last == row.cells else round((ends + OVER * row.step) * width)
    image = np.ascontiguousarray(question.image[:, left:right])
    there = Row(last - first, (begins * width - left) / (right - left), (ends * width - left) / (right - left))
    alternate = None if question.alternate is None else narrowed(image)
    return replace(question, image=image, max_length=last - first, alternate=alternate, row=there)
