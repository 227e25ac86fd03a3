"""Title pages, initials and certified copies: signatures are told where they stand, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from models.synthesis import deeds
from models.synthesis.faces import plain
from models.synthesis.leaf import SIGNATURE
from models.synthesis.scribe import Scribe


def _scribe(seed: int) -> Scribe:
    return Scribe(np.random.default_rng(seed), plain("test"))


def test_a_title_page_bears_print_alone() -> None:
    scribe = _scribe(1)
    deeds.title_page(scribe)
    assert scribe.leaf.words and not scribe.leaf.marks


@pytest.mark.parametrize("seed", range(12))
def test_initials_stand_on_the_paper_and_are_told(seed: int) -> None:
    scribe = _scribe(seed)
    deeds.initial_feet(scribe)
    assert 1 <= len(scribe.leaf.marks) <= 4
    outside = scribe.leaf.layers[SIGNATURE].copy()
    for x0, y0, x1, y1 in scribe.leaf.marks:
        assert 0 <= x0 < x1 <= scribe.leaf.width and 0 <= y0 < y1 <= scribe.leaf.height
        outside[y0:y1, x0:x1] = 0
    assert not outside.any()


@pytest.mark.parametrize("signed", [True, False])
def test_a_certified_copy_is_signed_or_not(signed: bool) -> None:
    scribe = _scribe(3)
    deeds.certified(scribe, signed=signed)
    assert len(scribe.leaf.marks) == int(signed)
    assert scribe.leaf.dark.any()
