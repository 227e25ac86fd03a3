"""From what was said of one look or several to an answer."""

from __future__ import annotations

import numpy as np
import pytest

from models.answers import EMPTY, ILLEGIBLE, Raw, asked_again, settled
from models.calibration import Calibration
from pipeline.reading import AnswerState, Question, QuestionKind

PAPER = np.full((48, 384), 240, np.uint8)
DATE = Question(QuestionKind.DATE, PAPER, "0123456789", 8, PAPER)


def test_one_look_is_taken_as_it_is() -> None:
    answer = settled(DATE, Raw("01022026", 0.98, 0.99), (), Calibration())
    assert (answer.value, answer.confidence, answer.present) == ("01022026", 0.98, 0.99)
    assert answer.alternatives == ()


def test_of_several_looks_the_likeliest_over_all_counts() -> None:
    said = [Raw("01022026", 0.5, 0.9), Raw("07022026", 0.4, 0.9), Raw("07022026", 0.3, 0.6)]
    answer = settled(DATE, said[0], said[1:], Calibration())
    assert answer.value == "07022026"
    assert answer.confidence == pytest.approx(0.7 / 3) and answer.present == pytest.approx(0.8)
    assert answer.alternatives == (("01022026", pytest.approx(0.5 / 3)),)


def test_looks_that_agree_are_as_sure_as_they_are_on_average() -> None:
    answer = settled(DATE, Raw("01022026", 0.9, 1.0), [Raw("01022026", 0.7, 1.0)], Calibration())
    assert answer.confidence == pytest.approx(0.8)


def test_what_each_look_held_possible_counts() -> None:
    said = [Raw("01022026", 0.5, 0.9, (("07022026", 0.4),)), Raw("07022026", 0.6, 0.9, (("01022026", 0.1),))]
    answer = settled(DATE, said[0], said[1:], Calibration())
    assert (answer.value, answer.confidence) == ("07022026", pytest.approx(0.5))
    assert answer.alternatives == (("01022026", pytest.approx(0.3)),)


def test_what_no_look_read_is_not_what_stands_there() -> None:
    said = [Raw("1st Nov 26", 0.3, 0.9, (("1st Aov 26", 0.29),)), Raw("7th Nov 26", 0.2, 0.9, (("1st Aov 26", 0.2),))]
    answer = settled(DATE, said[0], said[1:], Calibration())
    assert answer.value == "1st Nov 26" and [word for word, _ in answer.alternatives] == ["1st Aov 26", "7th Nov 26"]


def test_few_other_readings_are_told_and_none_that_is_hardly_possible() -> None:
    others = [(f"{number:08d}", 0.02 + number / 10_000) for number in range(20)]
    answer = settled(DATE, Raw("99999999", 0.5, 0.9, (*others, ("88888888", 0.001))), (), Calibration())
    assert [word for word, _ in answer.alternatives] == [f"{number:08d}" for number in range(19, 7, -1)]


def test_a_state_is_no_other_reading() -> None:
    answer = settled(DATE, Raw(ILLEGIBLE, 0.6, 1.0), [Raw(EMPTY, 0.5, 0.2), Raw("1", 0.1, 1.0)], Calibration())
    assert answer.state is AnswerState.ILLEGIBLE and answer.value is None
    assert [word for word, _ in answer.alternatives] == ["1"]


@pytest.mark.parametrize(
    ("question", "confidence", "again"),
    [
        (DATE, 0.5, True),
        (DATE, 0.99, False),
        (Question(QuestionKind.DATE, PAPER), 0.5, False),
        (Question(QuestionKind.SIGNATURE, PAPER, alternate=PAPER), 0.5, False),
    ],
)
def test_only_unsure_strings_are_looked_at_again(question: Question, confidence: float, again: bool) -> None:
    assert asked_again(question, Raw("1", confidence, 1.0)) is again
