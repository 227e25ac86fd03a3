"""Forms that nobody registered: signed where they say so and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from models.synthesis.faces import plain
from models.synthesis.leaf import HANDWRITING, SIGNATURE
from models.synthesis.letters import spread

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_signed_form_bears_a_signature_and_an_unsigned_one_none(seed: int) -> None:
    signed, bare = (
        spread(np.random.default_rng(seed), plain("test"), kind="form", signed=one) for one in (True, False)
    )
    assert signed.signatures and signed.layers[SIGNATURE].max() > 100
    assert not bare.signatures and not bare.layers[SIGNATURE].any()


def test_forms_are_signed_at_their_foot_and_elsewhere() -> None:
    pages = [spread(np.random.default_rng(seed), plain("test"), kind="form", signed=True) for seed in SEEDS]
    middles = [(box.y0 + box.y1) / 2 for page in pages for box in page.signatures]
    assert min(middles) < 0.5 < max(middles)
    heights = [box.height * page.image.shape[0] / 150 * 25.4 for page in pages for box in page.signatures]
    assert min(heights) < 6 and np.median(heights) < 20


def test_what_is_written_into_fields_is_no_signature() -> None:
    pages = [spread(np.random.default_rng(seed), plain("test"), kind="form", signed=False) for seed in SEEDS]
    assert sum(bool(page.layers[HANDWRITING].any()) for page in pages) > len(pages) / 3


def test_a_place_to_sign_is_named_in_print() -> None:
    page = spread(np.random.default_rng(2), plain("test"), kind="form", signed=True)
    words = " ".join(text for text, _box in page.words).lower()
    assert any(word in words for word in ("sign", "by", "holder", "applicant", "manager", "director", "initials"))
