"""Scans and the files they are saved as."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.synthesis.scans import Format, Manner, save, scan
from pipeline.geometry import Box
from pipeline.pages import Limits, render

PAPER = np.full((800, 600, 3), 255, np.uint8)


def manner(**changed: object) -> Manner:
    usual: dict[str, object] = {
        "dpi": 150, "colour": False, "quality": 80, "brightness": 0.0, "contrast": 1.0, "noise": 2.0, "blur": 0.02,
    }  # fmt: skip
    return Manner(**{**usual, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("dpi", [150, 300])
def test_a_box_is_found_again_on_the_scan(dpi: int, colour: bool) -> None:
    paper = PAPER.copy()
    cv2.rectangle(paper, (200, 300), (299, 349), (0, 0, 0), -1)
    for seed in range(5):
        scanned = scan(paper, manner(dpi=dpi, colour=colour), np.random.default_rng(seed))
        grey = scanned.image if not colour else scanned.image.min(axis=2)
        assert abs(grey.shape[0] / 800 - dpi / 200) < 0.01
        rows, columns = np.nonzero(grey < 100)
        box = scanned.box(Box(200 / 600, 300 / 800, 300 / 600, 350 / 800))
        ends = columns.min() / grey.shape[1], rows.min() / grey.shape[0], columns.max() / grey.shape[1]
        assert np.allclose(ends, (box.x0, box.y0, box.x1), atol=0.012)


@pytest.mark.parametrize(("format_", "count"), [("pdf", 3), ("tiff", 3), ("jpeg", 1)])
def test_files_are_read_as_they_were_written(tmp_path: Path, format_: Format, count: int) -> None:
    how = manner(colour=format_ == "pdf")
    pages = [scan(PAPER, how, np.random.default_rng(seed)) for seed in range(count)]
    for name in ("one", "two"):
        save(tmp_path / name, pages, how, format_)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    shown = list(render(tmp_path / "one", Limits(dpi=150)))
    assert len(shown) == count
    assert all(abs(page.image.shape[0] - 600) <= 2 and abs(page.dpi - 150) < 3 for page in shown)


def test_a_jpeg_of_several_pages_is_refused(tmp_path: Path) -> None:
    page = scan(PAPER, manner(), np.random.default_rng(0))
    with pytest.raises(ValueError, match="one page, not 2"):
        save(tmp_path / "two.jpg", [page, page], manner(), "jpeg")


def test_noise_and_brightness_are_those_asked_for() -> None:
    flat = np.full((400, 400, 3), 128, np.uint8)
    calm = scan(flat, manner(noise=0.0), np.random.default_rng(1)).image[80:220, 80:220]
    loud = scan(flat, manner(noise=5.0), np.random.default_rng(1)).image[80:220, 80:220]
    dull = scan(flat, manner(noise=0.0, brightness=-14.0), np.random.default_rng(1)).image[80:220, 80:220]
    assert calm.std() < 1 < 3 < loud.std() < 7
    assert calm.mean() - dull.mean() == pytest.approx(14, abs=1)
