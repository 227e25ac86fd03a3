"""Strings on lines, seen from near: cut close around the ink, where their field has room for much more.

People write on a line as large as they like, and a field's height is made for the largest of them. A model sees all its
pictures at one size, so most writing on lines would be a few pixels high; letters in comb boxes fill theirs.
"""

from __future__ import annotations

import numpy as np

from pipeline import comb
from pipeline.evidence import MARGIN_X, MARGIN_Y
from pipeline.reading import STRINGS, Pixels, QuestionKind

#: Room left around ink, in parts of its height, to the sides and above and below.
ROOM_X, ROOM_Y = 0.4, 0.28

#: Of a cut's height at least this share is seen: what is less high than that is dirt, or a dash.
LEAST_SHARE = 0.3

#: A cut that is not so many times as high or as wide as what would be seen of it is seen whole.
WORTH = 1.15


def area(image: Pixels) -> comb.Area | None:
    """The part of a field's cut, made with margins, that shows what is written on its line; None where nothing is
    written, or it fills the cut anyway."""
    height, width = image.shape
    across = round(width * MARGIN_X / (1 + 2 * MARGIN_X))
    down = round(height * MARGIN_Y / (1 + 2 * MARGIN_Y))
    found = comb.written(image, (across, down, width - across, height - down))
    if found is None:
        return None
    x0, y0, x1, y1 = found
    high = y1 - y0
    above = max(ROOM_Y * high, (LEAST_SHARE * height - high) / 2)
    top, bottom = max(0, round(y0 - above)), min(height, round(y1 + above))
    left, right = max(0, round(x0 - ROOM_X * high)), min(width, round(x1 + ROOM_X * high))
    if height < WORTH * (bottom - top) and width < WORTH * (right - left):
        return None
    return left, top, right, bottom


def seen(image: Pixels, part: comb.Area) -> Pixels:
    """That part of a cut."""
    left, top, right, bottom = part
    return np.ascontiguousarray(image[top:bottom, left:right])


def views(image: Pixels, kind: QuestionKind, cells: int | None) -> tuple[Pixels, Pixels | None]:
    """What of a field's cut is shown first; and the whole cut, where that is only a part of it."""
    part = area(image) if kind in STRINGS and cells is None else None
    return (image, None) if part is None else (seen(image, part), image)
