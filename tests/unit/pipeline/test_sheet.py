"""Pages are laid on blanks to within a third of a millimetre, and print that isn't there is said not to be."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.sheet import (
    FOUND,
    PX_PER_MM,
    Fit,
    Sheet,
    clear_matches,
    darkness,
    features,
    likeness,
    moved,
    resized,
    seek,
    work_image,
    zoom,
)
from tests.unit.pipeline.paper import Scan, blank_of, filled, make_type, scan

A5 = {"width_mm": 148.0, "height_mm": 210.0}


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Sheet:
    return Sheet(make_type(tmp_path_factory.mktemp("types"), 3, **A5), 1)


def laid(sheet: Sheet, scanned: Scan) -> Fit:
    work, _to_page = work_image(scanned.page.image, scanned.page.dpi)
    matrix, inliers = sheet.match(features(work))
    assert matrix is not None
    return sheet.fit(work, matrix, inliers)


def misses_mm(sheet: Sheet, scanned: Scan, fit: Fit) -> np.ndarray:
    """How far places all over the blank are put from where they are."""
    _work, to_page = work_image(scanned.page.image, scanned.page.dpi)
    spots = np.stack(np.meshgrid(np.linspace(60, 500, 7), np.linspace(60, 760, 9)), -1).reshape(-1, 2)
    found = moved(moved(spots + fit.near_all(spots), fit.matrix), to_page)
    there = moved(moved(spots, np.linalg.inv(sheet.to_work)), scanned.truth)
    return np.asarray(np.hypot(*(found - there).T) / scanned.page.dpi * 25.4)


@pytest.mark.parametrize(
    "manner",
    [
        {"dpi": 150, "skew": 5.0},
        {"dpi": 200, "skew": -5.0, "turn": 1},
        {"dpi": 300, "skew": 2.0, "turn": 2, "noise": 12.0},
        {"dpi": 200, "bilevel": True, "turn": 3},
        {"dpi": 200, "margin": -0.06},
        {"dpi": 200, "perspective": 0.06},
        {"dpi": 150, "scale": 1.03, "jpeg": 30},
    ],
)
def test_a_filled_page_is_laid_on_its_blank(sheet: Sheet, manner: dict[str, float]) -> None:
    scanned = scan(filled(sheet.doctype, 1), 1, **manner)
    fit = laid(sheet, scanned)
    assert fit.share > 0.6
    assert np.percentile(misses_mm(sheet, scanned, fit), 95) < 0.35


def test_an_uneven_pull_is_met_by_the_print_around_each_place(sheet: Sheet) -> None:
    scanned = scan(filled(sheet.doctype, 2), 2, bend=0.8)
    fit = laid(sheet, scanned)
    pulled = np.hypot(*fit.offsets[fit.held].T)
    assert pulled.max() > 0.3 * PX_PER_MM, "no one map explains it"
    spots = fit.places[fit.held]
    left = np.hypot(*(fit.offsets[fit.held] - fit.near_all(spots)).T)
    assert np.sqrt((left**2).mean()) < 0.6 * np.sqrt((pulled**2).mean())


def test_another_forms_page_does_not_hold(sheet: Sheet, tmp_path: Path) -> None:
    other = make_type(tmp_path, 4, **A5)
    page = scan(blank_of(other), 1).page
    matrix, inliers = sheet.match(features(work_image(page.image, page.dpi)[0]))
    assert inliers < 24
    if matrix is not None:
        assert sheet.fit(work_image(page.image, page.dpi)[0], matrix, inliers).share < 0.3


def test_an_empty_page_matches_nothing(sheet: Sheet) -> None:
    found = features(np.full((800, 600), 255, np.uint8))
    assert len(found.points) == 0
    assert sheet.match(found) == (None, 0)


def test_patches_lie_where_nobody_writes(sheet: Sheet) -> None:
    written = sheet.written[sheet.places[:, 1], sheet.places[:, 0]]
    assert len(sheet.places) > 20
    assert written.mean() < 0.4
    x0, y0, x1, y1 = sheet.doctype.fields[-1].where.pixels(sheet.width, sheet.height)
    assert sheet.written[(y0 + y1) // 2, (x0 + x1) // 2]
    assert sheet.written[y0 - 8, (x0 + x1) // 2], "half of a patch above a field is in it"


def test_seek_finds_a_patch_to_a_fraction_of_a_pixel() -> None:
    rng = np.random.default_rng(0)
    blank = resized(rng.integers(0, 256, (30, 30), dtype=np.uint8), 120, 120)
    shift = np.array([[1, 0, 2.4], [0, 1, -3.3], [0, 0, 1.0]])
    page = np.asarray(cv2.warpPerspective(blank, shift, (120, 120), borderMode=cv2.BORDER_REFLECT), np.uint8)
    offset, score = seek(page, blank, 60, 60)
    assert offset == pytest.approx((2.4, -3.3), abs=0.15)
    assert score > 0.95
    assert seek(np.full_like(page, 255), blank, 60, 60)[1] < FOUND
    assert seek(page, blank, 119, 119, half=60)[1] < 1.01, "a patch that leaves the page is no error"


def test_zoom_maps_pixel_centres() -> None:
    # The first pixel of an image twice as large has its centre a quarter of an old pixel further out.
    assert moved(np.array([[0.0, 0.0]]), zoom(2, 2))[0] == pytest.approx((0.5, 0.5))
    assert moved(moved(np.array([[3.0, 7.0]]), zoom(2, 3)), zoom(1 / 2, 1 / 3))[0] == pytest.approx((3, 7))


@pytest.mark.parametrize(("dpi", "height"), [(100, 1169), (200, 1169), (30, 1660), (1200, 580)])
def test_the_work_image_stays_a_page_whatever_the_resolution_claims(dpi: float, height: int) -> None:
    image = np.full((round(11.69 * 200), 1654), 255, np.uint8)
    work, to_page = work_image(image if dpi != 100 else image[::2, ::2], dpi)
    assert work.shape[0] == pytest.approx(height, abs=2)
    corner = moved(np.array([[work.shape[1] - 0.5, work.shape[0] - 0.5]]), to_page)[0]
    assert corner == pytest.approx((1653.5, 2337.5) if dpi != 100 else (826.5, 1168.5), abs=2)


def test_darkness_sees_ink_but_no_shadow() -> None:
    paper = np.tile(np.linspace(120, 250, 400).astype(np.uint8), (300, 1))
    paper[100:104, 50:350] -= 60
    dark = darkness(paper)
    assert dark[102, 60:340].min() > 50
    assert np.median(dark[200:250]) < 20


def test_only_clear_matches_count() -> None:
    one = np.eye(3, dtype=np.float32)
    other = np.array([[1, 0, 0], [0, 0.8, 0.6], [0, 0.8, -0.6]], np.float32)
    rows, columns = clear_matches(likeness(one, other))
    # The second is as like the second as the third: nobody knows which.
    assert (0, 0) in zip(rows.tolist(), columns.tolist(), strict=True)
    assert 1 not in rows
