"""Long rows of boxes are asked about in parts, and the answers put together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.evidence import between_margins
from pipeline.geometry import Box
from pipeline.parts import MOST, count, joined, parts
from pipeline.questions import questions, reading
from pipeline.reading import Answer, AnswerState, Evidence, Question, QuestionKind

#: A picture whose columns count from 0 to 209, twenty boxes of ten of them each between margins of five.
IMAGE = np.tile(np.arange(210, dtype=np.uint8), (20, 1))
ROW = between_margins(20)
NUMBER = Question(QuestionKind.IDENTIFIER, IMAGE, "0123456789", 20, IMAGE[:, 2:-2], ROW)


def said(value: str | None, confidence: float = 0.9, state: AnswerState = AnswerState.PRESENT) -> Answer:
    return Answer(state, value, confidence, 0.0 if state is AnswerState.EMPTY else 0.99)


EMPTY, ILLEGIBLE = AnswerState.EMPTY, AnswerState.ILLEGIBLE


def test_each_part_has_its_boxes_and_a_little_of_the_next() -> None:
    first, second = parts(NUMBER)
    assert (first.max_length, second.max_length) == (10, 10)
    assert first.image[0, 0] == 0 and second.image[0, -1] == 209, "the margins at both ends stay"
    assert 105 <= first.image[0, -1] < 108 and 102 < second.image[0, 0] < 105
    for one, begin in ((first, 0), (second, 100)):
        assert one.row is not None and one.row.cells == 10
        width = one.image.shape[1]
        middles = [one.image[0, round(one.row.middle(place) * width - 0.5)] for place in range(10)]
        assert np.abs(np.array(middles, int) - (begin + 9 + 10 * np.arange(10))).max() <= 1
    assert second.alternate is not None and second.alternate.shape[1] < second.image.shape[1]


def test_odd_rows_are_parted_nearly_evenly() -> None:
    assert [one.max_length for one in parts(replace(NUMBER, row=between_margins(17)))] == [8, 9]
    assert [one.max_length for one in parts(replace(NUMBER, row=between_margins(40)))] == [13, 14, 13]


@pytest.mark.parametrize(
    "question",
    [
        replace(NUMBER, row=None),
        replace(NUMBER, row=between_margins(MOST)),
        replace(NUMBER, kind=QuestionKind.TEXT),
    ],
)
def test_others_are_asked_about_as_they_are(question: Question) -> None:
    (only,) = parts(question)
    assert only is question and count(question.kind, question.row) == 1


def test_answers_are_put_together() -> None:
    whole = joined([said("12345", 0.9), said("678", 0.8)])
    assert (whole.value, whole.state) == ("12345678", AnswerState.PRESENT)
    assert whole.confidence == pytest.approx(0.72)
    assert joined([said("123"), said(None, 0.95, EMPTY)]).value == "123", "boxes were left over"
    bare = joined([said(None, 0.9, EMPTY), said(None, 0.9, EMPTY)])
    assert (bare.state, bare.value, bare.present) == (EMPTY, None, 0.0)
    assert joined([said("123"), said(None, 0.7, ILLEGIBLE)]).state is ILLEGIBLE
    assert joined([said("123")]) == said("123")


def test_a_field_is_read_from_its_parts() -> None:
    evidence = Evidence("number", QuestionKind.IDENTIFIER, 1, Box(0, 0, 1, 1), IMAGE, cells=20, row=ROW)
    asked = questions(evidence, None)
    assert [one.max_length for one in asked] == [10, 10]
    told = reading(evidence, None, [said("0123456789"), said("9876543210")])
    assert told.value == "01234567899876543210"
    with pytest.raises(ValueError, match="1 answers to the 2 questions"):
        reading(evidence, None, [said("0123456789")])
    text = replace(evidence, kind=QuestionKind.TEXT)
    assert len(questions(text, None)) == 1
