"""A fault is named where a person couldn't judge the page either, and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.pages import Page
from pipeline.quality import assess
from pipeline.reading import Pixels
from tests.unit.pipeline.paper import draw, handwriting, scan


@pytest.fixture(scope="module")
def form() -> Pixels:
    image, _fields = draw(11, width_mm=148, height_mm=210)
    return handwriting(np.asarray(image), [(500, 300, 700, 340), (60, 900, 300, 960)], 1)


def page(image: Pixels, dpi: float = 200) -> Page:
    return Page(1, image, None, dpi)


@pytest.mark.parametrize(
    "manner",
    [
        {},
        {"dpi": 150},
        {"dpi": 300, "noise": 12.0},
        {"bilevel": True},
        {"skew": 5.0, "turn": 1},
        {"blur": 1.6},
        {"jpeg": 25},
        {"dpi": 100},
    ],
)
def test_usual_scans_have_no_fault(form: Pixels, manner: dict[str, float]) -> None:
    assert assess(scan(form, 1, **manner).page).faults == ()


def test_a_faint_but_legible_scan_has_no_fault(form: Pixels) -> None:
    faint = (255 - (255 - scan(form, 2).page.image.astype(np.float32)) * 0.4).astype(np.uint8)
    assert assess(page(faint)).faults == ()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda image: np.full_like(image, 250), "The page is blank, or its ink is too faint"),
        (lambda image: np.full_like(image, 4), "The page is black"),
        (lambda image: np.where(image > 300, 0, 20).astype(np.uint8), "The page is black"),
        (lambda image: (235 + image.astype(int) // 20).astype(np.uint8), "The page is blank, or its ink is too faint"),
        (lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 9), np.uint8), "too blurred to read"),
    ],
)
def test_what_nobody_can_judge(form: Pixels, spoil: object, sentence: str) -> None:
    faults = assess(page(spoil(scan(form, 3).page.image))).faults  # type: ignore[operator]
    assert len(faults) == 1 and sentence in faults[0], faults
    assert faults[0].endswith(".")


def backside(noise: float = 2.0) -> Pixels:
    """An A4 page of 200 dpi with a speck."""
    rng = np.random.default_rng(0)
    paper = np.clip(rng.normal(240, noise, (2339, 1654)), 0, 255).astype(np.uint8)
    paper[400:404, 300:304] = 0
    return paper


@pytest.mark.parametrize("noise", [0.0, 2.0, 8.0])
def test_a_backside_with_specks_is_blank(noise: float) -> None:
    paper = backside(noise)
    judged = assess(page(paper))
    assert len(judged.faults) == 1 and judged.blank
    # The shadow of the lid is no ink.
    paper[:, :12] = 90
    assert assess(page(paper)).blank


@pytest.mark.parametrize(
    ("box", "darkness"), [((300, 500, 460, 560), 200), ((300, 500, 800, 620), 40), ((900, 2200, 960, 2240), 120)]
)
def test_a_page_with_little_or_faint_ink_is_never_called_blank(box: tuple[int, int, int, int], darkness: int) -> None:
    pale = backside()
    scrawl = handwriting(np.full_like(pale, 255), [box], 3)
    pale[scrawl < 200] -= np.uint8(darkness)
    assert not assess(page(pale)).blank


def test_what_was_scanned_too_coarsely_is_never_called_blank() -> None:
    assert not assess(page(backside()[::3, ::3].copy(), 66.7)).blank


def test_too_coarse_a_scan(form: Pixels) -> None:
    coarse = scan(form, 4, dpi=72).page
    assert "only 72 dots an inch" in assess(coarse).faults[0]


@pytest.mark.parametrize("skew", [-5.0, -1.2, 0.0, 0.7, 4.5])
def test_skew_is_measured(form: Pixels, skew: float) -> None:
    assert assess(scan(form, 5, skew=skew).page).skew_degrees == pytest.approx(skew, abs=0.35)


def test_measures_mean_something_on_paper(form: Pixels) -> None:
    sharp, soft = assess(scan(form, 6, blur=0.3).page), assess(scan(form, 6, blur=3.0).page)
    assert 0.02 < sharp.blur < 0.2 < soft.blur
    assert sharp.contrast > 100
    assert 0.005 < sharp.coverage < 0.3
    finer = assess(scan(form, 6, dpi=300, blur=0.3).page)
    assert finer.coverage == pytest.approx(sharp.coverage, rel=0.3)
