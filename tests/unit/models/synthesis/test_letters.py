"""Pages of free layout: the same for the same seed, signed or not, with every ink in its place."""

from __future__ import annotations

import numpy as np
import pytest

from models.synthesis.faces import plain
from models.synthesis.leaf import HANDWRITING, PRINT, SIGNATURE
from models.synthesis.letters import KINDS, Kind, spread
from models.training.spotting import labels, tiles
from pipeline.patches import PATCH, ink_of


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_page_is_the_same_for_the_same_seed(kind: Kind) -> None:
    one, other = (spread(np.random.default_rng(3), plain("test"), kind=kind, signed=True) for _ in range(2))
    assert np.array_equal(one.image, other.image)
    assert one.signatures == other.signatures and one.signatures
    assert one.layers[SIGNATURE].max() > 200


def test_an_unsigned_page_has_no_signature() -> None:
    page = spread(np.random.default_rng(4), plain("test"), kind="letter", signed=False)
    assert page.signatures == () and not page.layers[SIGNATURE].any()


def test_boxes_lie_around_the_ink() -> None:
    page = spread(np.random.default_rng(5), plain("test"), kind="letter", signed=True)
    ink, (height, width) = page.layers[SIGNATURE], page.image.shape
    outside = ink.copy()
    for box in page.signatures:
        x0, y0, x1, y1 = box.pixels(width, height)
        outside[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2] = 0
    assert not (outside > 100).any()


def test_a_patch_is_what_its_ink_is_and_nothing_where_none_is_seen() -> None:
    layers = {kind: np.zeros((64, 64), np.uint8) for kind in (PRINT, HANDWRITING, SIGNATURE)}
    layers[PRINT][:, :40] = 255
    layers[HANDWRITING][:, 16:24] = 255
    layers[SIGNATURE][:, 32:40] = 255
    ink = np.full((64, 64), 255, np.uint8)
    ink[32:] = 0
    kinds = labels(layers, ink)
    assert kinds.shape == (64 // PATCH, 64 // PATCH)
    assert kinds[0].tolist() == [PRINT, PRINT, HANDWRITING, PRINT, SIGNATURE, 0, PRINT, PRINT]
    assert not kinds[6:].any()


def test_tiles_are_cut_with_their_labels() -> None:
    rng = np.random.default_rng(6)
    page = spread(rng, plain("train"), kind="letter", signed=True)
    pictures, answers = tiles(rng, page)
    assert pictures and all(one.shape == (256, 256) for one in pictures)
    assert all(one.shape == (32, 32) for one in answers)
    assert any((one == SIGNATURE).any() for one in answers)
    assert ink_of(page.image, 150.0).max() == 255
