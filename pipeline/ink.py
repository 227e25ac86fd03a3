"""A located page laid on its blank: what it shows, and how much of that the blank's print explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.doctypes.schema import FieldKind
from pipeline.geometry import Box
from pipeline.locate import Location
from pipeline.pages import Page
from pipeline.reading import Pixels
from pipeline.sheet import PX_PER_MM, Fit, Sheet, darkness, moved

Mask: TypeAlias = npt.NDArray[np.uint8]

#: Levels of the blank's darkness that are looked at together, the share of a page's pixels there that is print, and
#: from what on a pixel of the blank is the ridge of a printed line, by the line's darkness.
BIN, USUAL = 8, 0.9
RIDGE = (np.arange(256) * 0.7).astype(np.uint8)

#: How far ink of a field may reach beyond it (mm): hands overflow boxes, signatures and stamps more.
GROWN_MM, GROWN_WIDE_MM = 3.0, 7.0

Maps: TypeAlias = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """Pictures of the sheet's size at work resolution: `upright` is the page, `dark` how much darker each pixel is than
    the paper around it, `known` how dark the blank is near by, `expected` how dark the blank's print makes a pixel of
    this page, `explained` is 255 where ink is expected. `noise` is the darkness that three in four pixels of bare paper
    don't exceed, `paper` how bright bare paper is (grey levels); `maps` lead from the sheet to the page's work pixels.
    """

    location: Location
    sheet: Sheet
    maps: Maps
    upright: Pixels
    dark: Pixels
    known: Pixels
    expected: Pixels
    explained: Mask
    noise: float
    paper: float


def laid(page: Page, location: Location) -> Ink | None:
    """None for a page whose place is not sure: against the wrong blank everything is ink, and nothing is."""
    sheet, fit = location.sheet, location.fit
    if not location.sure or location.doctype is None or sheet is None or fit is None:
        return None
    work, _to_page = page.work
    maps = _maps(sheet, fit)
    upright = cast(Pixels, cv2.remap(work, *maps, cv2.INTER_LINEAR, borderValue=255))
    dark, explained = darkness(upright), _explained(location, sheet)
    known = cast(Mask, cv2.dilate(sheet.darkness, disc(0.55 + 2 * (location.residual_mm or 0.0))))
    bare = cast(Mask, cv2.compare(known, BIN, cv2.CMP_LT))
    spread = _counts(known, dark, bare)[0]
    return Ink(
        location=location,
        sheet=sheet,
        maps=maps,
        upright=upright,
        dark=dark,
        known=known,
        expected=_expected(sheet, known, dark, explained),
        explained=explained,
        noise=float(np.searchsorted(spread, 0.75 * spread[-1])),
        paper=float(np.median(upright[bare > 0])) if bare.any() else 0.0,
    )


def disc(radius_mm: float) -> Mask:
    """A round kernel of that radius."""
    side = 2 * max(1, round(radius_mm * PX_PER_MM)) + 1
    return cast(Mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))


def _maps(sheet: Sheet, fit: Fit) -> Maps:
    """For each work pixel of the sheet its place on the page's work image, local offsets included."""
    step = 24
    rows, columns = sheet.height // step + 2, sheet.width // step + 2
    ys, xs = np.mgrid[0:rows, 0:columns] * float(step)
    grid = np.stack([xs.ravel(), ys.ravel()], axis=1)
    ends = moved(grid + fit.near_all(grid), fit.matrix).astype(np.float32).reshape(rows, columns, 2)
    # Between the knots the map is linear: a stretch of the grid, sampled at the pixels.
    across, down = np.meshgrid(
        np.arange(sheet.width, dtype=np.float32) / step, np.arange(sheet.height, dtype=np.float32) / step
    )
    both = cv2.remap(ends, across, down, cv2.INTER_LINEAR)
    return np.ascontiguousarray(both[..., 0]), np.ascontiguousarray(both[..., 1])


def _expected(sheet: Sheet, known: Pixels, dark: Pixels, explained: Mask) -> Pixels:
    """How dark print makes each pixel. A fax blackens grey print: how dark print of each level comes out is seen on its
    ridges where nobody writes."""
    ridges = cast(Mask, cv2.compare(sheet.darkness, cv2.LUT(known, RIDGE), cv2.CMP_GT)) & ~explained
    counts = _counts(known, dark, ridges)
    shown = np.array([np.searchsorted(row, USUAL * row[-1]) if row[-1] >= 50 else 0 for row in counts], np.float32)
    shown[0] = 0
    levels = np.maximum(np.repeat(np.maximum.accumulate(shown), BIN), np.arange(256)).clip(0, 255).astype(np.uint8)
    return cast(Pixels, cv2.LUT(known, levels))


def _counts(known: Pixels, dark: Pixels, where: Mask) -> npt.NDArray[np.float64]:
    """For each bin of the blank's darkness how many of the pixels are of each darkness on the page, or below."""
    counts = cv2.calcHist([known, dark], [0, 1], where, [256 // BIN, 256], [0, 256, 0, 256])
    return np.asarray(counts.cumsum(axis=1), np.float64)


def _explained(location: Location, sheet: Sheet) -> Mask:
    """Where ink is expected: fields, grown by what hands overflow them, and free areas."""
    mask = np.zeros((sheet.height, sheet.width), np.uint8)
    doctype = location.doctype
    if doctype is None or location.form_page is None:
        return mask
    areas = [(Box.of(area), 1.0) for area in doctype.pages[location.form_page - 1].free_areas]
    for field in doctype.fields:
        if field.page == location.form_page:
            wide = field.kind in (FieldKind.SIGNATURE, FieldKind.ENDORSEMENT)
            areas.append((field.where, GROWN_WIDE_MM if wide else GROWN_MM))
    for box, grown in areas:
        margin = round(grown * PX_PER_MM)
        x0, y0, x1, y1 = box.pixels(sheet.width, sheet.height)
        mask[max(0, y0 - margin) : y1 + margin, max(0, x0 - margin) : x1 + margin] = 255
    return mask
