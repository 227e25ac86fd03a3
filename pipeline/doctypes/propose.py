"""Fields proposed for a blank: combs, boxes and rules to write on, found by their lines.

A person corrects what comes of this, so a box that is missed costs more than one too many, and a box that is there
must be exact. With somebody who reads print, fields are called after the words beside them; without, after their kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import cv2
import numpy as np

from pipeline.doctypes.combs import Comb, combs, covers, touch
from pipeline.doctypes.recover import Blank
from pipeline.doctypes.rules import PX_PER_MM
from pipeline.doctypes.ruling import LEAST_MM, TICK_MM, Area, places
from pipeline.doctypes.schema import FieldKind, Identifier
from pipeline.geometry import Box
from pipeline.reading import Pixels

Words: TypeAlias = Sequence[tuple[str, Box]]
PrintedWords: TypeAlias = Callable[[Pixels], Words]
"""Reads print: the pieces of text on a page and where they stand, in fractions of it."""

#: Boxes from this size on (mm) take a stamp, flatter ones of this width and height a signature.
STAMP_MM, SIGNATURE_MM = (28.0, 20.0), (30.0, 9.0)

#: How far words may stand from the field they belong to, to its left and above (mm).
LEFT_MM, ABOVE_MM = 60.0, 9.0

#: Longer pieces of print are prose, and one letter is the caption of a cell or the number of a line.
LONGEST_LABEL = 60

#: Boxes from this height on (mm) have their words above or below rather than to their left.
TALL_MM = 12.0

#: Filled samples show a place to write on where so many of them are written on, of this size (mm), and so little of it
#: is a field already; its words may stand so far under it. More than so much print is no place to write on, but print
#: that is elsewhere on each sample.
MOST_WRITE, HAND_MM, KNOWN, UNDER_MM, PRINTED = 0.5, (8.0, 3.5), 0.25, 14.0, 0.04

#: The words of a box to tick may begin with the box itself (mm), which looks like a letter.
WIDE_MM = 4.5

#: An amount in figures needs no more than this (mm).
WORDS_MM = 55.0

#: So many letters and more are words.
WORDED = 4

#: Print on a blank is darker than this.
DARK = 150

#: Cells from so many on whose words say that a number stands in them are read as one; so are eight whose words speak of
#: a day, as a date.
NUMBERED, NUMBER, NAME = 4, re.compile(r"\b(no|nos|number|code|id|ref|reference|serial)\b"), re.compile(r"name|e-?mail")
DAY = re.compile(r"\b(from|to|till|until|upto|period|expiry|issued)\b")

#: The letters of a date in, over or under its boxes.
LETTERS = re.compile(r"[DMY /|.-]*[DMY][DMY /|.-]*")

#: A piece of print of more words than this is seldom the name of what stands below it.
LONG_NAME = 5

#: Words that tell what a field holds, looked for in this order.
WORDS: tuple[tuple[str, FieldKind, Identifier | None], ...] = (
    (r"\bsign(ature|ed)?\b", FieldKind.SIGNATURE, None),
    (r"\b(stamp|seal|endorse)", FieldKind.ENDORSEMENT, None),
    (r"\b(date|dob|d\.o\.b|dated)\b", FieldKind.DATE, None),
    (r"\bisin\b", FieldKind.IDENTIFIER, Identifier.ISIN),
    (r"\bpan\b", FieldKind.IDENTIFIER, Identifier.PAN),
    (r"x{4}|\b(aadhaar|uid)\b", FieldKind.IDENTIFIER, Identifier.AADHAAR_LAST4),
    (r"\b(aadhaar|uid)\b", FieldKind.IDENTIFIER, Identifier.AADHAAR),
    (r"\bifsc?\b", FieldKind.IDENTIFIER, Identifier.IFSC),
    (r"\b(bo id|client id|demat a)", FieldKind.IDENTIFIER, Identifier.BO_ID),
    (r"\bpin\b[ /]*(post)? ?code\b", FieldKind.IDENTIFIER, Identifier.PIN_CODE),
    (r"\b(amount|quantity|rs\.?|rupees|consideration)\b", FieldKind.AMOUNT, None),
)

#: Cells an identifier has: with fewer or more it is something else.
CELLS = {
    Identifier.PAN: 10,
    Identifier.AADHAAR_LAST4: 4,
    Identifier.AADHAAR: 12,
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
    there = places(blank.image)
    words = printed(blank.image) if printed else ()
    rows = [one for one in combs(blank, there) if not _worded(one, words, width, height)]
    found: list[tuple[Area, FieldKind | Comb | None]] = [(one.area, one) for one in rows]
    for area in there.boxes:
        kind = None if any(covers(one.area, area) for one in rows) else _kind(area)
        if kind is not None:
            found.append((area, kind))
    found += [(area, None) for area in there.lines if not any(touch(area, other) for other, _what in found)]
    known = [other for other, _what in found]
    hands = [_beyond(one, known) for one in _apart(list(_hands(blank))) if _shared(one, known) < KNOWN]
    made = [_proposal(area, what, width, height, words) for area, what in found]
    crowded = [area for area in there.crowded if not any(touch(area, other) for other in known)]
    made += [one for one in (_proposal(area, None, width, height, words) for area in crowded) if _signs(one)]
    tall = HAND_MM[1] * PX_PER_MM
    made += [_by_hand(area, width, height, words) for area in hands if area[3] - area[1] >= tall]
    made.sort(key=lambda one: (round(one.box.y0 * blank.height_mm / 4), one.box.x0))
    _head_columns(made, blank)
    if any(_signs(one) for one in made):
        # Where words say where to sign, a large box without such words is for something else.
        for one in made:
            if one.kind is FieldKind.SIGNATURE and not _signs(one):
                one.kind = FieldKind.TEXT
    return made


def _worded(comb: Comb, words: Words, width: int, height: int) -> bool:
    """Whether words are printed in a row of cells, other than the letters of a date: a line of a table then."""
    for text, where in words:
        inside = covers(comb.area, where.pixels(width, height))
        if inside and len(re.sub(r"[^a-z]", "", text.lower())) >= WORDED and not LETTERS.fullmatch(text.upper()):
            return True
    return False


def _signs(one: Proposal) -> bool:
    return one.kind is FieldKind.SIGNATURE and re.search(WORDS[0][0], one.words.lower()) is not None


def _hands(blank: Blank) -> Iterator[Area]:
    """Where most samples are written on, whether rules say so or not."""
    if blank.written is None:
        return
    height, width = blank.image.shape
    most = np.asarray(blank.written > 255 * MOST_WRITE, np.uint8)
    _count, _labels, stats, _centres = cv2.connectedComponentsWithStats(most, connectivity=8)
    for x, y, w, h, _area in stats[1:].tolist():
        # Off the edge, where pages end and borders are.
        inside = min(x, y, width - x - w, height - y - h) > 2 * PX_PER_MM
        printed = float((blank.image[y : y + h, x : x + w] < DARK).mean())
        if printed < PRINTED and inside and w >= HAND_MM[0] * PX_PER_MM and h >= HAND_MM[1] * PX_PER_MM:
            yield x, y, x + w, y + h


def _apart(areas: list[Area]) -> list[Area]:
    """The areas, what two of them share given half to each: long letters reach into the line below."""
    apart = sorted(areas, key=lambda one: one[1])
    for lower in range(1, len(apart)):
        for upper in range(lower):
            one, other = apart[upper], apart[lower]
            if min(one[2], other[2]) > max(one[0], other[0]) and one[3] > other[1]:
                middle = (max(one[1], other[1]) + min(one[3], other[3])) // 2
                apart[upper], apart[lower] = (*one[:3], middle), (other[0], middle, *other[2:])
    return [one for one in apart if one[3] - one[1] >= HAND_MM[1] * PX_PER_MM]


def _beyond(area: Area, known: Sequence[Area]) -> Area:
    """The area without what known fields have of its upper or its lower end."""
    x0, y0, x1, y1 = area
    for one in known:
        if min(x1, one[2]) > max(x0, one[0]) and min(y1, one[3]) > max(y0, one[1]):
            y0, y1 = (y0, one[1]) if one[1] - y0 > y1 - one[3] else (one[3], y1)
    return x0, y0, x1, y1


def _shared(area: Area, others: Sequence[Area]) -> float:
    """How much of an area others cover."""
    covered = 0.0
    for one in others:
        wide, high = min(area[2], one[2]) - max(area[0], one[0]), min(area[3], one[3]) - max(area[1], one[1])
        covered += max(0, wide) * max(0, high)
    return covered / ((area[2] - area[0]) * (area[3] - area[1]))


def _by_hand(area: Area, width: int, height: int, words: Words) -> Proposal:
    """A proposal from where people write. Below a signature its name stands, and below that what is to be signed."""
    made = _proposal(area, None, width, height, words)
    for text, where in words:
        under = (where.y0 - made.box.y1) * height / PX_PER_MM
        aligned = min(made.box.x1, where.x1) - max(made.box.x0, where.x0) > 0
        if aligned and -2 < under < UNDER_MM and re.search(WORDS[0][0], text.lower()) and len(text) <= LONGEST_LABEL:
            made.kind, made.identifier, made.more = FieldKind.SIGNATURE, None, {}
            made.words = text.strip(" :*.…_")
    return made


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


def _proposal(area: Area, what: FieldKind | Comb | None, width: int, height: int, words: Words) -> Proposal:
    """A proposal from an area and what it is: a kind, a row of cells, or None for a rule to write on."""
    box = Box(area[0] / width, area[1] / height, area[2] / width, area[3] / height)
    comb = what if isinstance(what, Comb) else None
    cells = comb.cells if comb else None
    kind = what if isinstance(what, FieldKind) else FieldKind.TEXT
    beside = _beside(box, words, width, height, kind)
    wide = (area[2] - area[0]) / PX_PER_MM
    identifier = None
    for pattern, told, holds in WORDS if kind is not FieldKind.CHECKBOX else ():
        if not re.search(pattern, beside.lower()) or (holds and cells != CELLS[holds]):
            continue
        if cells and told in (FieldKind.SIGNATURE, FieldKind.ENDORSEMENT):
            continue
        kind, identifier = told, holds
        if kind is FieldKind.AMOUNT and cells is None and "rupees" in beside.lower() and wide > WORDS_MM:
            # So long a line after "Rupees" is for words.
            kind = FieldKind.TEXT
        break
    else:
        # Eight cells in a row are a date wherever nothing else is said, and where letters say so.
        lettered = _lettered(box, words)
        day = cells == 8 and (not beside or DAY.search(beside.lower()))
        if comb and cells in (6, 8) and (lettered or comb.groups or day):
            kind = FieldKind.DATE
            # What stands beside it is for something else.
            beside = "" if lettered else beside
        elif cells and cells >= NUMBERED and NUMBER.search(beside.lower()) and not NAME.search(beside.lower()):
            kind, identifier = FieldKind.IDENTIFIER, Identifier.SERIAL
    more: dict[str, Any] = (
        {"format": "DDMMYYYY" if cells == 8 else "DDMMYY"} if kind is FieldKind.DATE and cells in (6, 8) else {}
    )
    if comb and comb.groups:
        more |= {"groups": list(comb.groups), "gap": comb.gap}
    return Proposal(kind, box, cells, identifier, beside, more)


def _lettered(box: Box, words: Words) -> bool:
    """Whether a comb has the letters of a date in, above or below its cells: D D M M Y Y Y Y."""
    for text, where in words:
        inside = box.x0 - 0.01 < where.x0 and where.x1 < box.x1 + 0.01
        near = box.y0 - 1.2 * box.height < where.y0 < box.y1 + 0.8 * box.height
        if inside and near and LETTERS.fullmatch(text.upper()):
            return True
    return False


def _beside(box: Box, words: Words, width: int, height: int, kind: FieldKind) -> str:
    """The words that belong to a field: to its left (a box to tick: right), else right above or below it."""
    near: list[tuple[float, str]] = []
    tall = box.height * height / PX_PER_MM > TALL_MM
    for text, where in words:
        if len(text) > LONGEST_LABEL or len(re.sub(r"[^a-zA-Z]", "", text)) < 2 or LETTERS.fullmatch(text.upper()):
            continue
        middle = (where.y0 + where.y1) / 2
        level = box.y0 - 0.3 * box.height < middle < box.y1 + 0.2 * box.height
        left, right = (box.x0 - where.x1) * width / PX_PER_MM, (where.x0 - box.x1) * width / PX_PER_MM
        shared = min(box.x1, where.x1) - max(box.x0, where.x0)
        over, under = (box.y0 - where.y1) * height / PX_PER_MM, (where.y0 - box.y1) * height / PX_PER_MM
        if kind is FieldKind.CHECKBOX and level and -WIDE_MM <= right < 8:
            near.append((abs(right), text))
        elif kind is not FieldKind.CHECKBOX and level and -2 <= left < LEFT_MM:
            near.append((left + 40 * tall, text))
        elif kind is not FieldKind.CHECKBOX and shared > 0 and (-2 <= over < ABOVE_MM or -1 <= under < 5):
            near.append((25 + max(over, under) + 20 * (len(text.split()) > LONG_NAME), text))
    return min(near)[1].strip(" :*.…_") if near else ""


def _head_columns(made: Sequence[Proposal], blank: Blank) -> None:
    """Cells of a table that nothing is printed beside hold what the cell above them holds."""
    for row, one in enumerate(made):
        for above in reversed(made[:row]):
            gap = (one.box.y0 - above.box.y1) * blank.height_mm
            aside = max(abs(one.box.x0 - above.box.x0), abs(one.box.x1 - above.box.x1)) * blank.width_mm
            if not one.words and one.cells == above.cells and -0.5 < gap < 5 and aside < 1:
                one.words, one.kind, one.identifier, one.more = above.words, above.kind, above.identifier, above.more
                break


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
