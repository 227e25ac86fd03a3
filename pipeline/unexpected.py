"""Ink that the blank doesn't have and no field explains: "what is this mark?"

A false alarm costs a person's time on every clean page, so everything that scanners, punches and staplers leave is
told from ink here, and a field explains what overflows it.
"""

from __future__ import annotations

from typing import TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.doctypes.schema import FieldKind
from pipeline.evidence import bounds, placed, warp
from pipeline.geometry import Box
from pipeline.locate import Location
from pipeline.pages import Page
from pipeline.reading import Evidence, Pixels, QuestionKind
from pipeline.sheet import PX_PER_MM, Fit, Sheet, darkness, moved

Mask: TypeAlias = npt.NDArray[np.uint8]

#: Ink is at least this much darker than the paper around it (grey levels).
DARKER = 32

#: Where the blank is at least this dark, ink can't be told from print (grey levels).
PRINTED = 90

#: Levels of the blank's darkness that are looked at together, the share of a page's pixels there that is print, and
#: from what on a pixel of the blank is the ridge of a printed line, by the line's darkness.
BIN, USUAL = 8, 0.9
RIDGE = (np.arange(256) * 0.7).astype(np.uint8)

#: A streak darkens this share of a row or column of the scan, is this much darker than beside it (grey levels), and
#: is no wider than this (work pixels).
STREAK, STREAK_DARKER, STREAK_PX = 0.6, 20, 5

#: Smallest mark: its longer side (mm) and its ink (mm²).
LEAST_MM, LEAST_INK_MM2 = 4.0, 1.5

#: Strokes this near to each other (mm) are one stroke, marks this near are one mark.
LINK_MM, MERGE_MM = 1.3, 7.0

#: How far ink of a field may reach beyond it (mm): hands overflow boxes, signatures and stamps more.
GROWN_MM, GROWN_WIDE_MM = 3.0, 7.0

#: A mark that lies in fields with more than this share of its ink is theirs.
EXPLAINED = 0.5

#: The strip along the page's edge (mm) where scanners leave shadows.
EDGE_MM = 4.0

#: Marks reported at most for a page, largest first.
MOST_MARKS = 12


def unexpected(page: Page, location: Location) -> list[Evidence]:
    """The marks on a page that its form doesn't explain, as evidence of kind MARK named "unexpected".

    A page whose place is not sure gives none: against the wrong blank everything is unexpected.
    """
    sheet, fit = location.sheet, location.fit
    if not location.sure or location.doctype is None or sheet is None or fit is None:
        return []
    work, _to_page = page.work
    maps = _maps(sheet, fit)
    upright = cast(Pixels, cv2.remap(work, *maps, cv2.INTER_LINEAR, borderValue=255))
    there = np.full(work.shape, 255, np.uint8)
    inside = cast(Mask, cv2.remap(there, *maps, cv2.INTER_NEAREST, borderValue=0))
    clean = cast(Mask, cv2.remap(_unstreaked(work), *maps, cv2.INTER_NEAREST, borderValue=0))
    explained = _explained(location, sheet)
    ink = _extra(upright, sheet, explained, location.residual_mm or 0.0) & clean
    marks = _marks(ink, explained, _within(inside))
    evidence = []
    for ordinal, (x0, y0, x1, y1) in enumerate(marks):
        box = Box(x0 / sheet.width, y0 / sheet.height, x1 / sheet.width, y1 / sheet.height)
        mapping, residual, _voices = placed(location, box)
        corners = moved(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64) - 0.5, mapping)
        around = box.widened(2 * PX_PER_MM / (x1 - x0), 2 * PX_PER_MM / (y1 - y0))
        evidence.append(
            Evidence(
                field="unexpected",
                kind=QuestionKind.MARK,
                page=page.number,
                box=bounds(corners, page.image.shape[1], page.image.shape[0]),
                image=warp(page.image, sheet, mapping, around),
                ordinal=ordinal,
                residual=residual if np.isfinite(residual) else None,
            )
        )
    return evidence


def _maps(sheet: Sheet, fit: Fit) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
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


def _extra(upright: Pixels, sheet: Sheet, explained: Mask, residual_mm: float) -> Mask:
    """Ink darker than the paper around it and than any print of the blank near by."""
    dark = darkness(upright)
    known = cast(Mask, cv2.dilate(sheet.darkness, _disc(0.55 + 2 * residual_mm)))
    # Noise decides how much darker ink must be: the paper's own spread, seen where nothing is printed.
    bare = _counts(known, dark, cast(Mask, cv2.compare(known, BIN, cv2.CMP_LT)))[0]
    limit = max(DARKER, 2.5 * float(np.searchsorted(bare, 0.75 * bare[-1])))
    # A fax blackens grey print: how dark print of each level comes out is seen on its ridges where nobody writes.
    ridges = cast(Mask, cv2.compare(sheet.darkness, cv2.LUT(known, RIDGE), cv2.CMP_GT)) & ~explained
    counts = _counts(known, dark, ridges)
    shown = np.array([np.searchsorted(row, USUAL * row[-1]) if row[-1] >= 50 else 0 for row in counts], np.float32)
    shown[0] = 0
    expected = np.maximum(np.repeat(np.maximum.accumulate(shown), BIN), np.arange(256)).clip(0, 231).astype(np.uint8)
    print_ = cast(Mask, cv2.LUT(known, expected))
    return np.where((dark > limit) & (dark > cv2.add(print_, 24)) & (known < PRINTED), 255, 0).astype(np.uint8)


