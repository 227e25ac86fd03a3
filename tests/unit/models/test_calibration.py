"""Calibration: confidences become shares of right answers, and survive a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.calibration import Calibration, Curve, fit
from models.scores import expected_error


def overconfident(seed: int, count: int = 4000) -> tuple[list[float], list[bool]]:
    """A model whose log-odds are twice what they should be."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(1.5, 1.5, count)
    right = rng.random(count) < 1 / (1 + np.exp(-odds))
    return (1 / (1 + np.exp(-2 * odds))).tolist(), right.tolist()


def test_an_overconfident_model_is_brought_down_on_data_it_was_not_fitted_on() -> None:
    curve = fit(*overconfident(1))
    told, right = overconfident(2)
    assert expected_error(told, right) > 0.05
    assert expected_error([curve(one) for one in told], right) < 0.02
    assert curve.slope == pytest.approx(0.5, abs=0.07)


def test_few_answers_all_right_stay_short_of_certainty() -> None:
    curve = fit([0.9] * 20, [True] * 20)
    assert 0.9 < curve(0.9) < 0.999


def test_a_curve_never_turns_the_order_of_confidences_round() -> None:
    curve = fit([0.99] * 50 + [0.6] * 50, [False] * 50 + [True] * 50)
    assert curve(0.99) > curve(0.6)


def test_without_a_curve_probabilities_stay_as_they_are() -> None:
    assert Calibration({"date": Curve(0.5)})("signature", 0.7) == 0.7


def test_it_survives_a_file(tmp_path: Path) -> None:
    Calibration({"date": Curve(0.5, -0.25)}).save(tmp_path, data="made up")
    assert Calibration.load(tmp_path) == Calibration({"date": Curve(0.5, -0.25)})
    assert Calibration.load(tmp_path / "nowhere") == Calibration()


def test_nothing_can_be_fitted_on_nothing() -> None:
    with pytest.raises(ValueError, match="answers"):
        fit([], [])
