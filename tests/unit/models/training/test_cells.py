"""Boxes are drawn with the letters that stand in them, and a reader learns from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.cells import CLASSES, SIDE, CellNet, CellReader
from models.checkpoint import CELLS, bundled
from models.halves import weights
from models.synthesis.faces import plain
from models.training import cells
from models.training.forms import evidence_of
from pipeline.reading import Pixels, Row

STOCK = plain("train")


def drawn(count: int, first: int = 0) -> list[tuple[Pixels, Row, str]]:
    every = (cells.field(np.random.default_rng([1, seed]), STOCK) for seed in range(first, first + count))
    return [one for one in every if one is not None]


def test_a_field_is_cut_with_its_row_and_its_letters() -> None:
    found = drawn(60)
    assert len(found) > 40
    texts = [text for _, _, text in found]
    assert all(len(text) <= row.cells for _, row, text in found)
    assert any(len(text) < row.cells for _, row, text in found), "boxes are left over"
    assert "" in texts and len({letter for text in texts for letter in text}) > 30, "any letter is learned"
    assert all(image.shape[0] <= 48 and image.shape[1] <= 384 for image, _, _ in found)


def test_each_cut_of_a_field_shows_the_same_letters() -> None:
    image, row, text = next(one for one in drawn(20) if one[2])
    pictures, classes = cells.shown(np.random.default_rng(0), image, row, text)
    assert pictures.shape == (cells.CUTS * row.cells, SIDE, SIDE)
    said = "".join(CLASSES[number] for number in classes)
    assert said == text * cells.CUTS
    first, second = np.split(pictures, 2)
    assert not np.array_equal(first, second), "they miss the boxes each in its own way"


def test_a_shard_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "FIELDS", 6)
    cells.draw(tmp_path, 0, STOCK)
    (file,) = tmp_path.glob("*")
    before = file.stat().st_mtime_ns
    with np.load(file) as data:
        assert len(data["pictures"]) == len(data["classes"]) > 20
    cells.draw(tmp_path, 0, STOCK)
    assert [one.stat().st_mtime_ns for one in tmp_path.glob("*")] == [before]


def test_every_third_shard_is_of_whole_forms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cells, "FORMS", 1)
    cells.draw(tmp_path, cells.EVERY - 1, STOCK)
    with np.load(tmp_path / f"{cells.EVERY - 1:05d}.npz") as data:
        assert len(data["pictures"]) % cells.CUTS == 0 and len(data["classes"]) > 8


def test_a_reader_learns_what_is_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cells, "FIELDS", 200)
    cells.draw(tmp_path, 0, STOCK)
    monkeypatch.setattr(cells, "BATCH", 48)
    cells.train(tmp_path, tmp_path / "half" / CELLS, 150)
    cells.train(tmp_path, tmp_path / "out" / CELLS, 150, start=tmp_path / "half" / CELLS)
    torch.manual_seed(1)
    fresh = drawn(30, 1000)
    half, learned = (right(CellReader.from_folder(tmp_path / one), fresh) for one in ("half", "out"))
    assert right(CellReader(CellNet()), fresh) + 0.1 < half < learned, "it goes on where it stopped"
    cells.mean_of([tmp_path / "half" / CELLS, tmp_path / "out" / CELLS], tmp_path / "mean" / CELLS)
    one, other, mean = (weights(tmp_path / where / CELLS)["named.weight"] for where in ("half", "out", "mean"))
    assert torch.allclose(mean, (one + other) / 2, atol=1e-3)
    assert right(CellReader.from_folder(tmp_path / "mean"), fresh) > half


def test_little_is_learned_from_too_and_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match="holds no shards to learn from; draw some first"):
        cells.train(tmp_path, tmp_path / CELLS, 1)
    monkeypatch.setattr(cells, "FIELDS", 3)
    cells.draw(tmp_path, 0, STOCK)
    with np.load(tmp_path / "00000.npz") as data:
        assert len(data["classes"]) < cells.BATCH
    cells.train(tmp_path, tmp_path / CELLS, 2)
    assert CellReader.beside(tmp_path) is not None


def right(reader: CellReader, fields: list[tuple[Pixels, Row, str]]) -> float:
    """The share of letters that are read rightly."""
    hits = []
    for image, row, text in fields:
        said = reader.chances(image, row)[:, 1:].argmax(1) + 1
        hits += [CLASSES[number] == letter for number, letter in zip(said, text, strict=False)]
    return float(np.mean(hits))


def test_the_one_that_ships_reads_boxes_on_forms() -> None:
    reader = CellReader.from_folder(bundled())
    forms = [one for one in evidence_of("test", 6, 900_001) if one.row is not None and one.answer[0][0] != "<"]
    hits = []
    for one in forms:
        assert one.row is not None and one.row.cells == one.cells
        said = reader.chances(one.cut, one.row)
        for letter, row in zip("".join(one.answer).strip(), said, strict=False):
            alike = [number for number, name in enumerate(CLASSES) if name and name.isdigit() == letter.isdigit()]
            hits.append(CLASSES[alike[int(row[alike].argmax())]] == letter)
    assert len(hits) > 200 and np.mean(hits) > 0.97