def _counts(known: Pixels, dark: Pixels, where: Mask) -> npt.NDArray[np.float64]:
    """For each bin of the blank's darkness how many of the pixels are of each darkness on the page, or below."""
    counts = cv2.calcHist([known, dark], [0, 1], where, [256 // BIN, 256], [0, 256, 0, 256])
    return np.asarray(counts.cumsum(axis=1), np.float64)


def _unstreaked(work: Pixels) -> Mask:
    """The scan but for its streaks: rows and columns that dirt on a scanner's glass darkens from edge to edge, which
    print then cuts in pieces. A form's own rules may be among them; they are print."""
    clean = np.full(work.shape, 255, np.uint8)
    for axis in (0, 1):
        beside = cv2.min(np.roll(work, STREAK_PX, 1 - axis), np.roll(work, -STREAK_PX, 1 - axis))
        streaked = (cv2.subtract(beside, work) > STREAK_DARKER).mean(axis=axis) > STREAK
        wide = np.convolve(streaked, np.ones(5), mode="same") > 0
        if axis == 0:
            clean[:, wide] = 0
        else:
            clean[wide] = 0
    return clean


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


def _marks(ink: Mask, explained: Mask, interior: Mask) -> list[tuple[int, int, int, int]]:
    """Boxes (work pixels) around marks, largest first."""
    linked = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, _disc(LINK_MM))
    count, labels, stats, _centres = cv2.connectedComponentsWithStats(linked, connectivity=8)
    if count < 2:
        return []
    total = np.bincount(labels[ink > 0], minlength=count)
    own = np.bincount(labels[(ink > 0) & (explained > 0)], minlength=count)
    edge = np.bincount(labels[(ink > 0) & (interior == 0)], minlength=count)
    kept: list[tuple[int, int, int, int]] = []
    for label in range(1, count):
        x, y, width, height, _area = (int(value) for value in stats[label])
        if max(width, height) < LEAST_MM * PX_PER_MM or total[label] < LEAST_INK_MM2 * PX_PER_MM**2:
            continue
        if own[label] > EXPLAINED * total[label] or edge[label] > 0.3 * total[label]:
            continue
        part = (labels[y : y + height, x : x + width] == label) & (ink[y : y + height, x : x + width] > 0)
        outside = part & (explained[y : y + height, x : x + width] == 0)
        rows, columns = np.flatnonzero(outside.any(axis=1)), np.flatnonzero(outside.any(axis=0))
        if not len(rows) or max(np.ptp(rows), np.ptp(columns)) < LEAST_MM * PX_PER_MM:
            continue
        if _is_hardware(part, x, y, ink.shape):
            continue
        kept.append((x, y, x + width, y + height))
    return sorted(_merged(kept), key=lambda box: -(box[2] - box[0]) * (box[3] - box[1]))[:MOST_MARKS]


def _is_hardware(part: npt.NDArray[np.bool_], x: int, y: int, shape: tuple[int, ...]) -> bool:
    """Whether a blob is what punches, staplers and scanners leave: a round hole near an edge, a short wire near a
    corner, or a streak along a whole axis of the page."""
    height, width = shape[:2]
    points = np.column_stack(np.nonzero(part)[::-1]).astype(np.float32)
    _centre, (one, other), _angle = cv2.minAreaRect(points)
    long, thin = max(one, other) / PX_PER_MM, min(one, other) / PX_PER_MM
    margin_x = min(x, width - x - part.shape[1]) / PX_PER_MM
    margin_y = min(y, height - y - part.shape[0]) / PX_PER_MM
    hull = cv2.contourArea(cv2.convexHull(points)) / PX_PER_MM**2
    if 3.5 < long < 9 and thin > 0.8 * long and min(margin_x, margin_y) < 20 and hull > 0.72 * long * thin:
        return bool(part.mean() > 0.6 or len(points) > 0.55 * hull * PX_PER_MM**2)
    if long < 16 and thin < 1.6 and margin_x < 30 and margin_y < 30:
        return True
    axis = min(part.shape) / PX_PER_MM
    return bool(axis < 2.0 and max(part.shape[0] / height, part.shape[1] / width) > 0.4)


def _merged(boxes: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Boxes with those that lie near each other made one, until none do."""
    gap = MERGE_MM * PX_PER_MM
    merged: list[tuple[int, int, int, int]] = []
    for box in boxes:
        x0, y0, x1, y1 = box
        again = True
        while again:
            again = False
            for other in merged:
                if x0 - gap < other[2] and other[0] - gap < x1 and y0 - gap < other[3] and other[1] - gap < y1:
                    x0, y0, x1, y1 = min(x0, other[0]), min(y0, other[1]), max(x1, other[2]), max(y1, other[3])
                    merged.remove(other)
                    again = True
                    break
        merged.append((x0, y0, x1, y1))
    return merged


def _within(inside: Mask) -> Mask:
    """What lies on the page but for the strip along its edge."""
    side = 2 * round(EDGE_MM * PX_PER_MM) + 1
    return cast(Mask, cv2.erode(inside, np.ones((side, side), np.uint8), borderValue=0))


def _disc(radius_mm: float) -> Mask:
    side = 2 * max(1, round(radius_mm * PX_PER_MM)) + 1
    return cast(Mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
