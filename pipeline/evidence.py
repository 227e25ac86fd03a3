"""Evidence: the image of each field, cut upright and tight out of a located page.

Every cut is one warp from the page as it arrived: nothing is resampled twice. The map is the page's registration,
corrected by where print near the field really stands. Of a masked field only the part with the last four digits is
ever cut, and derived page images have the rest blotted out.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.doctypes.schema import FormField, Identifier
from pipeline.geometry import Box
from pipeline.locate import Location
from pipeline.pages import Colour, Page
from pipeline.reading import Evidence, Pixels, QuestionKind, Row
from pipeline.sheet import PX_PER_MM, Fit, Floats, Sheet, moved

#: Dots an inch of evidence.
CUT_DPI = 200.0

#: Margins around a field, as shares of its width and height; those of the alternate cut are half as wide.
MARGIN_X, MARGIN_Y = 0.025, 0.15

#: A field whose print strays further than this (mm on paper) may be cut in the wrong place.
MOST_RESIDUAL_MM = 0.8

#: Print within this distance of a field (mm) must be where it belongs.
AROUND_MM = 22.0

#: Fields scanned at less than this many dots an inch can't be read.
LEAST_DPI = 80.0

#: Millimetres around a masked part that are blotted out with it.
BLOT_MM = 2.0


def cut(page: Page, location: Location) -> list[Evidence]:
    """The evidence of every field on a located page, in the order of the type; none for a page that is no known form.

    Doubts about a single cut are its `faults`: "off page", "registration", "resolution".
    """
    if location.doctype is None or location.sheet is None or location.fit is None:
        return []
    return [_field(page, location, one) for one in location.doctype.fields if one.page == location.form_page]


def derived(page: Page, location: Location) -> Pixels | Colour:
    """The page as it may be shown and stored: with all but the last four digits of masked fields blotted out."""
    image = (page.image if page.colour is None else page.colour).copy()
    if location.doctype is None or location.sheet is None or location.fit is None:
        return image
    for one in location.doctype.fields:
        if one.page == location.form_page and is_masked(one):
            shown, box = shown_part(one), one.where
            sheet = location.sheet
            dx, dy = BLOT_MM * PX_PER_MM / sheet.width, BLOT_MM * PX_PER_MM / sheet.height
            hidden = Box(box.x0 - dx, box.y0 - dy, shown.x0, box.y1 + dy)
            mapping, _residual, _voices = placed(location, hidden)
            corners = moved(_corners(hidden, sheet), mapping)
            cv2.fillConvexPoly(image, np.round(corners).astype(np.int32), (0, 0, 0))
    return image


def is_masked(field: FormField) -> bool:
    """Whether a field may hold a number that must not be kept whole."""
    return field.masked or field.identifier is Identifier.AADHAAR


def shown_part(field: FormField) -> Box:
    """The part of a field that may be kept: of a masked one, where the last four digits stand."""
    box = field.where
    if not is_masked(field):
        return box
    share = 4 / field.cells if field.cells and field.cells > 4 else 1 / 3
    return Box(box.x1 - share * box.width, box.y0, box.x1, box.y1)


def _field(page: Page, location: Location, field: FormField) -> Evidence:
    box = shown_part(field)
    mapping, residual, voices = placed(location, box)
    fit, sheet = cast(Fit, location.fit), cast(Sheet, location.sheet)
    corners = moved(_corners(box, sheet), mapping)
    faults = []
    height, width = page.image.shape
    slack = 0.02 * np.hypot(*(corners[2] - corners[0]))
    if (corners < -slack).any() or (corners > (width + slack, height + slack)).any():
        faults.append("off page")
    if voices < 0.3 or residual > MOST_RESIDUAL_MM or not _print_around(fit, sheet, box):
        faults.append("registration")
    image = warp(page.image, sheet, mapping, box.widened(MARGIN_X, MARGIN_Y))
    across = box.width * sheet.width / PX_PER_MM
    if np.hypot(*(corners[1] - corners[0])) / across * 25.4 < LEAST_DPI:
        faults.append("resolution")
    return Evidence(
        field=field.name,
        kind=QuestionKind(field.kind.value),
        page=page.number,
        box=bounds(corners, width, height),
        image=image,
        alternate=narrowed(image),
        residual=residual if math.isfinite(residual) else None,
        cells=_cells(field),
        row=row_of(field),
        faults=tuple(faults),
    )


def _cells(field: FormField) -> int | None:
    """How many comb boxes of a field may be kept."""
    return 4 if field.cells and is_masked(field) else field.cells


def row_of(field: FormField) -> Row | None:
    """Where the comb boxes of a field stand in its evidence."""
    even = between_margins(_cells(field))
    if even is None or not field.groups or is_masked(field):
        return even
    # In widths of a box, from the left side of the first.
    starts = [sum(field.groups[:number]) + field.gap * number for number in range(len(field.groups))]
    places = [start + one + 0.5 for start, count in zip(starts, field.groups, strict=True) for one in range(count)]
    whole = starts[-1] + field.groups[-1]
    wide = even.right - even.left
    return replace(even, middles=tuple(even.left + wide * one / whole for one in places))


def between_margins(cells: int | None) -> Row | None:
    """Where so many boxes side by side stand in the evidence of their field."""
    return None if cells is None else Row(cells, MARGIN_X / (1 + 2 * MARGIN_X), (1 + MARGIN_X) / (1 + 2 * MARGIN_X))


def narrowed(image: Pixels) -> Pixels:
    """The alternate cut of a field: its evidence with margins half as wide."""
    height, width = image.shape
    x, y = round(width * MARGIN_X / 2 / (1 + 2 * MARGIN_X)), round(height * MARGIN_Y / 2 / (1 + 2 * MARGIN_Y))
    return image[y : height - y, x : width - x]


def placed(location: Location, box: Box) -> tuple[Floats, float, float]:
    """The map from sheet work pixels to page pixels that holds at a box, the residual there in millimetres, and how
    many patches of print speak for it.

    The box's two ends are corrected each by the print near it, which turns and stretches the box as a feeder did.
    """
    sheet, fit, to_page = location.sheet, location.fit, location.to_page
    if sheet is None or fit is None or to_page is None:
        raise ValueError(f"page {location.page} is not located, so nothing can be cut from it")
    middle = (box.y0 + box.y1) / 2 * sheet.height - 0.5
    ends = np.array([(box.x0 * sheet.width - 0.5, middle), (box.x1 * sheet.width - 0.5, middle)])
    (left, one, some), (right, other, more) = (fit.near(end) for end in ends)
    to, back = ends + np.stack([left, right]), ends
    # The similarity that moves both ends: in complex numbers, one factor and one shift.
    before, after = back[:, 0] + 1j * back[:, 1], to[:, 0] + 1j * to[:, 1]
    factor = (after[1] - after[0]) / (before[1] - before[0])
    shift = after[0] - factor * before[0]
    local = np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag], [0, 0, 1]])
    return to_page @ fit.matrix @ local, max(one, other) / PX_PER_MM, min(some, more)


def warp(image: Pixels, sheet: Sheet, mapping: Floats, box: Box) -> Pixels:
    """A box of the sheet cut upright out of a page at `CUT_DPI`; white where the page ends."""
    factor = PX_PER_MM * 25.4 / CUT_DPI
    width = max(8, round(box.width * sheet.width / factor))
    height = max(8, round(box.height * sheet.height / factor))
    step_x, step_y = box.width * sheet.width / width, box.height * sheet.height / height
    # Pixel centres of the cut → work pixels of the sheet.
    start_x, start_y = box.x0 * sheet.width + (step_x - 1) / 2, box.y0 * sheet.height + (step_y - 1) / 2
    source = mapping @ np.array([[step_x, 0, start_x], [0, step_y, start_y], [0, 0, 1]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cast(Pixels, cv2.warpPerspective(image, source, (width, height), flags=flags, borderValue=255))


def bounds(corners: npt.NDArray[np.float64], width: int, height: int) -> Box:
    """The upright box around corners on a page of that size, cut off where the page ends."""
    low = np.clip(corners.min(axis=0) / (width, height), 0.0, 0.9999)
    high = np.clip(corners.max(axis=0) / (width, height), low + 0.0001, 1.0)
    return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _corners(box: Box, sheet: Sheet) -> Floats:
    """The corners of a box in work pixels, clockwise from the top left."""
    x0, x1 = box.x0 * sheet.width - 0.5, box.x1 * sheet.width - 0.5
    y0, y1 = box.y0 * sheet.height - 0.5, box.y1 * sheet.height - 0.5
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=np.float64)


def _print_around(fit: Fit, sheet: Sheet, box: Box) -> bool:
    """Whether the blank's print around a box stands on the page: where it doesn't, the form was changed there."""
    low = np.array([box.x0 * sheet.width, box.y0 * sheet.height])
    high = np.array([box.x1 * sheet.width, box.y1 * sheet.height])
    away = np.maximum(0, np.maximum(low - fit.places, fit.places - high))
    near = (np.hypot(*away.T) < AROUND_MM * PX_PER_MM) & fit.bare
    return bool(near.sum() < 3 or fit.held[near].mean() >= 0.4)
