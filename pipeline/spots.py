"""Places on a page of no known form where a field may be: beside its label, and where there is ink that is no print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from pipeline import amounts
from pipeline.comb import Mask
from pipeline.cutting import cut_out
from pipeline.doctypes.propose import Words
from pipeline.doctypes.ruling import TICK_MM, places
from pipeline.doctypes.schema import FieldKind, Identifier
from pipeline.frames import frames
from pipeline.geometry import Box
from pipeline.identifiers import check, cleaned
from pipeline.pages import Page
from pipeline.printed import is_left_of, part
from pipeline.reading import Pixels
from pipeline.sheet import PX_PER_MM, darkness

#: Spots that are looked at on a page, at most.
MOST_SPOTS = 14

#: Words beside a field of each kind.
LABELS: dict[FieldKind, str] = {
    FieldKind.DATE: r"\b(dated?|dt|d\.o\.b|dob)(?![a-z])\.?|^le(?=\W*$)|^fait [aà] .*\ble(?=\W*$)",
    FieldKind.SIGNATURE: r"\b(sign(ature|ed|atory)?|sd)\b\.?|^for\s+(?=[a-z])",
    FieldKind.ENDORSEMENT: r"\b(stamp|seal)\b",
    FieldKind.IDENTIFIER: r"\b(pan|isin|ifsc?|bo ?id|client ?id|dp ?id|aadhaar|uid|demat a/?c( no)?)\b\.?",
    FieldKind.AMOUNT: r"\b(grand total|total|amount|amt|rs|rupees|sum of)\b\.?|₹",
}

#: How far a field reaches to the right of its label and how high it is (mm), by kind.
REACH_MM, HEIGHT_MM = 70.0, {FieldKind.SIGNATURE: 18.0, FieldKind.ENDORSEMENT: 24.0}
LINE_HEIGHT_MM, LEAST_REACH_MM = 9.0, 14.0

#: What is printed above, in or under the boxes of a date, and how far (mm) from a row of boxes its label may stand:
#: above or below it, and to its left.
PATTERN = re.compile(r"^[^a-z]*d[^a-z]*d[^a-z]*m[^a-z]*m([^a-z]*y){2,4}[^a-z]*$", re.IGNORECASE)
OVER_MM, LEFT_MM = 6.0, 14.0

#: A row of boxes takes the place of what a label alone says if it covers so much of the narrower of both.
COVERED = 0.5

#: A field ends so far (mm) behind what OCR makes of its writing.
AFTER_MM = 3.0

#: Ink is at least this much darker than the paper around it (grey levels).
DARKER = 25

#: Strokes so near to each other (mm) belong together, to the side and above and below; of stamps, parts so near.
LINK_MM, STAMP_LINK_MM = (2.0, 1.2), (5.0, 4.0)

#: Sides of a mark of ink (mm): at least, at most.
LEAST_MARK_MM, MOST_MARK_MM = (7.0, 3.0), (120.0, 75.0)

#: A coloured pixel: the distance between its strongest and its weakest channel.
COLOURED = 45

_IDENTIFIERS = (
    (Identifier.PAN, re.compile(r"\b[A-Z]{5}\d{4}[A-Z]\b")),
    (Identifier.ISIN, re.compile(r"\b[A-Z]{2}[A-Z0-9]{9}\d\b")),
    (Identifier.IFSC, re.compile(r"\b[A-Z]{4}0[A-Z0-9]{6}\b")),
    (Identifier.BO_ID, re.compile(r"\b(?:IN\d{14}|\d{16})\b")),
)
_AMOUNT = re.compile(r"\d[\d,]*(?:\.\d{1,2})?(?:/-)?")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where the field may be; `labelled` says that print beside it says so."""

    box: Box
    labelled: bool


def spots(page: Page, kind: FieldKind, words: Words) -> list[Spot]:
    """Where a field of that kind may be, labelled places first, then ink, the largest first."""
    if kind is FieldKind.CHECKBOX:
        return [Spot(box, True) for box in _ticks(page)][: 2 * MOST_SPOTS]
    found = [Spot(box, True) for box in _beside_labels(page, kind, words)]
    if kind is FieldKind.DATE:
        rows = _date_boxes(page, words)
        found = rows + [spot for spot in found if not any(_covers(one.box, spot.box) for one in rows)]
    if kind in (FieldKind.SIGNATURE, FieldKind.ENDORSEMENT, FieldKind.TEXT):
        marks = _stamps(page) if kind is FieldKind.ENDORSEMENT and page.colour is not None else _marks(page, words)
        found += [Spot(box, False) for box in marks]
    return found[:MOST_SPOTS]


def printed_identifiers(words: Words) -> Iterator[tuple[str, Box]]:
    """Identifiers in print that are well formed."""
    for text, box in words:
        for identifier, pattern in _IDENTIFIERS:
            for each in pattern.finditer(text.upper()):
                if check(identifier, cleaned(each.group())) is None:
                    yield each.group(), part(box, text, each.start(), each.end())


