"""Manners: boxes stay on the ink, files say what such files say, and scans are what they were."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from models.synthesis.documents import Label, Studio
from models.synthesis.manners import MANNERS, MIX, chosen, mixed
from models.synthesis.scans import Manner
from pipeline.doctypes.load import builtin
from pipeline.geometry import Box
from pipeline.pages import Limits, render
from pipeline.sheet import darkness

ON = date(2026, 3, 20)
#: Of one page, so that it may be a photograph.
SLIP = next(one for one in builtin() if len(one.pages) == 1)
SCANNER = Manner(dpi=200, colour=True, quality=80, brightness=0.0, contrast=1.0, noise=1.0, blur=0.02)


def drawn(folder: Path, manner: str, number: int = 5) -> Label:
    return Studio.opened(3, [SLIP], on=ON, ways=mixed((manner,))).draw(folder, number, 0.0)


@pytest.mark.parametrize("manner", list(MANNERS))
def test_ink_is_where_labels_say(manner: str, tmp_path: Path) -> None:
    label = drawn(tmp_path, manner)
    assert label.manner == manner
    pages = {page.number: page for page in render(tmp_path / label.path, Limits(dpi=150))}
    signatures = [one for one in label.fields if one.kind == "signature"]
    signed, bare = (
        [_ink(pages[one.page].image, one.box) for one in signatures if (one.value is None) is empty]
        for empty in (False, True)
    )
    assert signed and min(signed) > 3 * max([0.001, *bare])


def _ink(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], box: Box) -> float:
    height, width = image.shape
    x0, y0, x1, y1 = box.pixels(width, height)
    high, wide = (y1 - y0) // 5, (x1 - x0) // 10
    return float((darkness(image)[y0 + high : y1 - high, x0 + wide : x1 - wide] > 60).mean())


@pytest.mark.parametrize("manner", [name for name in MANNERS if MANNERS[name].seen is not MANNERS["scan"].seen])
def test_a_box_is_found_again_through_another_eye(manner: str) -> None:
    paper = np.full((3508, 2480, 3), 255, np.uint8)
    cv2.rectangle(paper, (1000, 1500), (1399, 1699), (0, 0, 0), -1)
    for seed in range(4):
        seen = MANNERS[manner].seen(paper, SCANNER, np.random.default_rng(seed))
        grey = seen.image if seen.image.ndim == 2 else seen.image.max(axis=2)
        box = seen.box(Box(1000 / 2480, 1500 / 3508, 1400 / 2480, 1700 / 3508))
        x0, y0, x1, y1 = box.pixels(grey.shape[1], grey.shape[0])
        inside = grey[y0 : y1 + 1, x0 : x1 + 1]
        # A box around a sheet that lies aslant holds a little paper too.
        assert (inside < 100).mean() > 0.75
        outside = grey[y0 - 60 : y1 + 60, x0 - 60 : x1 + 60].copy()
        outside[60 - 6 : -60 + 6, 60 - 6 : -60 + 6] = 255
        assert (outside < 60).mean() < 0.01


def test_a_fax_is_black_and_white_with_dots_that_are_not_square(tmp_path: Path) -> None:
    label = next(one for one in (drawn(tmp_path, "fax", number) for number in range(9)) if one.path.endswith(".tif"))
    with Image.open(tmp_path / label.path) as image:
        assert image.mode == "1"
        assert [round(float(one)) for one in image.info["dpi"]] == [204, 196]


def test_a_photograph_says_nothing_of_its_resolution(tmp_path: Path) -> None:
    labels = [drawn(tmp_path, "photograph", number) for number in range(9)]
    jpegs = [one for one in labels if one.path.endswith(".jpg")]
    assert jpegs
    with Image.open(tmp_path / jpegs[0].path) as image:
        assert "dpi" not in image.info


def test_scans_are_the_same_bytes_as_without_manners(tmp_path: Path) -> None:
    usual = Studio.opened(3, None, on=ON).draw(tmp_path, 5, 0.5)
    bytes_ = (tmp_path / usual.path).read_bytes()
    assert Studio.opened(3, None, on=ON, ways={"scan": 1.0}).draw(tmp_path, 5, 0.5) == usual
    assert (tmp_path / usual.path).read_bytes() == bytes_


def test_a_correction_leaves_the_label(tmp_path: Path) -> None:
    usual = Studio.opened(3, [SLIP], on=ON).draw(tmp_path, 5, 0.0)
    (tmp_path / "corrected").mkdir()
    corrected = drawn(tmp_path / "corrected", "correction")
    assert [(one.name, one.value) for one in corrected.fields] == [(one.name, one.value) for one in usual.fields]


def test_every_manner_has_its_share() -> None:
    assert set(MIX) == set(MANNERS) and abs(sum(MIX.values()) - 1) < 1e-9
    rng = np.random.default_rng(1)
    assert {chosen(MIX, rng) for _ in range(400)} == set(MANNERS)
    assert mixed(("fax", "fold")) == {"fold": 0.1 / 0.18, "fax": 0.08 / 0.18}


@pytest.mark.parametrize("names", [(), ("scan", "telex")])
def test_unknown_manners_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="manners are scan, photograph"):
        mixed(names)
