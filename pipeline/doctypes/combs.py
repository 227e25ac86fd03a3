"""Rows of comb boxes on a blank: equal cells side by side, those of a date in groups too, and rows that are seen by
their frames though not every cell is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.cutting import cut_out
from pipeline.doctypes.recover import Blank
from pipeline.doctypes.rules import BLANK_DPI, PX_PER_MM, mm
from pipeline.doctypes.ruling import Area, Places
from pipeline.doctypes.schema import FieldKind
from pipeline.frames import frames
from pipeline.pages import Page
from pipeline.teeth import GROUPS

#: Sides of a cell (mm), how far two of them stand apart at most, and by what share they differ.
CELL_MM, APART_MM, UNLIKE = (3.0, 10.0), 0.8, 0.25

#: Two cells side by side are a row where no letters are printed in them.
PAIR = 2

#: How a date's boxes are grouped, and how far groups stand apart (widths of a box).
DATES, GAP = tuple(GROUPS.values()), (0.15, 1.8)

#: A rule is so many pixels thick, boxes of a row are alike within this share, and tops and bottoms within these pixels.
RULE, EVEN, LEVEL = 2, 0.12, 4


@dataclass(frozen=True, slots=True)
class Comb:
    """A row of so many cells. Where they stand in `groups`, `gap` is what is free between two (widths of a cell)."""

    area: Area
    cells: int
    groups: tuple[int, ...] = ()
    gap: float = 0.0

    @property
    def step(self) -> float:
        """How wide a cell is, in pixels."""
        between = self.gap * (len(self.groups) - 1) if self.groups else 0.0
        return (self.area[2] - self.area[0]) / (self.cells + between)


def combs(blank: Blank, there: Places) -> list[Comb]:
    """All of a blank. Rows that are seen whole go before what is seen of them box by box: writing that all samples
    share stays in some."""
    seen = _grouped(_side_by_side([*there.boxes, *there.letters]))
    whole = list(_by_frames(blank, seen))
    rest = [one for one in seen if not any(touch(one.area, row.area) for row in whole)]
    bare = [one for one in rest if one.cells > PAIR or not any(covers(one.area, letter) for letter in there.letters)]
    return [*whole, *bare]


def touch(one: Area, other: Area) -> bool:
    """Whether two areas have more than a hair in common."""
    wide, high = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    return min(wide, high) > PX_PER_MM


def covers(outer: Area, inner: Area) -> bool:
    """Whether the middle of an area lies in another."""
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] < x < outer[2] and outer[1] < y < outer[3]


def _side_by_side(boxes: Sequence[Area]) -> list[Comb]:
    """Rows of equal cells, two at least."""
    low, high = (mm(value) for value in CELL_MM)
    cells = sorted(one for one in boxes if low <= one[2] - one[0] <= high and low <= one[3] - one[1] <= high)
    rows: list[list[Area]] = []
    for cell in cells:
        for row in rows:
            last = row[-1]
            alike = abs((cell[2] - cell[0]) - (last[2] - last[0])) <= UNLIKE * (last[2] - last[0])
            if _level(cell, last) and alike and -2 <= cell[0] - last[2] <= mm(APART_MM):
                row.append(cell)
                break
        else:
            rows.append([cell])
    return [
        Comb((row[0][0], min(one[1] for one in row), row[-1][2], max(one[3] for one in row)), len(row))
        for row in rows
        if len(row) >= PAIR
    ]


def _level(one: Area, other: Area) -> bool:
    return abs(one[1] - other[1]) <= LEVEL and abs(one[3] - other[3]) <= LEVEL


def _grouped(rows: Sequence[Comb]) -> list[Comb]:
    """The rows, those that are the day, the month and the year of one date as one."""
    left = sorted(rows, key=lambda one: one.area)
    found: list[Comb] = []
    while left:
        first = left.pop(0)
        parts = [first]
        for one in left:
            wide, gap = first.step, one.area[0] - parts[-1].area[2]
            if (
                _level(one.area, first.area)
                and GAP[0] * wide < gap < GAP[1] * wide
                and abs(one.step - wide) < EVEN * wide
            ):
                parts.append(one)
            if len(parts) == len(DATES[0]):
                break
        groups = tuple(one.cells for one in parts)
        if groups not in DATES:
            found.append(first)
            continue
        left = [one for one in left if one not in parts]
        area = first.area[0], min(one.area[1] for one in parts), parts[-1].area[2], max(one.area[3] for one in parts)
        wide = sum(one.area[2] - one.area[0] for one in parts) / sum(groups)
        between = (area[2] - area[0] - wide * sum(groups)) / (len(groups) - 1)
        found.append(Comb(area, sum(groups), groups, round(between / wide, 2)))
    return found


def _by_frames(blank: Blank, seen: Sequence[Comb]) -> Iterator[Comb]:
    """Rows of as many boxes as a date has digits, by their frames, of which not all boxes were `seen`."""
    height, width = blank.image.shape
    page = Page(1, blank.image, None, BLANK_DPI)
    taken: list[Area] = []
    # What lies between the rules of two rows is higher than either.
    for frame in sorted(frames(page), key=lambda one: one.height):
        x0, y0, x1, y1 = frame.pixels(width, height)
        area = x0 + RULE, y0 + RULE, x1 - RULE, y1 - RULE
        inside = [one for one in seen if touch(area, one.area)]
        row = None if any(touch(area, one) for one in taken) else cut_out(page, FieldKind.DATE, frame).row
        if row is not None and all(_is_part(one, area, row.cells) for one in inside):
            taken.append(area)
            yield Comb(area, row.cells)


def _is_part(part: Comb, row: Area, of: int) -> bool:
    """Whether the boxes are some of a row's, as wide as its boxes are."""
    wide = (row[2] - row[0]) / of
    return part.cells < of and abs(part.step - wide) < EVEN * wide
