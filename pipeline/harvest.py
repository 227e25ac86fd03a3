"""All evidence of a located page: its fields, and ink that none of them explains.

Of a form half of the fields are empty, and most of them show nothing at all that the blank doesn't show. Those are told
here, so that no model need look at them. Whatever is in doubt is left to the model: a page whose place is not sure, a
field that may be cut in the wrong place, a speck, a shadow, a digit that a printed line may hide.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import cv2
import numpy as np

from pipeline.doctypes.schema import FormField
from pipeline.evidence import MARGIN_X, MARGIN_Y, cut, shown_part
from pipeline.ink import BIN, Ink, laid
from pipeline.locate import Location
from pipeline.pages import Page
from pipeline.reading import Evidence, Pixels, QuestionKind
from pipeline.unexpected import unexpected

#: The faintest ink, in grey levels over what paper and print explain, as the mean of a square of this many work pixels.
#: Nobody sees less; the palest of 28,519 drawn fields that hold something reaches 21 (docs/decisions/0040).
FAINT, SQUARE = 8, 3

#: What is so many grey levels darker than the page's paper may be ink all over.
SHADED = 48

#: Inside a box to tick the blank is at least this dark only where something stands (grey levels).
DARK = 24

#: Work pixels where nothing is printed, as a share of the field's: with fewer nothing can be told.
LEAST_BARE = 0.1

#: What these hold can't hide behind a printed line. A single digit can: a 1 on the side of its box.
TOLD = (
    QuestionKind.SIGNATURE,
    QuestionKind.DATE,
    QuestionKind.ENDORSEMENT,
    QuestionKind.TEXT,
    QuestionKind.CHECKBOX,
)


def harvest(page: Page, location: Location) -> tuple[Evidence, ...]:
    """The evidence of every field on a located page, those that are untouched marked so, and of unexpected ink."""
    found, ink = cut(page, location), laid(page, location)
    if ink is not None and location.doctype is not None:
        extra = _extra(ink)
        fields = {one.name: one for one in location.doctype.fields}
        found = [replace(one, untouched=_untouched(one, fields[one.field], ink, extra)) for one in found]
    return (*found, *unexpected(page, ink))


def _extra(ink: Ink) -> Pixels:
    """By how much each square is darker than paper and print explain."""
    return cast(Pixels, cv2.blur(cv2.subtract(ink.dark, ink.expected), (SQUARE, SQUARE)))


def _untouched(evidence: Evidence, field: FormField, ink: Ink, extra: Pixels) -> bool:
    """Whether the place of a field, with the margins that are cut with it, shows nothing but the blank."""
    if evidence.faults or evidence.kind not in TOLD:
        return False
    box = shown_part(field).widened(MARGIN_X, MARGIN_Y)
    x0, y0, x1, y1 = box.pixels(ink.sheet.width, ink.sheet.height)
    place = np.s_[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1]
    if not extra[place].size or int(extra[place].max()) > FAINT:
        return False
    # A stamp may be wider than what counts as the paper around a pixel: then it is no darker than that.
    bare = ink.known[place] <= BIN
    if bare.mean() < LEAST_BARE or ink.upright[place][bare].min() < ink.paper - SHADED:
        return False
    return evidence.kind is not QuestionKind.CHECKBOX or not _ticked(field, ink)


def _ticked(field: FormField, ink: Ink) -> bool:
    """Whether the blank itself has something in a box to tick, as one made of filled forms may: every tick there looks
    like print then."""
    x0, y0, x1, y1 = field.where.widened(-0.25, -0.25).pixels(ink.sheet.width, ink.sheet.height)
    return bool(ink.sheet.darkness[y0 : y1 + 1, x0 : x1 + 1].max(initial=0) > DARK)
