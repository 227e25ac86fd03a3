"""The detector's shapes, on random weights, and its file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from models.halves import save
from models.spotting import DILATIONS, SCALES, WEIGHTS, Spotter, SpottingNet, grown, restored
from pipeline.marks import FEATURES


@pytest.mark.parametrize("shape", [(1169, 827), (64, 64), (33, 70)])
def test_every_patch_of_a_page_is_answered(shape: tuple[int, int]) -> None:
    ink = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    chances = Spotter.random().patches(ink)
    assert chances.shape == (-(-shape[0] // 8), -(-shape[1] // 8), 4)
    np.testing.assert_allclose(chances.sum(axis=2), 1, atol=1e-5)


def test_weights_survive_their_file(tmp_path: Path) -> None:
    net = SpottingNet()
    save(net, tmp_path / WEIGHTS)
    assert (tmp_path / WEIGHTS).stat().st_size < 2**21
    ink = np.random.default_rng(0).integers(0, 255, (96, 96), dtype=np.uint8)
    np.testing.assert_allclose(Spotter.from_folder(tmp_path).patches(ink), Spotter(net).patches(ink), atol=5e-3)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Spotter.from_folder(tmp_path)


def test_weights_of_fewer_blocks_are_read_and_grow_without_another_answer(tmp_path: Path) -> None:
    file = tmp_path / WEIGHTS
    save(SpottingNet(blocks=5), file)
    small = restored(file)
    larger = grown(small)
    assert (len(small.wide), len(larger.wide)) == (6, 1 + len(DILATIONS))
    ink = np.random.default_rng(1).integers(0, 255, (128, 96), dtype=np.uint8)
    before, after = Spotter(small).patches(ink), Spotter(larger).patches(ink)
    np.testing.assert_allclose(before, after, atol=1e-6)
    assert before.std() > 0.01


def test_weights_of_something_else_are_refused(tmp_path: Path) -> None:
    save(nn.Linear(2, 2), tmp_path / WEIGHTS)
    with pytest.raises(RuntimeError):
        Spotter.from_folder(tmp_path)


def test_what_older_weights_of_marks_do_not_know_counts_nothing(tmp_path: Path) -> None:
    save(SpottingNet(blocks=1), tmp_path / WEIGHTS)
    told = {"scales": {"weights": [0.5, 2.0], "bias": -1.0}, "features": ["mean", "model_mark"]}
    (tmp_path / SCALES).write_text(json.dumps(told), encoding="utf-8")
    scales = Spotter.from_folder(tmp_path).scales
    marked = dict.fromkeys(FEATURES, 1.0)
    assert scales.mark(list(marked.values())) == pytest.approx(1.5)
    assert scales.weights[FEATURES.index("model_mark")] == 2.0
