"""Calibration fitted anew on what reviewers said: of kinds with enough examples, with the weights as they are; and what
the recogniser's word is worth where the model is in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.calibration import Calibration, Curve
from models.cells import CLASSES, CellReader, Chances
from models.checkpoint import WEIGHTS, digest
from models.nanovlm.model import NanoVLM
from models.reader import ModelReader
from models.synthesis.evidence import Drawn
from models.training.calibrate import curves_of, refit
from models.training.evaluate import answered, right
from models.training.feedback import shown
from pipeline.reading import Answer, AnswerState, Pixels, Question, Row
from tests.unit.models.training.test_feedback import fill
from tests.unit.models.training.test_training import tiny


def how_far_off(checkpoint: Path, taught: Path) -> float:
    """Between the confidence and the share of answers that are right."""
    told = [one for _, one in shown(taught)]
    answers = answered(ModelReader.from_folder(checkpoint), told)
    hits = [right(one, answer) for one, answer in zip(told, answers, strict=True)]
    return abs(sum(answer.confidence for answer in answers) - sum(hits)) / len(hits)


def test_curves_follow_what_reviewers_said(tmp_path: Path) -> None:
    torch.manual_seed(0)
    checkpoint, taught = tmp_path / "checkpoint", tmp_path / "feedback"
    NanoVLM(tiny().config).save(checkpoint)
    Calibration({"date": Curve(0.5, 1.0), "checkbox": Curve(3.0, 3.0)}).save(checkpoint)
    weights, version = (checkpoint / WEIGHTS).read_bytes(), digest(checkpoint)
    fill(taught, 60)
    before = how_far_off(checkpoint, taught)
    with pytest.raises(ValueError, match="61 examples of no kind"):
        refit(checkpoint, taught, least=61)
    assert digest(checkpoint) == version
    fitted = refit(checkpoint, taught)
    assert (checkpoint / WEIGHTS).read_bytes() == weights and digest(checkpoint) != version
    assert fitted.curves["date"] == Curve(0.5, 1.0), "of dates nobody said anything"
    assert how_far_off(checkpoint, taught) < before / 3


class Guesses:
    """Reads every second date wrongly in its last digit, and is as sure of it."""

    version = "guesses-1"

    def __init__(self, drawn: Sequence[Drawn]) -> None:
        self._right = ["".join(one.answer) for one in drawn]

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        said = [text if number % 2 else text[:-1] + "8" for number, text in enumerate(self._right)]
        return [Answer(AnswerState.PRESENT, text, 0.7, 0.99) for text in said]


def test_the_recognisers_word_is_worth_what_it_was_worth_on_the_examples() -> None:
    drawn = []
    for day in range(10, 30):
        image = np.full((48, 384), 245, np.uint8)
        cv2.putText(image, f"{day}032016", (12, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 20, 2, cv2.LINE_AA)
        drawn.append(Drawn(image, "date", tuple(f"{day}032016"), np.zeros(48, np.uint8), 8))
    curves = curves_of(Guesses(drawn), "date", drawn)
    assert set(curves) == {"date", "date.present", "date.agreed", "date.other"}
    own = curves["date"](0.7)
    assert own == pytest.approx(0.5, abs=0.1)
    assert curves["date.other"](own) < own - 0.2 < own + 0.2 < curves["date.agreed"](own)


class Sees(CellReader):
    """A reader of boxes that sees what stands in them."""

    def __init__(self, drawn: Sequence[Drawn]) -> None:
        self._known = {id(one.image): one.answer for one in drawn}

    def chances(self, image: Pixels, row: Row) -> Chances:
        said = [[0.95 if name == letter else 0.05 / 36 for name in CLASSES] for letter in self._known[id(image)]]
        return np.log(np.array(said, np.float32))


def test_what_is_read_in_boxes_has_a_curve_of_its_own() -> None:
    paper = [np.full((48, 384), 245, np.uint8) for _ in range(40)]
    drawn = [
        Drawn(image, "date", tuple(f"{10 + day % 20}032016"), np.zeros(48, np.uint8), 8, row=Row(8, 0.0, 1.0))
        for day, image in enumerate(paper)
    ]
    curves = curves_of(Guesses(drawn), "date", drawn, Sees(drawn))
    own = curves["date"](0.7)
    assert own == pytest.approx(0.5, abs=0.1) and curves["date.boxes"](own) > 0.8, (
        "the boxes set every second one right"
    )
    assert set(curves_of(Guesses(drawn), "date", drawn)) == {"date", "date.present", "date.alone"}
    lined = [replace(one, row=None, cells=None) for one in drawn]
    assert "date.boxes" not in curves_of(Guesses(lined), "date", lined, Sees(lined))
