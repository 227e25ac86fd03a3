"""Further looks show the same field, whole."""

from __future__ import annotations

import numpy as np

from models.looks import CUTS, TURNS, looks


def test_every_look_shows_the_ink() -> None:
    evidence = np.full((52, 420), 240, np.uint8)
    evidence[14:40, 40:380] = 30
    shown = looks(evidence)
    assert len(shown) == len(CUTS) + len(TURNS)
    for one in shown:
        assert one.dtype == np.uint8 and one.flags["C_CONTIGUOUS"]
        assert (one < 128).sum() > 0.95 * 26 * 340
        assert one[0].min() > 200 and one[-1].min() > 200, "ink doesn't touch the rim"
    assert len({one.tobytes() for one in shown}) == len(shown), "each look is another"


def test_a_small_evidence_can_be_looked_at() -> None:
    for one in looks(np.full((8, 8), 200, np.uint8)):
        assert min(one.shape) >= 6