def printed_amounts(words: Words) -> Iterator[tuple[str, int | None, Box]]:
    """Printed figures beside words such as "total" or "Rs"."""
    label = re.compile(LABELS[FieldKind.AMOUNT], re.IGNORECASE)
    for text, box in words:
        named = label.search(text)
        beside = any(label.search(other) for other, where in words if is_left_of(where, box))
        for each in _AMOUNT.finditer(text):
            if (named is not None and each.start() >= named.end()) or (beside and each.group() == text.strip()):
                yield each.group(), amounts.figures(each.group()), part(box, text, each.start(), each.end())


def _beside_labels(page: Page, kind: FieldKind, words: Words) -> Iterator[Box]:
    """Free space to the right of labels and above them."""
    if kind not in LABELS:
        return
    height, width = page.image.shape
    mm_x, mm_y = page.dpi / 25.4 / width, page.dpi / 25.4 / height
    high = HEIGHT_MM.get(kind, LINE_HEIGHT_MM) * mm_y
    label = re.compile(LABELS[kind], re.IGNORECASE)
    letter = float(np.median([one.width / len(text) for text, one in words if text.isalpha()] or [2.0 * mm_x]))
    for text, box in words:
        found = label.search(text)
        # Long lines are prose, in which such words say nothing.
        if found is None or len(text) > 60:
            continue
        rest = text[found.end() :]
        if not _wordy(rest):
            own = _figures(rest)
            if own:
                # Letters of some print are narrower than most of the page's.
                start = _gap(page, box, min(box.x0 + found.end() * letter, box.x1), 2 * letter)
            else:
                start = part(box, text, 0, max(1, found.end())).x1 + 1.0 * mm_x
            middle = (box.y0 + box.y1) / 2
            line = sorted(
                (one.x0, one.x1, other) for other, one in words if one.x0 > start and one.y0 < middle < one.y1
            )
            # Figures that OCR makes out beside a label may be what somebody wrote; words are the next label.
            written = [x1 for _x0, x1, other in line if _figures(other)]
            end = min([start + REACH_MM * mm_x, 0.995, *(x0 for x0, _x1, other in line if not _figures(other))])
            told = max([box.x1] * own + [x1 for x1 in written if x1 < end], default=0.0)
            end = min(end, told + AFTER_MM * mm_x) if told else end
            if end - start > LEAST_REACH_MM * mm_x:
                # Hands write on a line: more above it than below.
                yield Box(start, max(0.0, middle - 0.6 * high), end, min(1.0, middle + 0.4 * high))
        if kind in (FieldKind.SIGNATURE, FieldKind.ENDORSEMENT, FieldKind.DATE):
            left, top, wide = box.x0 - 5 * mm_x, max(0.0, box.y0 - high), max(box.width + 10 * mm_x, 40 * mm_x)
            # At the top of a page there is no room.
            if box.y0 - top > 0.4 * high:
                above = Box(max(0.0, left), top, min(1.0, left + wide), box.y0)
                if _printed_share(above, words) < 0.25:
                    yield above


def _date_boxes(page: Page, words: Words) -> list[Spot]:
    """Rows of as many boxes as a date has digits, those first that a label says are one."""
    height, width = page.image.shape
    mm_x, mm_y = page.dpi / 25.4 / width, page.dpi / 25.4 / height
    label = re.compile(LABELS[FieldKind.DATE], re.IGNORECASE)
    named = [box for text, box in words if label.search(text) or PATTERN.search(text)]
    rows = [box for box in frames(page) if cut_out(page, FieldKind.DATE, box).row is not None]
    found = []
    for row in rows:
        near = Box(row.x0 - LEFT_MM * mm_x, row.y0 - OVER_MM * mm_y, row.x1, row.y1 + OVER_MM * mm_y)
        found.append(Spot(row, any(near.x0 < one.x1 and one.x0 < near.x1 and _level(one, near) for one in named)))
    return sorted(found, key=lambda one: not one.labelled)


def _level(one: Box, near: Box) -> bool:
    return near.y0 < (one.y0 + one.y1) / 2 < near.y1


def _covers(row: Box, spot: Box) -> bool:
    """Whether a row of boxes is what a label's free space means."""
    shared = min(row.x1, spot.x1) - max(row.x0, spot.x0)
    return shared > COVERED * min(row.width, spot.width) and spot.y0 < (row.y0 + row.y1) / 2 < spot.y1


def _wordy(text: str) -> bool:
    """Whether words stand there: not only separators, and what OCR makes of figures that somebody wrote."""
    return bool(re.sub(r"[\s:._…\-/]", "", text)) and not _figures(text)


