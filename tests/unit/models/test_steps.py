"""Reading in steps: parts of a size that may change, pictures that are seen once, readers that know no steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.steps import finished, in_parts, steps_of
from pipeline.reading import Answer, AnswerState, Pixels, Question, QuestionKind

PICTURES = [np.full((4, 4), grey, np.uint8) for grey in range(8)]


def asked(*greys: int) -> list[Question]:
    return [Question(QuestionKind.DATE, PICTURES[grey]) for grey in greys]


def parts(questions: Sequence[Question], *sizes: int) -> list[list[int]]:
    """The greys of each part that is looked at, when so many may be at once, one size after the other."""
    seen: list[list[int]] = []

    def look(_: Sequence[Question], images: Sequence[Pixels]) -> list[int]:
        seen.append([int(one[0, 0]) for one in images])
        return seen[-1]

    left = iter(sizes)
    images = [one.image for one in questions]
    assert finished(in_parts(look, questions, images, lambda: next(left))) == [int(one[0, 0]) for one in images]
    return seen


def test_how_much_is_looked_at_at_once_is_asked_before_each_part() -> None:
    assert parts(asked(0, 1, 2, 3, 4), 3, 1, 9) == [[0, 1, 2], [3], [4]]
    assert parts(asked(0, 1), 0, 0) == [[0], [1]], "something is always looked at"
    assert parts([]) == []


def test_questions_about_one_picture_stay_together() -> None:
    assert parts(asked(0, 0, 0, 1, 1, 2), 2, 1, 1) == [[0, 0, 0], [1, 1], [2]]


def test_a_reader_without_steps_has_one() -> None:
    class Whole:
        version = "whole-1"

        def read(self, questions: Sequence[Question]) -> list[Answer]:
            return [Answer(AnswerState.PRESENT, str(int(one.image[0, 0])), 0.9, 0.9) for one in questions]

    steps = steps_of(Whole(), asked(1, 2), lambda: 1)
    assert next(steps) == 2
    assert [one.value for one in finished(steps)] == ["1", "2"]
