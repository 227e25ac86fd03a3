"""What a pen and a punch leave on a page, and the dirt of rollers: where they should be, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from models.synthesis import clutter
from models.synthesis.leaf import Leaf


@pytest.mark.parametrize("seed", range(5))
def test_a_ring_goes_around_print_and_a_line_through_it(seed: int) -> None:
    wide, high = 90, 24
    ring, through, under, tick = (
        clutter.checked(np.random.default_rng(seed), wide, high, kind, 2.0) > 0.3
        for kind in (clutter.RING, clutter.THROUGH, clutter.UNDER, clutter.TICK)
    )
    assert all(one.any() for one in (ring, through, under, tick))
    middle = ring.shape[0] // 2, ring.shape[1] // 2
    inner = (slice(middle[0] - 4, middle[0] + 5), slice(middle[1] - 20, middle[1] + 21))
    assert not ring[inner].any() and through[inner].any()
    assert not under[: middle[0] + high // 4].any(), "the line under it is below"


def test_a_hole_stays_in_its_square_and_is_round() -> None:
    for seed in range(8):
        mask = clutter.hole(np.random.default_rng(seed), 20)
        assert mask.shape == (41, 41) and mask.max() > 0.05
        assert mask[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 0.05, "the corners are bare"


def test_dirt_and_holes_of_a_scan_are_of_no_layer() -> None:
    dark = []
    for seed in range(12):
        page = Leaf(np.random.default_rng(seed)).scanned()
        assert not page.signatures and not any(layer.any() for layer in page.layers.values())
        dark.append(float((page.image < 100).mean()))
    assert max(dark) > 0.001 and min(dark) < 0.0005, "some bare pages are dirty, and some clean"
