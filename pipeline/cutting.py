"""Cutting a region out of a page for the model: turned upright, laid on its comb, trimmed around its ink."""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import partial
from typing import cast

import cv2
import numpy as np

from pipeline import comb
from pipeline.closeup import ROOM_X, ROOM_Y
from pipeline.doctypes.schema import FieldKind
from pipeline.evidence import MARGIN_X, MARGIN_Y, between_margins
from pipeline.geometry import Box
from pipeline.pages import Page
from pipeline.reading import Evidence, Pixels, QuestionKind, Row

#: How much wider than the given box one looks, to its sides and above and below, in shares of it.
LOOK_X, LOOK_Y = 0.08, 0.35

#: A box that is so many times wider or higher than the trimmed one is cut at the trimmed one.
WIDE, HIGH = 1.5, 1.4

#: The same for what is only there or not (a signature in half a page), where the surroundings do little harm.
FAR_TOO_HIGH = 2.2

#: How many cells a comb may have that fills the box: of a date those of its digits.
CELLS, ANY = {FieldKind.DATE: (8, 6)}, range(4, 27)

#: Room that boxes have around what is written in them, in parts of its height, and how much higher than it they are.
AROUND, HIGHER = 0.25, 1.1

#: Writing may reach over the end of a comb by so much of a cell.
OVER = 0.35

#: Kinds of which only matters whether they are there.
CHOICES = (FieldKind.SIGNATURE, FieldKind.ENDORSEMENT, FieldKind.TEXT, FieldKind.CHECKBOX)


def cut_out(page: Page, kind: FieldKind, box: Box, skew: float = 0.0) -> Evidence:
    """The evidence in a box: upright, on the comb where there is one, trimmed where it is far too wide."""
    look = upright(page.image, box.widened(LOOK_X, LOOK_Y), skew)
    height, width = look.shape
    left, top = width * LOOK_X / (1 + 2 * LOOK_X), height * LOOK_Y / (1 + 2 * LOOK_Y)
    inner: comb.Area = (round(left), round(top), round(width - left), round(height - top))
    plain = partial(_with_margins, look, inner)
    image, alternate, cells, where = plain(1.0), plain(0.5), None, None
    row = _comb(look, inner, CELLS.get(kind, ANY)) if kind not in CHOICES else None
    if row is not None and _is_of(row.area, inner):
        row = _whole(_written(row, comb.written(look, inner), kind), inner)
        on_comb = partial(_with_margins, look, row.area)
        image, alternate, cells = on_comb(1.0), on_comb(0.5), row.cells
        if kind is FieldKind.DATE:
            # A date has eight digits or six, whatever was seen of its cells; more hold its separators, or are the field
            # beside it.
            cells = max(CELLS[kind])
        where = _row(row) if row.cells in CELLS.get(kind, (cells,)) else None
    elif (trimmed := _trimmed(look, inner)) is not None:
        high, wide = (inner[3] - inner[1]) / _high(trimmed), (inner[2] - inner[0]) / _wide(trimmed)
        tight = comb.crop(look, trimmed)
        if kind in CHOICES:
            image = tight if high > FAR_TOO_HIGH and kind is not FieldKind.CHECKBOX else image
        elif high > HIGH or wide > WIDE:
            image, alternate = tight, image
        else:
            alternate = tight
    return Evidence(
        field="region",
        kind=QuestionKind(kind.value),
        page=page.number,
        box=box,
        image=image,
        alternate=alternate,
        cells=cells,
        row=where,
    )


def _comb(look: Pixels, inner: comb.Area, cells: Collection[int]) -> comb.Comb | None:
    """The comb that a box means: it fills the box, or what is written in it fills the comb."""
    found = comb.find(look, inner, cells)
    ink = comb.written(look, inner) if found is None else None
    if ink is None:
        return found
    x0, y0, x1, y1 = ink
    room = round(AROUND * (y1 - y0))
    found = comb.find(look, (max(0, x0 - room), max(0, y0 - room), x1 + room, y1 + room), cells, ticks=False)
    # Strokes of what is written are no higher than it is.
    return found if found is not None and _high(found.area) > HIGHER * (y1 - y0) else None


