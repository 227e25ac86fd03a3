"""Fields proposed for a blank: combs, boxes and rules to write on, found by their lines.

A person corrects what comes of this, so a box that is missed costs more than one too many, and a box that is there
must be exact. With somebody who reads print, fields are called after the words beside them; without, after their kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.doctypes.recover import PX_PER_MM, Blank
from pipeline.doctypes.schema import FieldKind, Identifier
from pipeline.geometry import Box
from pipeline.reading import Pixels

Mask: TypeAlias = npt.NDArray[np.uint8]
Area: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the blank."""

Words: TypeAlias = Sequence[tuple[str, Box]]
PrintedWords: TypeAlias = Callable[[Pixels], Words]
"""Reads print: the pieces of text on a page and where they stand, in fractions of it."""

#: Shortest rules that make a box, horizontal and vertical (mm), and shortest rule to write on.
RULE_MM, STROKE_MM, LINE_MM = 3.2, 2.6, 15.0

#: Sides of a box to tick, cells of a comb, and boxes to write in (mm).
TICK_MM, CELL_MM, LEAST_MM = (2.4, 6.5), (3.0, 10.0), (7.0, 4.5)

#: Boxes from this size on (mm) take a stamp, flatter ones of this width and height a signature.
STAMP_MM, SIGNATURE_MM = (28.0, 20.0), (30.0, 9.0)

#: A box that is larger than this share of the page is a frame.
FRAME = 0.25

#: Height above a rule that one writes in, and the least that must be free (mm).
WRITING_MM, FREE_MM = 7.5, 4.0

#: Shortest words that count as print in a place to write (mm).
PRINT_MM = 5.0

#: The strip along the top edge where nobody writes (mm).
EDGE_MM = 6.0

#: How far words may stand from the field they belong to, to its left and above (mm).
LEFT_MM, ABOVE_MM = 60.0, 9.0

#: Words that tell what a field holds, looked for in this order.
WORDS: tuple[tuple[str, FieldKind, Identifier | None], ...] = (
    (r"\bsign(ature|ed)?\b", FieldKind.SIGNATURE, None),
    (r"\b(stamp|seal|endorse)", FieldKind.ENDORSEMENT, None),
    (r"\b(date|dob|d\.o\.b|dated)\b", FieldKind.DATE, None),
    (r"\bisin\b", FieldKind.IDENTIFIER, Identifier.ISIN),
    (r"\bpan\b", FieldKind.IDENTIFIER, Identifier.PAN),
    (r"\bifsc?\b", FieldKind.IDENTIFIER, Identifier.IFSC),
    (r"\b(bo id|client id|demat a)", FieldKind.IDENTIFIER, Identifier.BO_ID),
    (r"\bpin ?code\b", FieldKind.IDENTIFIER, Identifier.PIN_CODE),
    (r"\b(amount|quantity|rs\.?|rupees|consideration)\b", FieldKind.AMOUNT, None),
)

#: Cells an identifier has: with fewer or more it is something else.
CELLS = {
    Identifier.PAN: 10,
    Identifier.ISIN: 12,
    Identifier.IFSC: 11,
    Identifier.BO_ID: 16,
    Identifier.PIN_CODE: 6,
}


@dataclass
class Proposal:
    """A field that may be one: its box in fractions of the page, what it seems to hold, and the words beside it."""

    kind: FieldKind
    box: Box
    cells: int | None = None
    identifier: Identifier | None = None
    words: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def proposals(blank: Blank, printed: PrintedWords | None = None) -> list[Proposal]:
    """The fields that a blank seems to have, in reading order."""
    height, width = blank.image.shape
    ink = np.where(blank.image < 190, 255, 0).astype(np.uint8)
    across, down = _rules(ink)
    boxes, letters = _boxes(ink, across, down)
    found: list[tuple[Area, FieldKind | int | None]] = [*_combs([*boxes, *letters])]
    combs = [area for area, _cells in found]
    for area in boxes:
        kind = None if any(_covers(comb, area) for comb in combs) else _kind(area)
        if kind is not None:
            found.append((area, kind))
    found += [(area, None) for area in _lines(ink, across, down) if not any(_touch(area, other) for other, _ in found)]
    words = printed(blank.image) if printed else ()
    made = [_proposal(area, what, width, height, words) for area, what in found]
    return sorted(made, key=lambda one: (round(one.box.y0 * blank.height_mm / 4), one.box.x0))