def _figures(text: str) -> bool:
    """Whether most of what OCR read are digits, or it is one word with three of them, as identifiers are."""
    digits = sum(one.isdigit() for one in text)
    return digits > sum(one.isalpha() for one in text) or (digits >= 3 and len(text.split()) == 1)


def _gap(page: Page, box: Box, near: float, reach: float) -> float:
    """The middle of the widest bare stretch of a line around the place where its label should end."""
    work, _to_page = page.work
    height, width = int(work.shape[0]), int(work.shape[1])
    x0, y0, x1, y1 = Box(max(box.x0, near - reach), box.y0, min(box.x1, near + reach), box.y1).pixels(width, height)
    inked = np.flatnonzero((darkness(work[y0:y1, x0:x1]) > DARKER).any(axis=0))
    if len(inked) < 2:
        return near
    widest = int(np.diff(inked).argmax())
    middle = x0 + (int(inked[widest]) + int(inked[widest + 1])) / 2
    return middle / width


def _printed_share(box: Box, words: Words) -> float:
    covered = 0.0
    for _text, one in words:
        across, down = min(box.x1, one.x1) - max(box.x0, one.x0), min(box.y1, one.y1) - max(box.y0, one.y0)
        covered += max(0.0, across) * max(0.0, down)
    return covered / (box.width * box.height)


def _marks(page: Page, words: Words) -> list[Box]:
    """Ink that is no print, no rule and no frame, in pieces as large as a word or a signature."""
    work, _to_page = page.work
    ink = darkness(work) > DARKER
    ink &= ~_rules(ink)
    height, width = ink.shape
    for _text, box in words:
        x0, y0, x1, y1 = box.pixels(width, height)
        # A signature goes through print: what is much higher than the line stays.
        inside = ink[max(0, y0 - 1) : y1 + 2, max(0, x0 - 1) : x1 + 2]
        count, labels, stats, _centres = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
        small = stats[:, 3] <= inside.shape[0]
        small[0] = False
        if count > 1:
            inside &= ~small[labels]
    return _pieces(ink, LINK_MM)


def _stamps(page: Page) -> list[Box]:
    """Coloured ink in pieces as large as a stamp."""
    assert page.colour is not None  # noqa: S101 the caller has looked
    work, _to_page = page.work
    small = cv2.resize(page.colour, work.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.int16)
    coloured = np.asarray(small.max(axis=2) - small.min(axis=2) > COLOURED) & (darkness(work) > DARKER // 2)
    return _pieces(coloured, STAMP_LINK_MM)


def _rules(ink: Mask) -> Mask:
    """Lines longer than a stroke of a pen."""
    pixels, long = ink.astype(np.uint8), round(18 * PX_PER_MM)
    across = cv2.morphologyEx(pixels, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    down = cv2.morphologyEx(pixels, cv2.MORPH_OPEN, np.ones((long, 1), np.uint8))
    return np.asarray(cv2.dilate(cv2.bitwise_or(across, down), np.ones((3, 3), np.uint8)) > 0)


def _pieces(ink: Mask, link_mm: tuple[float, float]) -> list[Box]:
    """Boxes around ink that belongs together, the most ink first."""
    height, width = ink.shape
    pixels = ink.astype(np.uint8)
    link = np.ones((max(1, round(link_mm[1] * PX_PER_MM)), max(1, round(link_mm[0] * PX_PER_MM))), np.uint8)
    joined = cv2.morphologyEx(pixels, cv2.MORPH_CLOSE, link)
    count, labels, stats, _centres = cv2.connectedComponentsWithStats(joined, connectivity=8)
    amount = np.bincount(labels[ink], minlength=count)
    found: list[tuple[int, Box]] = []
    for label in range(1, count):
        x, y, w, h, _area = (int(value) for value in stats[label])
        wide, high = w / PX_PER_MM, h / PX_PER_MM
        if not (LEAST_MARK_MM[0] <= wide <= MOST_MARK_MM[0] and LEAST_MARK_MM[1] <= high <= MOST_MARK_MM[1]):
            continue
        # Pictures and black bars are filled; strokes are not.
        if amount[label] < 2.0 * PX_PER_MM**2 or amount[label] > 0.55 * w * h:
            continue
        found.append((int(amount[label]), Box(x / width, y / height, (x + w) / width, (y + h) / height)))
    return [box for _amount, box in sorted(found, key=lambda one: -one[0])]


def _ticks(page: Page) -> Iterator[Box]:
    """Boxes to tick."""
    factor = 150 / page.dpi
    height, width = page.image.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    image = cv2.resize(page.image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    low, high = (side * 150 / 25.4 for side in TICK_MM)
    for x0, y0, x1, y1 in places(cast(Pixels, image)).boxes:
        if low <= x1 - x0 <= high and low <= y1 - y0 <= high:
            yield Box(x0 / size[0], y0 / size[1], x1 / size[0], y1 / size[1])
