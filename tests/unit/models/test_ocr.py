"""Print is read by OCR, ink by the model, and each question is answered by the right one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from models.ocr import InkAndPrintReader, PrintReader
from pipeline.reading import Answer, AnswerState, Pixels, Question, QuestionKind

BLANK = np.full((160, 360), 250, np.uint8)


def stamp(*lines: str) -> Pixels:
    image = BLANK.copy()
    for number, line in enumerate(lines, start=1):
        cv2.putText(image, line, (12, 45 * number), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 20, 2, cv2.LINE_AA)
    return image


class Ink:
    """Sees ink where a picture is not all of one grey."""

    version = "ink-1"

    def __init__(self) -> None:
        self.asked = 0

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        self.asked += len(questions)
        return [
            Answer(AnswerState.PRESENT, None, 0.9, 0.9, "stamp")
            if one.image.min() < one.image.max()
            else Answer(AnswerState.EMPTY, None, 0.9, 0.1, "nothing")
            for one in questions
        ]


@pytest.fixture(scope="module")
def printed() -> PrintReader:
    return PrintReader()


def test_the_lines_of_a_stamp_are_read_top_to_bottom(printed: PrintReader) -> None:
    answer = printed.answer(Question(QuestionKind.PRINT, stamp("A SHARMA", "EMP 4521")))
    assert answer.state is AnswerState.PRESENT and answer.value is not None
    first, second = answer.value.split("\n")
    assert "SHARMA" in first and "4521" in second.replace(" ", "")
    assert answer.confidence > 0.8


def test_where_there_is_no_print_none_is_read(printed: PrintReader) -> None:
    answer = printed.answer(Question(QuestionKind.PRINT, BLANK))
    assert answer.state is not AnswerState.PRESENT and answer.value is None


def test_each_question_goes_to_the_one_who_can_answer_it(printed: PrintReader) -> None:
    image, ink = stamp("VERIFIED"), Ink()
    asked = [Question(QuestionKind.ENDORSEMENT, image), Question(QuestionKind.PRINT, image)]
    seen, read = InkAndPrintReader(ink, printed).read([*asked, Question(QuestionKind.DATE, image)])[:2]
    assert (seen.label, read.value) == ("stamp", "VERIFIED")
    assert ink.asked == 2


def test_print_is_not_looked_for_where_nothing_stands(monkeypatch: pytest.MonkeyPatch, printed: PrintReader) -> None:
    monkeypatch.setattr(PrintReader, "answer", lambda *_: pytest.fail("nobody needed to read this"))
    asked = [Question(QuestionKind.ENDORSEMENT, BLANK), Question(QuestionKind.PRINT, BLANK)]
    answers = InkAndPrintReader(Ink(), printed).read(asked)
    assert [one.state for one in answers] == [AnswerState.EMPTY, AnswerState.EMPTY]


def test_print_alone_is_read_without_the_model(printed: PrintReader) -> None:
    (answer,) = InkAndPrintReader(Ink(), printed).read([Question(QuestionKind.PRINT, stamp("RECEIVED"))])
    assert answer.value == "RECEIVED"