def _mm(value: float) -> int:
    return max(1, round(value * PX_PER_MM))


def _rules(ink: Mask) -> tuple[Mask, Mask]:
    """Horizontal and vertical rules, gaps of half a millimetre closed. Thick black bars are none."""
    across = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, _mm(0.5)), np.uint8))
    across = cv2.morphologyEx(across, cv2.MORPH_OPEN, np.ones((1, _mm(RULE_MM)), np.uint8))
    down = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((_mm(0.5), 1), np.uint8))
    down = cv2.morphologyEx(down, cv2.MORPH_OPEN, np.ones((_mm(STROKE_MM), 1), np.uint8))
    thick = _mm(1.5)
    across = cv2.subtract(across, cv2.morphologyEx(across, cv2.MORPH_OPEN, np.ones((thick, 1), np.uint8)))
    down = cv2.subtract(down, cv2.morphologyEx(down, cv2.MORPH_OPEN, np.ones((1, thick), np.uint8)))
    return cast(Mask, across), cast(Mask, down)


def _boxes(ink: Mask, across: Mask, down: Mask) -> tuple[list[Area], list[Area]]:
    """Rectangles that rules enclose, without the rules: empty ones, and small ones with a letter in them, which the
    cells of a comb may have."""
    rules = cv2.dilate(cv2.bitwise_or(across, down), np.ones((3, 3), np.uint8))
    count, _labels, stats, _centres = cv2.connectedComponentsWithStats(cv2.bitwise_not(rules), connectivity=4)
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
        elif max(w, h) <= _mm(CELL_MM[1]):
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


def _combs(boxes: Sequence[Area]) -> list[tuple[Area, int]]:
    """Rows of equal cells side by side, at least three, as one area and the number of cells."""
    low, high = (_mm(value) for value in CELL_MM)
    cells = sorted(one for one in boxes if low <= one[2] - one[0] <= high and low <= one[3] - one[1] <= high)
    rows: list[list[Area]] = []
    for cell in cells:
        for row in rows:
            last = row[-1]
            level = abs(cell[1] - last[1]) <= 3 and abs(cell[3] - last[3]) <= 3
            alike = abs((cell[2] - cell[0]) - (last[2] - last[0])) <= 4
            if level and alike and -2 <= cell[0] - last[2] <= _mm(0.8):
                row.append(cell)
                break
        else:
            rows.append([cell])
    return [
        ((row[0][0], min(one[1] for one in row), row[-1][2], max(one[3] for one in row)), len(row))
        for row in rows
        if len(row) >= 3
    ]


def _kind(area: Area) -> FieldKind | None:
    """What a box is for by its size; None where it is too small for anything."""
    wide, high = (area[2] - area[0]) / PX_PER_MM, (area[3] - area[1]) / PX_PER_MM
    if max(wide, high) <= TICK_MM[1] and min(wide, high) >= TICK_MM[0] and 0.75 < wide / high < 1.33:
        return FieldKind.CHECKBOX
    if wide < LEAST_MM[0] or high < LEAST_MM[1]:
        return None
    if wide >= STAMP_MM[0] and high >= STAMP_MM[1] and wide / high < 2.4:
        return FieldKind.ENDORSEMENT
    if wide >= SIGNATURE_MM[0] and high >= SIGNATURE_MM[1] and wide < 110:
        return FieldKind.SIGNATURE
    return FieldKind.TEXT


def _lines(ink: Mask, across: Mask, down: Mask) -> list[Area]:
    """The space above rules, dotted ones too, that stand alone with room to write above them."""
    dots = _dotted(ink)
    count, _labels, stats, _centres = cv2.connectedComponentsWithStats(cv2.bitwise_or(across, dots), connectivity=8)
    width = ink.shape[1]
    print_ = cv2.subtract(ink, cv2.dilate(cv2.bitwise_or(across, dots), np.ones((3, 3), np.uint8)))
    found = []
    for label in range(1, count):
        x, y, w, h, _area = (int(value) for value in stats[label])
        if w < _mm(LINE_MM) or w > 0.88 * width or h > _mm(1.2) or y < _mm(EDGE_MM + FREE_MM):
            continue
        if down[max(0, y - _mm(1.5)) : y + h + _mm(1.5), x : x + w].any():
            continue  # The side of a box.
        top = max(_mm(EDGE_MM), y - _mm(WRITING_MM))
        above = _print(print_[top:y, x + 2 : x + w - 2], _mm(PRINT_MM))
        rules = across[top : y - _mm(1.0), x + 2 : x + w - 2]
        taken = np.asarray((above > 0).sum(axis=1) > 0)
        taken[: len(rules)] |= (rules > 0).mean(axis=1) > 0.3
        last = int(np.flatnonzero(taken)[-1]) + 1 if taken.any() else 0
        free = len(taken) - last
        if free >= _mm(FREE_MM):
            found.append((x, y - free, x + w, y))
    return found


