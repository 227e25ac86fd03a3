"""A string is read column by column."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.checkpoint import COLUMNS, bundled, digest
from models.columns import CLASSES, NUMBER, ROWS, Chances, ColumnNet, ColumnReader, best, likelihoods, limited
from models.halves import save
from models.reader import load_reader

PAPER = np.full((48, 384), 240, np.uint8)


def said(*columns: str | dict[str, float]) -> Chances:
    """What each column shows: a character, nothing (`""`), or the chance of each."""
    rows = []
    for one in columns:
        known = {one: 0.95} if isinstance(one, str) else one
        rest = (1 - sum(known.values())) / (len(CLASSES) - len(known))
        rows.append([known.get(name, rest) for name in CLASSES])
    return np.log(np.array(rows, np.float32))


def test_a_character_over_several_columns_is_one_and_with_nothing_between_two() -> None:
    assert best(said("", "1", "1", "", "1", "2", "", "2", "2")) == "1122"
    assert best(said("", "", "")) == ""
    assert best(said("1", " ", "", "2", " ")) == "1 2", "no space is left at its end"


def test_a_string_is_as_likely_as_all_its_ways_together() -> None:
    half = {"": 0.25, "7": 0.75 - 1e-6}
    (seven, twice, other) = likelihoods(said(half, half), ["7", "77", "8"])
    assert np.exp(seven) == pytest.approx(1 - 0.25**2, abs=1e-3), "in one column or both"
    assert np.exp(twice) == pytest.approx(0), "two columns have no room for nothing between them"
    assert other < seven - 5
    (apart,) = likelihoods(said("7", "", "7"), ["77"])
    assert np.exp(apart) == pytest.approx(0.95**3, rel=1e-3)
    with pytest.raises(KeyError):
        likelihoods(said("7"), ["₹"])


def test_letters_that_may_not_stand_there_are_not_seen() -> None:
    chances = said({"O": 0.7, "0": 0.2, "": 0.05}, {"": 0.9})
    assert best(chances) == "O" and best(limited(chances, "0123456789")) == "0"
    digits = limited(chances, "0123456789")
    assert np.allclose(np.exp(digits.astype(float)).sum(axis=1), 1, atol=1e-5)
    assert digits[0, NUMBER["O"]] < -20
    assert limited(chances, None) is chances


def test_a_picture_becomes_columns_of_four_pixels() -> None:
    torch.manual_seed(0)
    net = ColumnNet().eval()
    with torch.inference_mode():
        seen = net.seen(torch.zeros(1, 1, 48, 384))
    assert seen.shape[2:] == (ROWS, 96)
    chances = ColumnReader(net).chances(PAPER[:30, :200])
    assert chances.shape == (96, len(CLASSES)) and np.allclose(np.exp(chances).sum(axis=1), 1, atol=1e-4)


def test_a_reader_stands_beside_a_checkpoint_or_not(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    assert ColumnReader.beside(tmp_path) is None
    before = digest(tmp_path)
    save(ColumnNet(), tmp_path / COLUMNS)
    assert ColumnReader.beside(tmp_path) is not None and digest(tmp_path) != before, "it is part of the version"


def test_a_broken_reader_is_named(tmp_path: Path) -> None:
    shutil.copytree(bundled(), tmp_path, dirs_exist_ok=True)
    (tmp_path / COLUMNS).write_bytes(b"no weights at all")
    with pytest.raises(ValueError, match=r"columns\.safetensors is damaged or no reader of columns; copy it again"):
        load_reader(tmp_path)
    save_file({"said.bias": torch.zeros(3)}, tmp_path / COLUMNS)
    with pytest.raises(ValueError, match=r"columns\.safetensors is damaged"):
        load_reader(tmp_path)
