"""Evenly spaced upright lines in a cut, as the sides of comb boxes are, however faint and however noisy the scan.

One faint line can't be told from noise, a row of them can: what is weighed is how much darker the places of a grid are
than what lies between, for every grid that could fill the field (a matched filter).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.reading import Pixels

Profile: TypeAlias = npt.NDArray[np.float32]
"""How much each column looks like the side of a box, from 0 on, in roots of grey levels: a line that is faint all along
counts for more than a few dark dots."""

#: How high a line is, in parts of the field's height.
HEIGHTS = (0.8, 0.55, 0.38)

#: The darkest columns (percentile), and all that are so dark (root of a grey level), are as good as each other.
DARKEST, LEAST_DARK = 97.0, 2.5

#: Grids are from so much to so much of the field's width, and their left end is off by so much of it at most.
WIDTHS, OFF = (0.78, 1.12), 0.13

#: In a field less wide or high than this (pixels) nothing could be told.
LEAST = 12

#: A box is from so much to so much as wide as its field is high.
SHAPE = (0.25, 1.5)

#: A wider field (pixels) is looked at made smaller; grids differ by so much of its width, or a pixel.
WIDEST, FINE = 600, 300

#: Where boxes stand apart, how far a side is from the middle between two (widths of a box).
APART = (0.04, 0.07, 0.1, 0.13)

#: Dates may stand in groups of boxes, with gaps of so many widths of a box between them.
GROUPS = {8: (2, 2, 4), 6: (2, 2, 2)}
BETWEEN = tuple(0.15 + 0.08 * number for number in range(13))

#: Sides that are less far from the middle (pixels) are one line.
TELLING = 2.5

#: A row of dashes is so thick at most, in parts of the field's height, and so much of its length is dark: dots are not.
THICK, DASHED = 0.1, 0.7

#: The variance of a profile is taken for this at least: where nothing is seen nothing stands out.
LEAST_SPREAD = 0.03

#: One line in so many, and two at least, may be faint.
FEW = 8

#: Grids are as good as each other that differ by less.
ALIKE = 0.05

#: Of grids that are so nearly as sure as the surest the one with most boxes counts.
NEARLY = 0.9

#: A grid is a comb from this on. Two of 200 drawn dates on lines reached it, and three of four in boxes of any kind.
SURE = 4.8


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the `sides` of a row of boxes stand, and their `middles`, in widths of a box from its left end, and how
    `wide` the row is. `even`: without gaps between groups of boxes."""

    sides: npt.NDArray[np.float64]
    middles: npt.NDArray[np.float64]
    wide: float
    even: bool = True

    @property
    def cells(self) -> int:
        return len(self.middles)


@dataclass(frozen=True, slots=True)
class Teeth:
    """`cells` boxes from column `left` to `right` of a cut, of a `layout`; `sure` says how far above chance. Those of
    `dashes` have no sides."""

    layout: Layout
    left: float
    right: float
    sure: float
    dashes: bool = False

    @property
    def cells(self) -> int:
        return self.layout.cells

    @property
    def step(self) -> float:
        """How wide a box is."""
        return (self.right - self.left) / self.layout.wide

    @property
    def sides(self) -> npt.NDArray[np.float64]:
        """The columns where sides stand, or dashes end."""
        return self.left + self.layout.sides * self.step

    @property
    def middles(self) -> npt.NDArray[np.float64]:
        """The columns in the middle of the boxes."""
        return self.left + self.layout.middles * self.step