def upright(image: Pixels, box: Box, skew: float) -> Pixels:
    """A box of a page, turned about its middle by as much as the page's lines lean; paper where the page ends."""
    height, width = image.shape
    x0, y0, x1, y1 = box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height
    size = max(4, round(x1 - x0)), max(4, round(y1 - y0))
    turn = cv2.getRotationMatrix2D(((x0 + x1) / 2, (y0 + y1) / 2), skew, 1.0)
    turn[:, 2] += (size[0] / 2 - (x0 + x1) / 2, size[1] / 2 - (y0 + y1) / 2)
    paper = float(np.percentile(image[::4, ::4], 80))
    return cast(Pixels, cv2.warpAffine(image, turn, size, flags=cv2.INTER_LINEAR, borderValue=paper))


def _with_margins(image: Pixels, area: comb.Area, share: float) -> Pixels:
    x0, y0, x1, y1 = area
    dx, dy = round((x1 - x0) * MARGIN_X * share), round((y1 - y0) * MARGIN_Y * share)
    return comb.crop(image, (x0 - dx, y0 - dy, x1 + dx, y1 + dy))


def _row(found: comb.Comb) -> Row | None:
    """Where the boxes of a comb stand in its cut with margins; None where that isn't known of all of them."""
    even = between_margins(found.cells)
    if found.even or even is None:
        return even
    left, wide = found.area[0], _wide(found.area)
    share = even.right - even.left
    middles = tuple(even.left + (one - left) / wide * share for one in found.middles)
    return Row(found.cells, even.left, even.right, middles) if middles else None


def _trimmed(image: Pixels, inner: comb.Area) -> comb.Area | None:
    """Ink with the room around it that a field has."""
    found = comb.written(image, inner)
    if found is None:
        return None
    x0, y0, x1, y1 = found
    dx, dy = round(ROOM_X * (y1 - y0)), round(ROOM_Y * (y1 - y0))
    return x0 - dx, y0 - dy, x1 + dx, y1 + dy


def _is_of(row: comb.Area, inner: comb.Area) -> bool:
    """Whether a comb is the one that a box means: most of the narrower of the two is in both."""
    shared = min(row[2], inner[2]) - max(row[0], inner[0])
    level = min(row[3], inner[3]) - max(row[1], inner[1])
    return shared > 0.7 * min(_wide(row), _wide(inner)) and level > 0.5 * min(_high(row), _high(inner))


def _written(row: comb.Comb, ink: comb.Area | None, kind: FieldKind) -> comb.Comb:
    """A comb with the cells beside it whose sides were not seen, but in which something is written."""
    if ink is None:
        return row
    x0, y0, x1, y1 = row.area
    step = _wide(row.area) / row.cells
    before, after = (max(0, math.ceil(far / step - OVER)) for far in (x0 - ink[0], ink[2] - x1))
    cells = row.cells + before + after
    if cells == row.cells or row.cells in CELLS.get(kind, ()):
        return row
    # Of another number only this is known, that what is written must not be cut off.
    even = row.even and cells in CELLS.get(kind, ANY)
    return comb.Comb((round(x0 - before * step), y0, round(x1 + after * step), y1), cells, even)


def _whole(row: comb.Comb, inner: comb.Area) -> comb.Comb:
    """A comb with the cell at its end whose outer side was not seen, where the given box has room for exactly one."""
    x0, y0, x1, y1 = row.area
    step = _wide(row.area) / row.cells
    first, last = (0.7 * step < gap < 1.3 * step for gap in (x0 - inner[0], inner[2] - x1))
    if not (first or last):
        return row
    area = (round(x0 - first * step), y0, round(x1 + last * step), y1)
    return comb.Comb(area, row.cells + first + last, row.even)


def _wide(area: comb.Area) -> int:
    return max(1, area[2] - area[0])


def _high(area: comb.Area) -> int:
    return max(1, area[3] - area[1])
