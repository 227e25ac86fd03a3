"""Combs are found in cuts however faint, and dates on lines are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline import comb
from pipeline.reading import Pixels

#: A field in the middle of a cut, and how wide a box of it is.
INNER: comb.Area = (40, 30, 360, 80)
LEFT, TOP, RIGHT, BOTTOM = INNER
STEP = 40

DATE = (8, 6)


def paper(grey: int = 235, noise: float = 0.0, seed: int = 0) -> Pixels:
    rough = np.random.default_rng(seed).normal(grey, noise, (110, 400)) if noise else np.full((110, 400), float(grey))
    return np.asarray(np.clip(rough, 0, 255), np.uint8)


def boxes(image: Pixels, dark: int, apart: int = 0, thick: int = 1) -> Pixels:
    for place in range(8):
        left = LEFT + place * STEP
        cv2.rectangle(image, (left + apart, TOP), (left + STEP - apart, BOTTOM), dark, thick)
    return image


def written(image: Pixels, text: str = "11171914", dark: int = 40) -> Pixels:
    for place, letter in enumerate(text):
        at = LEFT + place * STEP + 10, BOTTOM - 12
        cv2.putText(image, letter, at, cv2.FONT_HERSHEY_SIMPLEX, 1.0, dark, 2, cv2.LINE_AA)
    return image


def stands(found: comb.Comb | None, cells: int = 8) -> bool:
    """Whether it is that comb, in its place."""
    if found is None or found.cells != cells or not found.even:
        return False
    left, top, right, bottom = found.area
    return max(abs(left - LEFT), abs(right - RIGHT)) <= 4 and abs(top - TOP) <= 6 and abs(bottom - BOTTOM) <= 6


def test_a_comb_is_found_where_it_stands() -> None:
    assert stands(comb.find(written(boxes(paper(), 90)), INNER, DATE))


@pytest.mark.parametrize("apart", [0, 2, 4])
def test_faint_boxes_on_a_noisy_scan_are_found(apart: int) -> None:
    # Fourteen grey levels, where the paper varies by five: none of the lines can be told by itself.
    found = [comb.find(written(boxes(paper(noise=5, seed=seed), 221, apart)), INNER, DATE) for seed in range(6)]
    assert sum(stands(one) for one in found) >= 5


@pytest.mark.parametrize("gap", [10, 22, 34])
def test_groups_of_faint_boxes_are_found_and_are_not_even(gap: int) -> None:
    for seed in range(4):
        image = np.full((110, 480), 0, np.uint8)
        image[:] = np.clip(np.random.default_rng(seed).normal(235, 4, image.shape), 0, 255)
        left = LEFT
        for place in range(8):
            cv2.rectangle(image, (left, TOP), (left + STEP, BOTTOM), 215, 1)
            cv2.putText(image, "7", (left + 10, BOTTOM - 12), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 40, 2, cv2.LINE_AA)
            left += STEP + (gap if place in (1, 3) else 0)
        found = comb.find(image, (LEFT, TOP, left, BOTTOM), DATE)
        assert found is not None and found.cells == 8 and not found.even
        assert abs(found.area[0] - LEFT) <= 5 and abs(found.area[2] - left) <= 5
        middles = [LEFT + (place + 0.5) * STEP + gap * ((place > 1) + (place > 3)) for place in range(8)]
        assert found.middles == pytest.approx(middles, abs=4)


def test_ticks_between_digits_are_a_comb_as_high_as_its_field() -> None:
    image = written(paper())
    for place in range(9):
        x = LEFT + place * STEP
        cv2.line(image, (x, BOTTOM - 20), (x, BOTTOM), 120, 1)
    assert stands(comb.find(image, INNER, DATE)), "what is written stands out above the ticks"


def test_dashes_under_digits_are_a_comb() -> None:
    image = paper()
    for place in range(8):
        cv2.line(image, (LEFT + place * STEP + 4, BOTTOM - 6), (LEFT + (place + 1) * STEP - 4, BOTTOM - 6), 90, 2)
    assert stands(comb.find(written(image), INNER, DATE))


def test_as_many_boxes_as_may_be_there() -> None:
    image = written(boxes(paper(), 150))
    assert stands(comb.find(image, INNER, range(4, 21))), "half as many or twice as many fit worse"


def test_a_comb_is_found_however_fine_the_scan_is() -> None:
    fine = cv2.resize(written(boxes(paper(noise=4), 200)), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    found = comb.find(fine, tuple(4 * one for one in INNER), range(4, 21))  # type: ignore[arg-type]
    assert found is not None and found.cells == 8
    assert found.area == pytest.approx(tuple(4 * one for one in INNER), abs=16)


def test_one_line_may_be_missing_and_no_more() -> None:
    image = boxes(paper(), 200)
    image[:, LEFT + 3 * STEP - 2 : LEFT + 3 * STEP + 3] = 235
    assert stands(comb.find(image.copy(), INNER, (8,)))
    for gone in (1, 5, 6):
        image[:, LEFT + gone * STEP - 2 : LEFT + gone * STEP + 3] = 235
    assert comb.find(image, INNER, (8,)) is None


@pytest.mark.parametrize("ground", ["bare", "rule", "dots", "frame"])
def test_a_date_on_a_line_is_no_comb(ground: str) -> None:
    for seed, text in enumerate(("11/11/11", "14.7.1971", "1 Nov 11", "24-12-17")):
        image = paper(noise=3, seed=seed)
        if ground == "rule":
            cv2.line(image, (LEFT, BOTTOM - 6), (RIGHT, BOTTOM - 6), 90, 2)
        if ground == "dots":
            for x in range(LEFT, RIGHT, 7):
                cv2.circle(image, (x, BOTTOM - 6), 1, 60, -1)
        if ground == "frame":
            cv2.rectangle(image, (LEFT, TOP), (RIGHT, BOTTOM), 60, 2)
        at = (LEFT + 20, BOTTOM - 12)
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 40, 2, cv2.LINE_AA)
        assert comb.find(image, INNER, DATE) is None, text


def test_an_empty_cut_has_none() -> None:
    assert comb.find(paper(noise=6), INNER, DATE) is None
    assert comb.find(paper()[:12, :30], (2, 2, 28, 10), DATE) is None
