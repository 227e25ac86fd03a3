"""Doubtful strings are read once more by the recogniser of print, which moves their confidence and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from models.answers import SURE
from models.calibration import Calibration, Curve
from models.crosscheck import CheckedReader, CrossCheck, Outcome, checked, compared
from models.ocr import LineReader, PrintReader
from models.turns import USUAL, Urgency
from pipeline.reading import Answer, AnswerState, Pixels, Question, QuestionKind

PAPER = np.full((48, 384), 240, np.uint8)
PAN = Question(QuestionKind.IDENTIFIER, PAPER, max_length=10)
READ = Answer(AnswerState.PRESENT, "ABCPD1234E", 0.6, 0.99, alternatives=(("ABCPO1234E", 0.2),))
CURVES = Calibration({"identifier.agreed": Curve(1, 2), "identifier.other": Curve(1, -2)})


class Says(LineReader):
    """A recogniser that always reads the same."""

    def __init__(self, text: str) -> None:
        self._text, self.asked = text, 0

    def text(self, image: Pixels, urgency: Urgency = USUAL) -> str:
        assert image.shape == (48, 384), "it sees what the model saw"
        self.asked += 1
        return self._text


class Answers:
    """A reader that knows its answers."""

    version = "known-1"

    def __init__(self, *answers: Answer) -> None:
        self._answers = answers

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return list(self._answers[: len(questions)])


def written(text: str) -> Pixels:
    image = np.full((60, 420), 245, np.uint8)
    cv2.putText(image, text, (14, 42), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 20, 2, cv2.LINE_AA)
    return image


def read(answer: Answer, text: str, question: Question = PAN) -> tuple[Answer, int]:
    """The answer after the check, and how often the recogniser was asked."""
    says = Says(text)
    (found,) = CheckedReader(Answers(answer), CURVES, CrossCheck(says)).read([question])
    return found, says.asked


@pytest.mark.parametrize(
    ("kind", "value", "text", "outcome"),
    [
        ("date", "15032016", "1 5|0 3|2016", "agreed"),
        ("date", "15-Mar-2016", "15 Mar2016", "agreed"),
        ("date", "15-Mar-2016", "15 MAR 2016", "other"),
        ("date", "15032016", "15032010", "other"),
        ("date", "15032016", "1503206", "alone"),
        ("identifier", "ABCPD1234E", "ABcPD 1234E", "agreed"),
        ("identifier", "ABCPD1234E", "ABCPO1234E", "other"),
        ("identifier", "ABCPD1234E", "", "alone"),
        ("amount", "2,05,000", "2.05.000/-", "agreed"),
        ("amount", "2,05,000", "2,06,000", "other"),
        ("amount", "14", "114", "alone"),
        ("amount", ",", "", "alone"),
    ],
)
def test_readings_are_compared_by_the_characters_that_count(kind: str, value: str, text: str, outcome: str) -> None:
    assert compared(QuestionKind(kind), value, text) is Outcome(outcome)


def test_agreement_raises_confidence_and_disagreement_lowers_it() -> None:
    agreed, _ = read(READ, "ABCPD1234E")
    other, _ = read(READ, "ABCPO1234E")
    assert other.confidence < READ.confidence < agreed.confidence
    assert replace(agreed, confidence=0.6) == READ and replace(other, confidence=0.6) == READ, "nothing else changes"


def test_an_outcome_without_a_curve_changes_nothing() -> None:
    assert read(READ, "") == (READ, 1)


@pytest.mark.parametrize(
    ("answer", "question"),
    [
        (replace(READ, confidence=SURE), PAN),
        (Answer(AnswerState.EMPTY, None, 0.6, 0.1), PAN),
        (Answer(AnswerState.ILLEGIBLE, None, 0.6, 0.9), PAN),
        (Answer(AnswerState.PRESENT, None, 0.6, 0.9, "signature"), Question(QuestionKind.SIGNATURE, PAPER)),
        (READ, Question(QuestionKind.DATE, PAPER)),
    ],
)
def test_what_is_sure_or_no_string_or_was_not_calibrated_is_not_checked(answer: Answer, question: Question) -> None:
    assert read(answer, "ABCPO1234E", question) == (answer, 0)


def test_between_the_models_readings_of_a_date_the_recogniser_decides() -> None:
    curves = Calibration({"date": Curve(1, 1), "date.chosen": Curve(1, 2), "date.other": Curve(1, -2)})
    unsure = Answer(AnswerState.PRESENT, "15.03.2010", 0.4, 0.99, alternatives=(("15.03.2016", 0.2), ("", 0.1)))

    def after(text: str) -> Answer:
        (found,) = CheckedReader(Answers(unsure), curves, CrossCheck(Says(text))).read([date])
        return found

    date = Question(QuestionKind.DATE, PAPER)
    taken = after("15032016")
    assert taken.value == "15.03.2016" and taken.state is AnswerState.PRESENT
    assert taken.confidence == pytest.approx(Curve(1, 2)(Curve(1, 1)(0.2)))
    assert taken.alternatives == (("15.03.2010", 0.4), ("", 0.1))
    assert after("15032018").value == after("").value == "15.03.2010", "it adds no reading of its own"
    unsure = replace(unsure, alternatives=(("15.03.2016", 0.01),))
    assert after("15032016").value == "15.03.2010", "what the model holds hardly possible it can't decide for"


def test_between_identifiers_it_does_not_decide() -> None:
    found, _ = read(READ, "ABCPO1234E")
    assert found.value == READ.value


def test_a_calibration_without_such_curves_means_no_check() -> None:
    reader = Answers(READ)
    assert checked(reader, Calibration({"identifier": Curve(0.9, 0.1), "identifier.present": Curve()})) is reader
    assert isinstance(checked(reader, CURVES), CheckedReader)


def test_the_recogniser_witnesses_what_is_written() -> None:
    check = CrossCheck(LineReader())
    asked = replace(PAN, image=written("ABCPD1234E"))
    wrong = replace(READ, value="ABCPD1284E")
    assert check(asked, READ, Curve()) == (Outcome.AGREED, READ)
    assert check(asked, wrong, Curve()) == (Outcome.OTHER, wrong)
    assert check(replace(PAN, image=PAPER), READ, Curve()) == (Outcome.ALONE, READ)


def test_after_a_check_pages_are_still_searched_for_lines() -> None:
    page = np.full((300, 420), 250, np.uint8)
    page[40:100], page[200:260] = written("RECEIVED"), written("EMP 4521")
    printed, line = PrintReader(), LineReader()
    before = printed.lines(page)
    assert line.text(written("15032016")) == "15032016"
    assert [text.replace(" ", "") for text, _ in before] == ["RECEIVED", "EMP4521"]
    assert printed.lines(page) == before
    assert line.text(written("15032016")) == "15032016", "nor is a line searched for lines"
