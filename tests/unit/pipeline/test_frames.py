"""Frames of rows of boxes on whole pages: found by their two long rules, whatever else is on the page."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.frames import frames
from pipeline.geometry import Box
from pipeline.pages import Page
from pipeline.reading import Pixels

#: A page at 200 dpi, and a row of eight boxes on it: 62 mm long, 7.6 mm high.
DPI, WIDTH, HEIGHT = 200.0, 1654, 900
ROW = (900, 120, 1388, 180)


def paper(shade: int = 245) -> Pixels:
    return np.full((HEIGHT, WIDTH), shade, np.uint8)


def boxes(page: Pixels, shade: int = 60, text: str = "15032016") -> None:
    x0, y0, x1, y1 = ROW
    step = (x1 - x0) // 8
    for place in range(8):
        cv2.rectangle(page, (x0 + place * step, y0), (x0 + (place + 1) * step, y1), shade, 2)
        if place < len(text):
            at = (x0 + place * step + 16, y1 - 12)
            cv2.putText(page, text[place], at, cv2.FONT_HERSHEY_SIMPLEX, 1.3, shade - 40, 3, cv2.LINE_AA)


def found(page: Pixels) -> list[Box]:
    return frames(Page(1, page, None, DPI))


def is_row(box: Box) -> bool:
    told = box.x0 * WIDTH, box.y0 * HEIGHT, box.x1 * WIDTH, box.y1 * HEIGHT
    return all(abs(a - b) < 9 for a, b in zip(told, ROW, strict=True))


@pytest.mark.parametrize("text", ["", "15032016"], ids=["empty", "filled"])
@pytest.mark.parametrize("shade", [60, 205], ids=["dark", "faint"])
def test_a_row_of_boxes_is_one_frame(text: str, shade: int) -> None:
    page = paper()
    boxes(page, shade, text)
    (one,) = found(page)
    assert is_row(one)


@pytest.mark.parametrize("degrees", [-1.2, 0.8])
def test_it_may_lean(degrees: float) -> None:
    page = paper()
    boxes(page)
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), degrees, 1.0)
    (one,) = found(np.asarray(cv2.warpAffine(page, turn, (WIDTH, HEIGHT), borderValue=245), np.uint8))
    assert 55 < one.width * WIDTH / DPI * 25.4 < 66


def test_it_stands_out_from_security_paper() -> None:
    page = paper()
    for wave in range(0, HEIGHT, 14):
        points = [(x, wave + round(9 * np.sin(x / 23))) for x in range(0, WIDTH, 6)]
        cv2.polylines(page, [np.array(points, np.int32)], False, 195, 2, cv2.LINE_AA)
    boxes(page, 40)
    assert any(is_row(one) for one in found(page))


def test_a_stroke_through_its_rule_leaves_it_whole() -> None:
    page = paper()
    boxes(page)
    x0, y0, x1, _y1 = ROW
    # Bleached where somebody corrected something.
    cv2.line(page, ((x0 + x1) // 2, y0 - 30), ((x0 + x1) // 2, y0 + 25), 245, 6)
    assert any(is_row(one) for one in found(page))


def test_lines_of_text_a_table_and_single_rules_are_no_frames() -> None:
    page = paper()
    for row in range(6):
        text = "the quick brown fox jumps over the lazy dog"
        cv2.putText(page, text, (100, 300 + 50 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 30, 2)
    cv2.line(page, (100, 650), (1500, 650), 30, 2)
    cv2.line(page, (100, 700), (600, 700), 30, 2)
    cv2.line(page, (900, 760), (1400, 760), 30, 2)
    assert found(page) == []
