"""Print, read by RapidOCR: what a stamp says, and what a line says that needn't be looked for.

OCR reads print and finds places; ink is the model's. The recogniser's weights (PP-OCR, Apache-2.0) ship inside the
`rapidocr` package, so nothing is fetched at run time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.turns import USUAL, Turns, Urgency
from pipeline.geometry import Box
from pipeline.reading import Answer, AnswerState, Pixels, Question, QuestionKind, Reader

#: The longer side, in pixels, of the picture in which lines are looked for. The library's own default enlarges small
#: pictures first, which takes eight times as long on a stamp and finds the same lines.
DETECTION_SIDE = 640

#: The same for a whole page, whose letters are smaller.
PAGE_SIDE = 1600

#: A line the recogniser gives less than this is smudge, not print; on a page, where nobody knows what is print, it
#: may be handwriting.
LEAST_LINE_SCORE, LEAST_PRINT_SCORE = 0.5, 0.85


class PrintReader:
    """Reads the lines of a printed impression, top to bottom. One image at a time, the most urgent first; safe to share
    between threads.

    `side` is the longer side of the picture in which lines are looked for: `DETECTION_SIDE`, or `PAGE_SIDE`.
    """

    def __init__(self, threads: int = 1, *, side: int = DETECTION_SIDE) -> None:
        self._ocr = _library(threads, {"Det.limit_type": "max", "Det.limit_side_len": side})
        self._turns = Turns()

    def lines(self, image: Pixels, urgency: Urgency = USUAL) -> list[tuple[str, float]]:
        """The text lines of a grey image with the recogniser's score for each, in reading order."""
        return [(text, score) for _, text, score in self._found(image, urgency) if score >= LEAST_LINE_SCORE]

    def words(self, image: Pixels) -> list[tuple[str, Box]]:
        """What is surely print on a page, and where: boxes in fractions of the page, in reading order."""
        height, width = image.shape
        found = []
        for corners, text, score in self._found(image):
            (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
            if score >= LEAST_PRINT_SCORE and x0 < x1 and y0 < y1:
                found.append((text, Box(float(x0 / width), float(y0 / height), float(x1 / width), float(y1 / height))))
        return found

    def _found(self, image: Pixels, urgency: Urgency = USUAL) -> list[tuple[npt.NDArray[np.float64], str, float]]:
        """Corners (4 × 2), text and score of each line, top to bottom."""
        with self._turns.turn(urgency):
            found = self._ocr(_colour(image))
        if found is None or found.txts is None:
            return []
        placed = [
            (np.asarray(corners, np.float64), str(text), float(score))
            for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        ]
        return sorted(placed, key=lambda one: float(one[0][:, 1].mean()))

    def answer(self, question: Question) -> Answer:
        """The whole impression as one answer: lines joined by newlines, confidence the mean of the lines' scores."""
        lines = self.lines(question.image, question.urgency)
        if not lines:
            return Answer(AnswerState.ILLEGIBLE, None, 0.5, 0.5)
        weights = [len(text) for text, _ in lines]
        confidence = float(np.average([score for _, score in lines], weights=weights))
        return Answer(AnswerState.PRESENT, "\n".join(text for text, _ in lines), confidence, 1.0)


class LineReader:
    """Reads a picture that is one line and nothing else. One at a time, the most urgent first; safe to share between
    threads.

    It has an engine of its own: one that was called without looking for lines looks for none in the next picture
    either.
    """

    def __init__(self, threads: int = 1) -> None:
        self._ocr = _library(threads, {"Global.use_det": False})
        self._turns = Turns()

    def text(self, image: Pixels, urgency: Urgency = USUAL) -> str:
        """What stands in a grey image; empty where nothing can be read."""
        with self._turns.turn(urgency):
            found = self._ocr(_colour(image))
        return str(found.txts[0]) if found is not None and found.txts else ""


def _library(threads: int, params: Mapping[str, object]) -> Any:
    from rapidocr import RapidOCR

    # It warns of every picture without print.
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.use_cls": False,
            # Lines that are read together are all made as wide as the longest, which costs a third more.
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            **params,
        }
    )


def _colour(image: Pixels) -> Pixels:
    return np.repeat(image[:, :, None], 3, axis=2)


#: The answer about the print of an empty picture.
NOTHING = Answer(AnswerState.EMPTY, None, 1.0, 0.0)


class InkAndPrintReader:
    """Asks the model about ink and the OCR library about print, behind one `Reader`."""

    def __init__(self, ink: Reader, print_reader: PrintReader) -> None:
        self._ink = ink
        self._print = print_reader

    @property
    def version(self) -> str:
        return self._ink.version

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        """Print is looked for only where the model, asked about the same picture, didn't find it empty: reading print
        costs twenty times as much as a look at ink."""
        ink = [question for question in questions if question.kind is not QuestionKind.PRINT]
        seen = self._ink.read(ink) if ink else []
        empty = {id(q.image) for q, answer in zip(ink, seen, strict=True) if answer.state is AnswerState.EMPTY}
        answers = iter(seen)
        return [
            next(answers)
            if question.kind is not QuestionKind.PRINT
            else NOTHING
            if id(question.image) in empty
            else self._print.answer(question)
            for question in questions
        ]
