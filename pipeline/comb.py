"""Inside a cut: the cells of a comb, and the ink that is written there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from pipeline import teeth
from pipeline.reading import Pixels
from pipeline.teeth import Teeth

Mask: TypeAlias = npt.NDArray[np.bool_]
Area: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the cut."""

#: Cells of a comb, at least, and how wide one is, in parts of its height.
LEAST_CELLS, CELL_WIDTH = 4, (0.35, 2.2)

#: Sides of cells are equally far from each other, within this share.
EVEN = 0.18

#: A comb is wider than its cells by less than this share, or there are gaps between groups of them.
GAPS = 0.04

#: How high a side is at least, in parts of the field's height, and how high those are that are no mere ticks, above
#: which writing stands out.
LEAST_SIDE, TICKS = 0.24, 0.6

#: How dark a side is at least (root of grey levels) in a row that it reaches.
LEAST_LINE = 0.3

#: In most columns it is at least as dark as in those of this percentile.
MOST = 35.0

#: A rule under a row of boxes is seen along this share of it, and is the end of the row where that would be higher by
#: this share of its height.
RULED, BETWEEN_RULES = 0.75, 0.22

#: Rows of a cut are looked at together, one in so many.
SMOOTH = 12

#: Share of a comb's width that the rule along its foot or its head covers: cells may stand apart.
JOINED = 0.65

#: Ink is darker than the paper by this share of the darkest ink's distance, and by this many grey levels.
DARKER, LEAST_DARKER = 0.35, 25

#: Ink that covers less than this share of a cut is dirt.
LEAST_INK = 0.0015


@dataclass(frozen=True, slots=True)
class Comb:
    """A row of `cells` boxes in a cut. `even` says that they stand side by side without gaps between groups; of others
    `middles` are the columns where each box has its middle, as far as that is known."""

    area: Area
    cells: int
    even: bool
    middles: tuple[float, ...] = ()


def _darker(image: Pixels) -> Pixels:
    """By how much each pixel is darker than the paper around it."""
    side = max(15, (min(image.shape) | 1))
    paper = cv2.medianBlur(cv2.dilate(image, np.ones((5, 5), np.uint8)), min(side, 101))
    return cast(Pixels, cv2.subtract(paper, image))


def _limit(darker: Pixels) -> float:
    """From what on it is ink."""
    return max(float(LEAST_DARKER), DARKER * float(np.percentile(darker, 99.5))) if darker.size else LEAST_DARKER


def find(image: Pixels, inner: Area, cells: Collection[int], *, ticks: bool = True) -> Comb | None:
    """The comb in a cut, if there is one: one of so many `cells` that fills the `inner` part of it, or whatever stands
    there. Strokes of digits hardly ever make one: sides are straight, upright, and equally far apart. Without `ticks`
    these are as high as boxes are."""
    darker = _darker(image)
    left, top, right, bottom = inner
    middle = (top + bottom) // 2
    seen = _by_sides(np.asarray(darker > _limit(darker)))
    seen = None if seen is None else _in_band(darker, seen, middle)
    row = teeth.grid(darker, left, right, top, bottom, cells)
    # Sides that are seen each by itself say best where a comb ends. Of an even one with fewer cells some were not seen.
    if row is None or (seen is not None and seen.even and seen.cells in cells and seen.cells >= row.cells):
        return seen
    above = _rows(darker, row)
    if not row.dashes and (above > 0).sum() < LEAST_SIDE * (bottom - top):
        # Dots of a line to write on.
        return seen
    upper, lower = _most(above)
    if row.dashes or lower - upper < TICKS * (bottom - top):
        if not ticks:
            return seen
        upper, lower = top, bottom
    middles = () if row.layout.even else tuple(row.middles.tolist())
    found = Comb((round(row.left), upper, round(row.right), lower), row.cells, row.layout.even, middles)
    return _in_band(darker, found, middle)


