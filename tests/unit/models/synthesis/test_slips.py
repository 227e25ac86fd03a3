"""Cheques and slips, the security paper they are printed on, and people who just write their names."""

from __future__ import annotations

import numpy as np
import pytest

from models.synthesis import ground
from models.synthesis.autographs import autograph
from models.synthesis.faces import plain
from models.synthesis.leaf import PRINT, PX_PER_MM, SIGNATURE, Leaf
from models.synthesis.letters import spread

STOCK = plain("train")


@pytest.mark.parametrize("seed", range(6))
def test_a_slip_is_small_and_signed_in_its_lower_right(seed: int) -> None:
    page = spread(np.random.default_rng(seed), STOCK, kind="slip", signed=True)
    height, width = page.image.shape
    assert height < 155 * PX_PER_MM and width > height
    assert page.signatures and (page.layers[SIGNATURE] > 127).any()
    assert max(box.x1 for box in page.signatures) > 0.55
    assert min(box.y0 for box in page.signatures) > 0.2
    for box in page.signatures:
        assert box.height * height < 22 * PX_PER_MM, "there is no room for more"


def test_an_unsigned_slip_bears_no_signature() -> None:
    for seed in range(6):
        page = spread(np.random.default_rng(seed), STOCK, kind="slip", signed=False)
        assert not page.signatures and not page.layers[SIGNATURE].any()


def test_security_paper_is_print_and_pale() -> None:
    for seed in range(12):
        leaf = Leaf(np.random.default_rng(seed), slip=True)
        ground.lay_under(leaf, STOCK.prints[0])
        assert (leaf.layers[PRINT] > 0).any() and not leaf.layers[SIGNATURE].any()
        assert 0 < leaf.dark.max() < 130


def test_some_signatures_are_names_no_larger_than_other_writing() -> None:
    heights = np.array([autograph(np.random.default_rng(seed), STOCK).shape[0] for seed in range(120)]) / PX_PER_MM
    assert 0.1 < (heights < 9).mean() < 0.6
    assert (heights > 14).mean() > 0.2, "others swing as before"
