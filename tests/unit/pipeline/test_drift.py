"""Confidences that move are noticed; those that don't, and those that are few, are not."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.drift import drift, stability_index


def test_an_index_worked_out_by_hand() -> None:
    """Halves that become nine to one, up to the half that each count is raised by."""
    before, now = [0.1] * 5000 + [0.9] * 5000, [0.1] * 9000 + [0.9] * 1000
    assert stability_index(before, now, bins=2) == pytest.approx(0.4 * np.log(9), abs=0.001)
    assert stability_index(before, before) == 0.0
    assert stability_index([], now) == 0.0


def test_what_has_not_moved_raises_no_alarm() -> None:
    rng = np.random.default_rng(2)
    assert not any(drift(rng.beta(20, 1, 1000), rng.beta(20, 1, 200)).drifted for _ in range(200))


def test_what_has_moved_does_once_there_is_enough() -> None:
    rng = np.random.default_rng(2)
    before, now = rng.beta(20, 1, 1000), rng.beta(5, 1, 200)
    assert drift(before, now).drifted
    assert not drift(before, now[:199]).drifted