def _dotted(ink: Mask) -> Mask:
    """Rows of dots that are rules to write on."""
    count, labels, stats, _centres = cv2.connectedComponentsWithStats(ink, connectivity=8)
    small = (stats[:, 2] <= _mm(0.7)) & (stats[:, 3] <= _mm(0.7))
    small[0] = False
    dots = np.where(small[labels], 255, 0).astype(np.uint8) if count > 1 else np.zeros_like(ink)
    joined = cv2.morphologyEx(dots, cv2.MORPH_CLOSE, np.ones((1, _mm(2.2)), np.uint8))
    return cast(Mask, cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, _mm(LINE_MM)), np.uint8)))


def _covers(outer: Area, inner: Area) -> bool:
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] < x < outer[2] and outer[1] < y < outer[3]


def _touch(one: Area, other: Area) -> bool:
    wide, high = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    return wide > _mm(1) and high > _mm(1)


def _proposal(area: Area, what: FieldKind | int | None, width: int, height: int, words: Words) -> Proposal:
    """A proposal from an area and what it is: a kind, a number of cells, or None for a rule to write on."""
    box = Box(area[0] / width, area[1] / height, area[2] / width, area[3] / height)
    cells = what if isinstance(what, int) else None
    kind = what if isinstance(what, FieldKind) else FieldKind.TEXT
    beside = _beside(box, words, width, height, kind)
    identifier = None
    for pattern, told, holds in WORDS if kind is not FieldKind.CHECKBOX else ():
        if not re.search(pattern, beside.lower()) or (holds and cells != CELLS[holds]):
            continue
        if cells and told in (FieldKind.SIGNATURE, FieldKind.ENDORSEMENT):
            continue
        kind, identifier = told, holds
        break
    else:
        # Eight cells in a row are a date wherever nothing else is said.
        if cells == 8 and not beside:
            kind = FieldKind.DATE
    more = {"format": "DDMMYYYY" if cells == 8 else "DDMMYY"} if kind is FieldKind.DATE and cells in (6, 8) else {}
    return Proposal(kind, box, cells, identifier, beside, more)


def _beside(box: Box, words: Words, width: int, height: int, kind: FieldKind) -> str:
    """The words that belong to a field: to its left (a box to tick: right), else right above or below it."""
    near: list[tuple[float, str]] = []
    for text, where in words:
        middle = (where.y0 + where.y1) / 2
        level = box.y0 - 0.3 * box.height < middle < box.y1 + 0.2 * box.height
        left, right = (box.x0 - where.x1) * width / PX_PER_MM, (where.x0 - box.x1) * width / PX_PER_MM
        shared = min(box.x1, where.x1) - max(box.x0, where.x0)
        over, under = (box.y0 - where.y1) * height / PX_PER_MM, (where.y0 - box.y1) * height / PX_PER_MM
        if kind is FieldKind.CHECKBOX and level and -2 <= right < 8:
            near.append((right, text))
        elif kind is not FieldKind.CHECKBOX and level and -2 <= left < LEFT_MM:
            near.append((left, text))
        elif kind is not FieldKind.CHECKBOX and shared > 0 and (-2 <= over < ABOVE_MM or -1 <= under < 5):
            near.append((10 + max(over, under), text))
    return min(near)[1].strip(" :*.…_") if near else ""


def names(found: Sequence[Proposal]) -> list[str]:
    """A name for each proposal: its words in lower case, or its kind; numbered where two would be alike."""
    wanted = []
    for one in found:
        name = re.sub(r"[^a-z0-9]+", "_", one.words.lower()).strip("_")
        name = re.sub(r"^[0-9_]+", "", name)[:40].strip("_")
        wanted.append(name or one.kind.value)
    made: list[str] = []
    for row, name in enumerate(wanted):
        order = wanted[: row + 1].count(name)
        candidate = name if wanted.count(name) == 1 else f"{name}_{order}"
        while candidate in made or (candidate != name and candidate in wanted):
            candidate += "_x"
        made.append(candidate)
    return made