def _rows(darker: Pixels, row: Teeth) -> npt.NDArray[np.float32]:
    """Of each row of a cut how much darker it is where sides stand than between them; below 0 where that is less than
    half as much as in the rows that they reach."""
    wide = np.sqrt(cv2.dilate(darker, np.ones((1, 5), np.uint8)).astype(np.float32))
    # What stands between sides is writing and noise.
    between = np.concatenate([row.sides[:-1] * 3 + row.sides[1:], row.sides[:-1] + row.sides[1:] * 3]) / 4
    lines = _along(wide, row.sides) - _along(wide, between)
    lines = np.asarray(cv2.blur(lines[:, None], (1, max(3, len(lines) // SMOOTH)))[:, 0], np.float32)
    return np.asarray(lines - max(float(np.percentile(lines, 90)) / 2, LEAST_LINE), np.float32)


def _along(image: npt.NDArray[np.float32], columns: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """How dark each row is in those columns, in most of them: what is written covers some."""
    places = np.clip(np.rint(columns).astype(np.intp), 0, image.shape[1] - 1)
    return np.asarray(np.percentile(image[:, places], MOST, axis=1), np.float32)


def _in_band(darker: Pixels, found: Comb, middle: int) -> Comb:
    """Of rows of boxes one below the other, whose sides run on, the one that `middle` is in: from rule to rule."""
    left, upper, right, lower = found.area
    # A rule may climb by a few pixels from end to end.
    strip = cv2.dilate(darker[:, max(0, left) : right + 1], np.ones((5, 1), np.uint8))
    if not strip.size:
        return found
    rules = np.flatnonzero((strip > _limit(darker)).mean(axis=1) > RULED)
    inset = BETWEEN_RULES * (lower - upper)
    above, below = rules[rules < middle], rules[rules >= middle]
    first = int(above[-1]) if len(above) and above[-1] > upper + inset else upper
    last = int(below[0]) if len(below) and below[0] < lower - inset else lower
    return replace(found, area=(left, first, right, last)) if last - first > inset else found


def _most(values: npt.NDArray[np.float32]) -> tuple[int, int]:
    """From where to where the sum of the values is largest."""
    best, first, last, total, start = 0.0, 0, 0, 0.0, 0
    for place, value in enumerate(values.tolist()):
        if total <= 0:
            total, start = 0.0, place
        total += value
        if total > best:
            best, first, last = total, start, place + 1
    return first, last


def _by_sides(dark: Mask) -> Comb | None:
    """The longest row of sides that can be seen each by itself, all of one height, on a rule or hanging from one; with
    gaps between groups or without."""
    for part in (0.85, 0.6, 0.42):
        sides = _sides(dark, max(7, round(part * len(dark) * 0.6)))
        found = _row(sides)
        if found is not None and _joined(dark, found.area):
            return found
    return None


def written(image: Pixels, inner: Area) -> Area | None:
    """Where ink stands that begins in the `inner` part of a cut, rules left out; None where there is none worth the
    name."""
    darker = _darker(image)
    rules = _rules(darker > _limit(darker))
    # A printed line is often much darker than what is written on it.
    dark = ~rules & (darker > _limit(darker[~rules]))
    height, width = dark.shape
    count, _labels, stats, centres = cv2.connectedComponentsWithStats(dark.astype(np.uint8), connectivity=8)
    x0, y0, x1, y1 = inner
    boxes = []
    for label in range(1, count):
        x, y, w, h, area = (int(value) for value in stats[label])
        inside = x0 <= centres[label][0] <= x1 and y0 <= centres[label][1] <= y1
        if inside and area >= 6 and max(w, h) >= max(3, 0.02 * height):
            boxes.append((x, y, x + w, y + h, area))
    if not boxes or sum(one[4] for one in boxes) < LEAST_INK * width * height:
        return None
    tall = max(one[3] - one[1] for one in boxes)
    # Specks far from everything else are dirt; points and commas stand between digits.
    kept = [one for one in boxes if one[3] - one[1] > 0.25 * tall]
    left, right = min(one[0] for one in kept), max(one[2] for one in kept)
    kept += [one for one in boxes if left - tall < one[0] and one[2] < right + tall]
    return min(o[0] for o in kept), min(o[1] for o in kept), max(o[2] for o in kept), max(o[3] for o in kept)


def _rules(dark: Mask) -> Mask:
    """Long straight lines, a little thicker than they are."""
    pixels = dark.astype(np.uint8)
    height, width = dark.shape
    across = cv2.morphologyEx(pixels, cv2.MORPH_OPEN, np.ones((1, max(25, width // 4)), np.uint8))
    down = cv2.morphologyEx(pixels, cv2.MORPH_OPEN, np.ones((max(15, round(0.7 * height)), 1), np.uint8))
    return np.asarray(cv2.dilate(cv2.bitwise_or(across, down), np.ones((3, 3), np.uint8)) > 0)


def _sides(dark: Mask, least: int) -> list[Area]:
    """Upright straight strokes of at least that height (pixels), from left to right."""
    # A side that leans by a pixel or two is still one.
    joined = cv2.dilate(dark.astype(np.uint8), np.ones((1, 3), np.uint8))
    down = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((least, 1), np.uint8))
    _count, _labels, stats, _centres = cv2.connectedComponentsWithStats(down, connectivity=8)
    found = []
    for x, y, w, h, _area in stats[1:]:
        if w <= max(9, 0.2 * h):
            found.append((int(x), int(y), int(x + w), int(y + h)))
    return sorted(found)


def _row(sides: Sequence[Area]) -> Comb | None:
    """The longest row of equally spaced sides of one height."""
    best: Comb | None = None
    for first in sides:
        level = [one for one in sides if _level(one, first)]
        if len(level) <= LEAST_CELLS:
            continue
        middles = [(one[0] + one[2]) / 2 for one in level]
        height = first[3] - first[1]
        gaps = [gap for gap in np.diff(middles) if CELL_WIDTH[0] * height <= gap <= CELL_WIDTH[1] * height]
        if len(gaps) < LEAST_CELLS:
            continue
        step = float(np.median(gaps))
        cells, even, last = 0, True, 0
        start: int | None = None
        for place, (one, other) in enumerate(pairwise(middles)):
            times = (other - one) / step
            if abs(times - 1) < EVEN or (abs(times - 2) < EVEN and _straight(times)):
                cells += round(times)
                start = place if start is None else start
                last = place + 1
            elif times > 1:
                even = even and start is None
        if start is None or cells < LEAST_CELLS or cells < 0.7 * (middles[last] - middles[start]) / step:
            continue
        area = (level[start][0], min(o[1] for o in level), level[last][2], max(o[3] for o in level))
        # A gap between groups may be narrower than a cell.
        even = even and abs((middles[last] - middles[start]) / (cells * step) - 1) < GAPS
        if best is None or cells > best.cells:
            best = Comb(area, cells, even)
    return best


def _joined(dark: Mask, area: Area) -> bool:
    """Whether a rule runs along the foot or the head of a row of sides."""
    x0, y0, x1, y1 = area
    near = max(2, round(0.08 * (y1 - y0)))
    edges = (dark[max(0, y - near) : y + near, x0:x1] for y in (y0, y1))
    return any(part.size > 0 and bool(part.any(axis=0).mean() > JOINED) for part in edges)


def _level(one: Area, other: Area) -> bool:
    """Whether two sides begin and end at the same heights."""
    height = other[3] - other[1]
    return abs(one[1] - other[1]) <= 0.2 * height and abs(one[3] - other[3]) <= 0.2 * height


def _straight(times: float) -> bool:
    return abs(times - round(times)) < EVEN / 2


def crop(image: Pixels, area: Area) -> Pixels:
    """A part of a cut; what lies beyond it is as its edge."""
    height, width = image.shape
    x0, y0, x1, y1 = area
    inside = image[max(0, y0) : min(height, y1), max(0, x0) : min(width, x1)]
    if inside.size == 0:
        return image
    paper = int(np.percentile(inside, 90))
    around = (max(0, -y0), max(0, y1 - height), max(0, -x0), max(0, x1 - width))
    return cast(Pixels, cv2.copyMakeBorder(inside, *around, cv2.BORDER_CONSTANT, value=paper))
