"""What comes to a page later: print and handwriting, never a signature."""

from __future__ import annotations

import numpy as np
import pytest

from models.synthesis import afterwards
from models.synthesis.faces import plain
from models.synthesis.leaf import HANDWRITING, PRINT, SIGNATURE
from models.synthesis.scribe import Scribe


def _scribe(seed: int) -> Scribe:
    return Scribe(np.random.default_rng(seed), plain("test"))


def test_nothing_that_comes_later_is_a_signature() -> None:
    kinds = set()
    for seed in range(20):
        scribe = _scribe(seed)
        afterwards.add(scribe)
        assert not scribe.leaf.marks and not scribe.leaf.layers[SIGNATURE].any()
        kinds |= {kind for kind in (PRINT, HANDWRITING) if scribe.leaf.layers[kind].any()}
    assert kinds == {PRINT, HANDWRITING}


@pytest.mark.parametrize("seed", range(6))
def test_a_name_in_a_script_is_print(seed: int) -> None:
    scribe = _scribe(seed)
    high = afterwards.brand(scribe, 50.0)
    assert (high > 0) == bool(scribe.leaf.layers[PRINT].any())
    assert not scribe.leaf.layers[HANDWRITING].any()
    rows = np.flatnonzero(scribe.leaf.layers[PRINT].any(axis=1))
    assert not len(rows) or rows[0] >= 50


def test_who_checks_a_page_leaves_ink_at_its_print() -> None:
    scribe = _scribe(3)
    for _ in range(6):
        scribe.line(None, scribe.left)
    printed = np.flatnonzero(scribe.leaf.layers[PRINT].any(axis=1))
    for _ in range(8):
        afterwards._corrected(scribe)
    written = np.flatnonzero(scribe.leaf.layers[HANDWRITING].any(axis=1))
    assert len(written) and not scribe.leaf.layers[SIGNATURE].any()
    around = 3 * scribe.row
    assert written[0] > printed[0] - around and written[-1] < printed[-1] + around


def test_a_bare_page_has_nothing_to_check() -> None:
    scribe = _scribe(4)
    afterwards._corrected(scribe)
    assert not any(layer.any() for layer in scribe.leaf.layers.values())
