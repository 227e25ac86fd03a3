"""What the tests of training share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.synthesis.evidence import make
from models.synthesis.faces import plain
from models.training.shards import packed, place


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One shard of few evidences, shown again and again."""
    folder = tmp_path_factory.mktemp("evidence")
    stock = plain("train")
    one = packed([make(seed, "train", "checkbox", using=stock) for seed in range(64)])
    np.savez(place(folder, 0), images=one.images, tokens=one.tokens, columns=one.columns)
    return folder
