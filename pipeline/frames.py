"""Long low frames on a page, as rows of comb boxes make them: two rules of one length, one below the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TypeAlias, cast

import cv2
import numpy as np

from pipeline.geometry import Box
from pipeline.pages import Page
from pipeline.reading import Pixels

#: What rules are looked for at, in dots an inch and to the millimetre.
DPI = 150.0
PX_PER_MM = DPI / 25.4

#: How long a frame is and how high (mm), and how many times as long as high at least.
LONG_MM, HIGH_MM, LEAST_SHAPE = (18.0, 95.0), (3.2, 11.0), 3.5

#: A rule is whole for this long (mm) somewhere, and as thick as this at most; ends of two differ by less than this.
WHOLE_MM, THICK_MM, ENDS_MM = 5.0, 1.6, 1.8

#: By how much rules are darker than the paper around them (grey levels): faint ones, and such as stand out from the
#: background of security paper.
DARKER = (22, 70)

#: Frames of a page, at most.
MOST = 12

Rule: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


def frames(page: Page) -> list[Box]:
    """Frames from the top of the page down."""
    height, width = page.image.shape
    share = DPI / page.dpi
    size = max(1, round(width * share)), max(1, round(height * share))
    image = cv2.resize(page.image, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR)
    paper = cv2.medianBlur(cv2.dilate(image, np.ones((5, 5), np.uint8)), 31)
    darker = cast(Pixels, cv2.subtract(paper, image))
    found: list[Rule] = []
    for least in DARKER:
        for one in _framed(list(_rules(darker, least))):
            if not any(_same(one, other) for other in found):
                found.append(one)
    found.sort(key=lambda one: (one[1], one[0]))
    return [Box(x0 / size[0], y0 / size[1], x1 / size[0], y1 / size[1]) for x0, y0, x1, y1 in found[:MOST]]


def _rules(darker: Pixels, least: int) -> Iterator[Rule]:
    """Horizontal lines as long as frames are; one that leans by a few pixels from end to end is one too."""
    ink = cv2.dilate((darker > least).astype(np.uint8), np.ones((3, 1), np.uint8))
    whole = round(WHOLE_MM * PX_PER_MM)
    lines = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, whole), np.uint8))
    # Writing that crosses a rule may leave a hole in it.
    lines = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, np.ones((1, whole // 3), np.uint8))
    _count, _labels, stats, _centres = cv2.connectedComponentsWithStats(lines, connectivity=8)
    for x, y, w, h, _area in stats[1:].tolist():
        if LONG_MM[0] * PX_PER_MM <= w <= LONG_MM[1] * PX_PER_MM and h <= THICK_MM * PX_PER_MM + 0.03 * w:
            yield x, y, x + w, y + h


def _framed(rules: list[Rule]) -> Iterator[Rule]:
    """What lies between two rules that begin and end together."""
    ends = ENDS_MM * PX_PER_MM
    low, high = (side * PX_PER_MM for side in HIGH_MM)
    for upper, lower in combinations(sorted(rules, key=lambda one: one[1]), 2):
        gap = (lower[1] + lower[3] - upper[1] - upper[3]) / 2
        if not low <= gap <= high or abs(upper[0] - lower[0]) > ends or abs(upper[2] - lower[2]) > ends:
            continue
        x0, x1 = min(upper[0], lower[0]), max(upper[2], lower[2])
        if x1 - x0 >= LEAST_SHAPE * gap:
            yield x0, upper[1], x1, lower[3]


def _same(one: Rule, other: Rule) -> bool:
    return all(abs(a - b) <= ENDS_MM * PX_PER_MM for a, b in zip(one, other, strict=True))
