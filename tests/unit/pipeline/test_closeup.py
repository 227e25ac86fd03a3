"""What is written on a line is shown from near, whatever size it has; what fills its cut, or boxes, as it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline import closeup
from pipeline.reading import STRINGS, Pixels, QuestionKind

HEIGHT, WIDTH = 104, 640


def line(
    text: str = "12/08/2013", size: float = 0.9, ink: int = 40, rule: int = 60, at: tuple[int, int] = (60, 62)
) -> Pixels:
    """A field 8 mm high, cut with its margins, something written in the middle of it and a printed line at its foot."""
    image = np.full((HEIGHT, WIDTH), 230, np.uint8)
    cv2.line(image, (16, 88), (WIDTH - 16, 88), rule, 3)
    if text:
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, ink, 2, cv2.LINE_AA)
    return image


def written(image: Pixels) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(image[:84] < 200)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_what_is_written_fills_what_is_seen() -> None:
    image = line()
    x0, y0, x1, y1 = written(image)
    part = closeup.area(image)
    assert part is not None
    left, top, right, bottom = part
    assert left < x0 and top < y0 and right > x1 and bottom > y1, "all of it, with room around it"
    assert (y1 - y0) / (bottom - top) == pytest.approx(1 / 1.56, abs=0.06)
    assert right - left < 0.5 * WIDTH


def test_faint_ink_on_a_dark_line_is_seen_whole() -> None:
    image = line(ink=188, rule=5)
    x0, y0, x1, y1 = written(image)
    part = closeup.area(image)
    assert part is not None
    assert part[0] < x0 and part[1] < y0 and part[2] > x1 and part[3] > y1


def test_a_dash_is_not_blown_up() -> None:
    image = line("")
    image[50:55, 280:340] = 30
    part = closeup.area(image)
    assert part is not None
    assert part[3] - part[1] == pytest.approx(closeup.LEAST_SHARE * HEIGHT, abs=2)


def test_nothing_written_is_seen_whole() -> None:
    assert closeup.area(line("")) is None
    assert closeup.area(np.full((HEIGHT, WIDTH), 255, np.uint8)) is None


def test_writing_that_fills_its_field_is_seen_whole() -> None:
    assert closeup.area(line("1208201312", 2.8, at=(30, 80))) is None
    assert closeup.area(line("1208201312", 1.6, at=(30, 70))) is not None


def test_writing_at_the_edge_stays_inside_the_cut() -> None:
    part = closeup.area(line(at=(18, 40)))
    assert part is not None
    assert part[0] >= 0 and part[1] >= 0


@pytest.mark.parametrize("kind", STRINGS)
def test_strings_on_lines_are_seen_from_near(kind: QuestionKind) -> None:
    image = line()
    seen, whole = closeup.views(image, kind, None)
    assert whole is image
    assert seen.shape[0] < HEIGHT
    left, top, right, bottom = closeup.area(image) or (0, 0, 0, 0)
    assert (seen == image[top:bottom, left:right]).all()


@pytest.mark.parametrize(("kind", "cells"), [(QuestionKind.DATE, 8), (QuestionKind.SIGNATURE, None)])
def test_all_else_is_seen_whole(kind: QuestionKind, cells: int | None) -> None:
    image = line()
    seen, whole = closeup.views(image, kind, cells)
    assert seen is image
    assert whole is None
