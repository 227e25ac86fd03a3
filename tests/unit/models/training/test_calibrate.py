"""Calibration fitted anew on what reviewers said: of kinds with enough examples, with the weights as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.calibration import Calibration, Curve
from models.checkpoint import WEIGHTS, digest
from models.nanovlm.model import NanoVLM
from models.reader import ModelReader
from models.training.calibrate import refit
from models.training.evaluate import answered, right
from models.training.feedback import shown
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
