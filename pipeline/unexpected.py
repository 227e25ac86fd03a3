"""Ink that the blank doesn't have and no field explains: "what is this mark?"

A false alarm costs a person's time on every clean page, so everything that scanners, punches and staplers leave is
told from ink here, and a field explains what overflows it.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.evidence import bounds, placed, warp
from pipeline.geometry import Box
from pipeline.ink import Ink, Mask, disc
from pipeline.pages import Page
from pipeline.reading import Evidence, Pixels, QuestionKind
from pipeline.sheet import PX_PER_MM, moved

#: Ink is at least this much darker than the paper around it (grey levels).
DARKER = 32

#: Where the blank is at least this dark, ink can't be told from print (grey levels).
PRINTED = 90

#: A streak darkens this share of a row or column of the scan, is this much darker than beside it (grey levels), and
#: is no wider than this (work pixels).
STREAK, STREAK_DARKER, STREAK_PX = 0.6, 20, 5

#: Smallest mark: its longer side (mm) and its ink (mm²).
LEAST_MM, LEAST_INK_MM2 = 4.0, 1.5

#: Strokes this near to each other (mm) are one stroke, marks this near are one mark.
LINK_MM, MERGE_MM = 1.3, 7.0

#: A mark that lies in fields with more than this share of its ink is theirs.
EXPLAINED = 0.5

#: The strip along the page's edge (mm) where scanners leave shadows.
EDGE_MM = 4.0

#: Marks reported at most for a page, largest first.
MOST_MARKS = 12


def unexpected(page: Page, ink: Ink | None) -> list[Evidence]:
    """The marks on a page that its form doesn't explain, as evidence of kind MARK named "unexpected"; none where the
    page isn't laid on a blank."""
    if ink is None:
        return []
    location, sheet = ink.location, ink.sheet
    work, _to_page = page.work
    there = np.full(work.shape, 255, np.uint8)
    inside = cast(Mask, cv2.remap(there, *ink.maps, cv2.INTER_NEAREST, borderValue=0))
    clean = cast(Mask, cv2.remap(_unstreaked(work), *ink.maps, cv2.INTER_NEAREST, borderValue=0))
    evidence = []
    for ordinal, (x0, y0, x1, y1) in enumerate(_marks(_extra(ink) & clean, ink.explained, _within(inside))):
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


def _extra(ink: Ink) -> Mask:
    """Ink darker than the paper around it and than any print of the blank near by. Noise decides how much darker: the
    paper's own spread, seen where nothing is printed."""
    dark, limit = ink.dark, max(DARKER, 2.5 * ink.noise)
    print_ = cv2.add(cv2.min(ink.expected, 231), 24)
    return np.where((dark > limit) & (dark > print_) & (ink.known < PRINTED), 255, 0).astype(np.uint8)


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


def _marks(ink: Mask, explained: Mask, interior: Mask) -> list[tuple[int, int, int, int]]:
    """Boxes (work pixels) around marks, largest first."""
    linked = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, disc(LINK_MM))
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