def grid(darker: Pixels, left: int, right: int, top: int, bottom: int, cells: Iterable[int]) -> Teeth | None:
    """The row of boxes that fills columns `left` to `right` best, in a picture of how much darker than the paper each
    pixel is; None where none is seen. The field is in its rows `top` to `bottom`."""
    field, high = right - left, bottom - top
    if field < LEAST or high < LEAST:
        return None
    if field > WIDEST:
        share = WIDEST / field
        small = cv2.resize(darker, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        inside = round(left * share), round(right * share), round(top * share), round(bottom * share)
        row = grid(np.asarray(small, np.uint8), *inside, cells)
        return None if row is None else replace(row, left=row.left / share, right=row.right / share)
    wanted = [one for one in cells if SHAPE[0] < field / one / high < SHAPE[1]]
    rows = [one for count in wanted for one in _layouts(count, field / count)]
    lines = [upright(darker, max(5, round(part * high))) for part in HEIGHTS]
    found = [one for profile in lines for one in _grids(profile, left, right, rows)]
    single = [next(_layouts(count, field / count)) for count in wanted]
    found += [replace(one, dashes=True) for one in _grids(gaps(darker, left, right, top, bottom), left, right, single)]
    best = max((one.sure for one in found), default=0.0)
    # Every second line of a grid is a grid too, and so are all but the last.
    likely = [one for one in found if one.sure >= max(SURE, NEARLY * best)]
    return max(likely, key=lambda one: (one.cells, one.sure), default=None)


def _layouts(cells: int, step: float) -> Iterator[Layout]:
    """The ways in which so many boxes, about `step` pixels wide, may stand."""
    ends = np.arange(cells + 1.0)
    middles = ends[:-1] + 0.5
    yield Layout(ends, middles, cells)
    for gap in APART:
        if gap * step >= TELLING:
            yield Layout(np.concatenate([ends[:-1] + gap, ends[1:] - gap]), middles, cells)
    groups = GROUPS.get(cells, ())
    for gap in BETWEEN if groups else ():
        # How many gaps there are before each box.
        before = np.repeat(np.arange(len(groups)), groups) * gap
        sides = np.unique(np.concatenate([ends[:-1] + before, ends[1:] + before]).round(3))
        yield Layout(sides, middles + before, cells + float(before[-1]), even=False)


def upright(darker: Pixels, high: int) -> Profile:
    """Of each column how much darker it is than both its neighbours, along the stretch of that height where it is most
    so."""
    # A side that leans by a pixel or two is still one.
    wide = cv2.dilate(darker, np.ones((1, 3), np.uint8)).astype(np.float32)
    wide = np.sqrt(np.maximum(wide - np.median(wide), 0))
    along = cv2.blur(wide, (1, high))
    beside = max(3, round(0.09 * high))
    padded = np.pad(along, ((0, 0), (beside, beside)), mode="edge")
    lines = along - np.maximum(padded[:, : -2 * beside], padded[:, 2 * beside :])
    half = high // 2
    inner = lines[half : max(half + 1, len(lines) - half)]
    return np.asarray(np.maximum(inner.max(axis=0), 0), np.float32)


def gaps(darker: Pixels, left: int, right: int, top: int, bottom: int) -> Profile:
    """Of each column how much fainter it is than half of the row of dashes that the field stands on."""
    high = bottom - top
    thick = max(1, round(THICK * high))
    foot = darker[max(0, top + high // 2) : bottom + high // 3].astype(np.float32)
    row = int(foot.mean(axis=1).argmax()) if len(foot) else 0
    # A row may climb a little from end to end.
    dashes = foot[max(0, row - thick) : row + thick + 1].max(axis=0, initial=0)
    usual = float(np.percentile(dashes[left:right], 80))
    if (dashes[left:right] > usual / 2).mean() < DASHED:
        return np.zeros_like(dashes)
    return np.asarray(np.sqrt(np.maximum(usual / 2 - dashes, 0)), np.float32)


def _grids(lines: Profile, left: int, right: int, layouts: Iterable[Layout]) -> Iterator[Teeth]:
    """For each layout the best grid."""
    most = max(float(np.percentile(lines, DARKEST)), LEAST_DARK)
    seen = np.minimum(lines, most) / most
    near = cv2.dilate(seen[None], np.ones((1, 3), np.uint8))[0]
    sums, squares = (np.concatenate([[0.0], np.cumsum(one)]) for one in (seen, seen**2))
    field = right - left
    fine = max(1.0, field / FINE)
    wide, start = np.meshgrid(
        np.arange(WIDTHS[0] * field, WIDTHS[1] * field, fine),
        np.arange(left - OFF * field, left + OFF * field, fine),
        indexing="ij",
    )
    fits = (start >= 0) & (start + wide < len(lines) - 1) & (start + wide <= right + OFF * field)
    wide, start = wide[fits], start[fits]
    if not len(wide):
        return
    first, last = _whole(start, lines), _whole(start + wide, lines) + 1
    mean = (sums[last] - sums[first]) / (last - first)
    spread = np.sqrt(np.maximum((squares[last] - squares[first]) / (last - first) - mean**2, LEAST_SPREAD))
    for layout in layouts:
        step = (wide / layout.wide)[:, None]
        dark = near[_whole(start[:, None] + layout.sides[None] * step, lines)]
        # Hardly a line may be missing: the least dark ones count once more.
        few = max(2, dark.shape[1] // FEW)
        least = np.partition(dark, few, axis=1)[:, :few].mean(axis=1)
        above = np.sqrt(dark.shape[1]) * ((dark.mean(axis=1) + least) / 2 - mean) / spread
        # Of grids that are as good, as lines are some pixels wide, the one in their middle.
        best = np.flatnonzero(above >= above.max() - ALIKE)
        begins, across = float(start[best].mean()), float(wide[best].mean())
        yield Teeth(layout, begins, begins + across, float(above.max()))


def _whole(places: npt.NDArray[np.float64], lines: Profile) -> npt.NDArray[np.intp]:
    return np.clip(np.rint(places), 0, len(lines) - 1).astype(np.intp)
