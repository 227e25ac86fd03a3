"""Where on a blank somebody may write: the boxes and lines that its rules make.

All areas are in pixels of the blank, without the rules themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np

from pipeline.doctypes.rules import Mask, rules
from pipeline.doctypes.rules import mm as _mm
from pipeline.reading import Pixels

Area: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the blank."""

#: Shortest rule to write on (mm).
LINE_MM = 15.0

#: Sides of a box to tick, the largest box with a letter in it, and boxes to write in (mm).
TICK_MM, LETTER_MM, LEAST_MM = (2.0, 6.5), 10.0, (7.0, 4.5)

#: A box that is larger than this share of the page is a frame.
FRAME = 0.25

#: Height above a rule that one writes in, and the least that must be free (mm).
WRITING_MM, FREE_MM = 7.5, 4.0

#: Where less than that is free, but this (mm), people sign all the same, over the print, so high.
CROWDED_MM, SIGNED_MM = 1.5, 5.0

#: Shortest words that count as print in a place to write (mm).
PRINT_MM = 5.0

#: The strip along the top edge where nobody writes (mm).
EDGE_MM = 6.0


@dataclass(frozen=True, slots=True)
class Places:
    """Empty `boxes`; small ones with a letter in them, which the cells of a comb may have, as `letters`; `lines` as the
    space above a rule; `crowded` as the space above one where print leaves little room."""

    boxes: tuple[Area, ...]
    letters: tuple[Area, ...]
    lines: tuple[Area, ...]
    crowded: tuple[Area, ...]


def places(blank: Pixels) -> Places:
    """The places to write in on a blank of `BLANK_DPI`."""
    ink = np.where(blank < 190, 255, 0).astype(np.uint8)
    across, down = rules(blank)
    boxes, letters = _boxes(ink, across, down)
    lines, crowded = _lines(ink, across, down)
    return Places(tuple(boxes), tuple(letters), tuple(lines), tuple(crowded))


def _boxes(ink: Mask, across: Mask, down: Mask) -> tuple[list[Area], list[Area]]:
    """Rectangles that rules enclose, without the rules: empty ones, and small ones with a letter in them."""
    walls = cv2.dilate(cv2.bitwise_or(across, down), np.ones((3, 3), np.uint8))
    count, _labels, stats, _centres = cv2.connectedComponentsWithStats(cv2.bitwise_not(walls), connectivity=4)
    height, width = ink.shape
    found, letters = [], []
    for label in range(1, count):
        x, y, w, h, area = (int(value) for value in stats[label])
        if w * h > FRAME * width * height or min(w, h) < _mm(TICK_MM[0]) - 4:
            continue
        if x == 0 or y == 0 or x + w == width or y + h == height or area < 0.9 * w * h:
            continue
        # The dilation took one pixel of the box itself.
        written = _free(ink[y : y + h, x : x + w])
        if written is not None:
            found.append((x - 1, y + written[0] - 1, x + w + 1, y + written[1] + 1))
        elif max(w, h) <= _mm(LETTER_MM):
            letters.append((x - 1, y - 1, x + w + 1, y + h + 1))
    return found, letters


def _free(inside: Mask) -> tuple[int, int] | None:
    """The rows of a box that are free to write in: all, or what a caption at its top or bottom leaves; else none.
    Specks that a recovered blank keeps count for nothing."""
    inside = _print(inside, min(_mm(PRINT_MM), 0.35 * inside.shape[1]))
    rows = np.flatnonzero(inside.any(axis=1))
    height = len(inside)
    if len(rows) == 0:
        return 0, height
    if rows[-1] < 0.4 * height and height - rows[-1] >= _mm(LEAST_MM[1]):
        return int(rows[-1]) + 2, height
    if rows[0] > 0.6 * height and rows[0] >= _mm(LEAST_MM[1]):
        return 0, int(rows[0]) - 2
    return None


def _print(ink: Mask, least: float) -> Mask:
    """The ink that is print: words, which run on for `least` pixels, not the specks of writing in a recovered blank."""
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, _mm(2.0)), np.uint8))
    _count, labels, stats, _centres = cv2.connectedComponentsWithStats(joined, connectivity=8)
    words = stats[:, 2] >= least
    words[0] = False
    return np.where(words[labels], ink, 0).astype(np.uint8)


def _lines(ink: Mask, across: Mask, down: Mask) -> tuple[list[Area], list[Area]]:
    """The space above rules, dotted ones too, that stand alone: with room to write above them, and with little."""
    dots = _dotted(ink)
    count, _labels, stats, _centres = cv2.connectedComponentsWithStats(cv2.bitwise_or(across, dots), connectivity=8)
    width = ink.shape[1]
    print_ = cv2.subtract(ink, cv2.dilate(cv2.bitwise_or(across, dots), np.ones((3, 3), np.uint8)))
    found, crowded = [], []
    for label in range(1, count):
        x, y, w, h, _area = (int(value) for value in stats[label])
        if w < _mm(LINE_MM) or w > 0.88 * width or h > _mm(1.2) or y < _mm(EDGE_MM + FREE_MM):
            continue
        if down[max(0, y - _mm(1.5)) : y + h + _mm(1.5), x : x + w].any():
            continue  # The side of a box.
        top = max(_mm(EDGE_MM), y - _mm(WRITING_MM))
        above = _print(print_[top:y, x + 2 : x + w - 2], _mm(PRINT_MM))
        above_it = across[top : y - _mm(1.0), x + 2 : x + w - 2]
        taken = np.asarray((above > 0).sum(axis=1) > 0)
        taken[: len(above_it)] |= (above_it > 0).mean(axis=1) > 0.3
        last = int(np.flatnonzero(taken)[-1]) + 1 if taken.any() else 0
        free = len(taken) - last
        if free >= _mm(FREE_MM):
            found.append((x, y - free, x + w, y))
        elif free >= _mm(CROWDED_MM):
            crowded.append((x, y - _mm(SIGNED_MM), x + w, y))
    return found, crowded


def _dotted(ink: Mask) -> Mask:
    """Rows of dots that are rules to write on."""
    count, labels, stats, _centres = cv2.connectedComponentsWithStats(ink, connectivity=8)
    small = (stats[:, 2] <= _mm(0.7)) & (stats[:, 3] <= _mm(0.7))
    small[0] = False
    dots = np.where(small[labels], 255, 0).astype(np.uint8) if count > 1 else np.zeros_like(ink)
    joined = cv2.morphologyEx(dots, cv2.MORPH_CLOSE, np.ones((1, _mm(2.2)), np.uint8))
    return cast(Mask, cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, _mm(LINE_MM)), np.uint8)))
