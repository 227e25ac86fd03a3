"""What the model read and what the columns of its picture show are weighed together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.answers import SURE
from models.columns import CLASSES, Chances, ColumnReader
from models.lines import Lines
from pipeline.reading import Answer, AnswerState, Pixels, Question, QuestionKind

PAPER = np.full((48, 384), 240, np.uint8)
DATE = Question(QuestionKind.DATE, PAPER, "0123456789/-. ", 12)
READ = Answer(AnswerState.PRESENT, "14/6/2021", 0.6, 0.99, alternatives=(("14.6.2021", 0.25), ("14/8/2021", 0.05)))


def spelled(text: str, sure: float = 0.97) -> Chances:
    """Columns that show a text, each of its characters over two of them."""
    rows = []
    for letter in text:
        for one in (letter, letter, ""):
            rows.append([sure if name == one else (1 - sure) / (len(CLASSES) - 1) for name in CLASSES])
    return np.log(np.array(rows, np.float32))


class Shows(ColumnReader):
    """A reader of columns that always sees the same."""

    def __init__(self, chances: Chances) -> None:
        self._chances, self.asked = chances, 0

    def chances(self, image: Pixels) -> Chances:
        self.asked += 1
        return self._chances


def after(text: str, answer: Answer = READ, question: Question = DATE, sure: float = 0.97) -> Answer:
    found = Lines(Shows(spelled(text, sure))).read_again(question, answer)
    assert found is not None
    return found


def test_columns_that_show_the_same_make_it_surer() -> None:
    found = after("14/6/2021")
    assert found.value == "14/6/2021" and found.confidence > 0.95
    assert replace(found, confidence=0.6, alternatives=READ.alternatives) == READ, "nothing else changes"


def test_what_the_model_held_possible_wins_where_the_columns_show_it() -> None:
    found = after("14.6.2021", sure=0.3)
    assert found.value == "14.6.2021" and "14/6/2021" in dict(found.alternatives)
    assert found.confidence + sum(chance for _, chance in found.alternatives) <= 1 + 1e-6


def test_what_only_the_columns_show_needs_more_than_a_doubt() -> None:
    assert after("14/6/2024", replace(READ, confidence=0.4, alternatives=())).value == "14/6/2024"
    told = after("14/6/2024", replace(READ, confidence=0.98, alternatives=()), sure=0.7)
    assert told.value == "14/6/2021" and "14/6/2024" in dict(told.alternatives)


def test_columns_say_no_letter_that_may_not_stand_there() -> None:
    found = after("I4/6/2O21", replace(READ, confidence=0.5, alternatives=()))
    assert not {"I", "O"} & set("".join([found.value or "", *dict(found.alternatives)]))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (DATE, replace(READ, confidence=SURE)),
        (DATE, replace(READ, value=None, state=AnswerState.ILLEGIBLE)),
        (DATE, replace(READ, value="14₹2021")),
        (replace(DATE, kind=QuestionKind.SIGNATURE), replace(READ, value=None, label="signature")),
    ],
)
def test_others_are_left_alone(question: Question, answer: Answer) -> None:
    shows = Shows(spelled("14/6/2021"))
    assert Lines(shows).read_again(question, answer) is None and shows.asked == 0


def test_columns_that_show_nothing_leave_the_model_its_own() -> None:
    found = after("   ", replace(READ, confidence=0.6))
    assert found.value == READ.value
