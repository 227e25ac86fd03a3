"""Comb boxes are cut where they stand, and read one by one."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.cells import CLASSES, SIDE, CellNet, CellReader, windows
from models.checkpoint import CELLS, bundled, digest
from models.halves import save
from models.reader import load_reader
from pipeline.evidence import between_margins
from pipeline.reading import Pixels, Row

COMB = Row(8, 0.05, 0.95)


def filled(text: str, row: Row, *, height: int = 60, width: int = 480) -> Pixels:
    """A comb with a letter in each box."""
    image = np.full((height, width), 240, np.uint8)
    step = (row.right - row.left) * width / row.cells
    for place, letter in enumerate(text):
        x = round(row.left * width + (place + 0.25) * step)
        cv2.putText(image, letter, (x, round(0.75 * height)), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 20, 2, cv2.LINE_AA)
    return image


def middle(picture: Pixels) -> float:
    """Where the ink of a picture stands, across, from 0 to 1."""
    columns = picture.astype(float).sum(axis=0)
    return float((columns * (np.arange(SIDE) + 0.5)).sum() / columns.sum() / SIDE)


def test_each_box_is_in_the_middle_of_its_window() -> None:
    found = windows(filled("00000000", COMB), COMB)
    assert found.shape == (8, SIDE, SIDE)
    assert all(abs(middle(one) - 0.5) < 0.06 for one in found)


def test_a_row_is_found_whatever_size_and_shape_the_cut_has() -> None:
    row = Row(16, 0.02, 0.98)
    usual = windows(filled("0 0 0 0 0 0 0 0", row, width=1200, height=90), row)
    small = windows(cv2.resize(filled("0 0 0 0 0 0 0 0", row, width=1200, height=90), (600, 45)), row)
    assert np.abs(usual.astype(float) - small).mean() < 12
    inked = [bool((one[:, 10:30] > 90).mean() > 0.02) for one in usual]
    assert inked == [place % 2 == 0 and place < 15 for place in range(16)]


def test_a_window_moves_and_widens_as_it_is_told() -> None:
    alone = filled("   0    ", COMB)
    assert middle(windows(alone, COMB, shift=0.2)[3]) < middle(windows(alone, COMB)[3]) - 0.08
    image = filled("00000000", COMB)
    wide, usual = ((windows(image, COMB, stretch=one)[3] > 120).any(axis=0).sum() for one in (1.3, 1.0))
    assert wide > usual, "a wider window sees more of the neighbours"


def test_boxes_in_groups_are_each_in_the_middle() -> None:
    image = filled("00 00 0000", Row(10, 0.05, 0.95))
    step = 0.9 / 10
    middles = tuple(0.05 + (place + 0.5) * step for place in (0, 1, 3, 4, 6, 7, 8, 9))
    found = windows(image, Row(8, 0.05, 0.95, middles))
    assert len(found) == 8 and all(abs(middle(one) - 0.5) < 0.06 for one in found)
    assert np.array_equal(found[0], windows(image, Row(10, 0.05, 0.95))[0]), "as wide as others"


def test_bare_paper_holds_no_ink() -> None:
    noise = np.random.default_rng(0).integers(236, 244, (60, 480)).astype(np.uint8)
    assert windows(noise, COMB).max() < 90


def test_margins_say_where_the_boxes_of_a_field_stand() -> None:
    row = between_margins(10)
    assert row is not None and row.cells == 10
    assert (row.left, row.right) == (0.025 / 1.05, 1.025 / 1.05)
    assert between_margins(None) is None


def test_a_reader_stands_beside_a_checkpoint_or_not(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    assert CellReader.beside(tmp_path) is None
    before = digest(tmp_path)
    torch.manual_seed(0)
    net = CellNet()
    save(net, tmp_path / CELLS)
    reader = CellReader.beside(tmp_path)
    assert reader is not None and digest(tmp_path) != before, "it is part of the version"
    chances = reader.chances(filled("12345678", COMB), COMB)
    assert chances.shape == (8, len(CLASSES))
    assert np.allclose(np.exp(chances).sum(axis=1), 1, atol=1e-4)


def test_a_broken_reader_is_named(tmp_path: Path) -> None:
    shutil.copytree(bundled(), tmp_path, dirs_exist_ok=True)
    (tmp_path / CELLS).write_bytes(b"no weights at all")
    with pytest.raises(ValueError, match=r"cells\.safetensors is damaged or no reader of boxes; copy it again"):
        load_reader(tmp_path)
    save_file({"named.bias": torch.zeros(3)}, tmp_path / CELLS)
    with pytest.raises(ValueError, match=r"cells\.safetensors is damaged"):
        load_reader(tmp_path)
