"""A page in patches: what a detector is shown, what it answers, and which patches belong together.

The detector says for each small patch of the page what it is. Patches of one kind that belong together are a region.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.geometry import Box
from pipeline.reading import Pixels
from pipeline.sheet import PX_PER_MM, darkness, work_image

#: The side of a patch, in pixels at work resolution (2 mm).
PATCH = 8

#: What a patch can be, in the order of a detector's answers.
NOTHING, PRINT, HANDWRITING, SIGNATURE = range(4)

#: Ink is at least this much darker than the paper around it (grey levels), and on ink as a detector sees it.
DARKER, SEEN = 25, 50

#: Of all ink of a page this share is lighter than what counts as full black, which levels out faint scans.
FULL = 97.0

#: A patch may belong to a region from this chance on, and one of its patches is of the kind at least this likely.
MAY_BELONG, LEAST_LIKELY = 0.3, 0.5

#: Regions of a page that are looked at, the largest first.
MOST = 12

#: The longer side of a region (mm) at least: less is a speck, or a letter of print.
LEAST_MM = 4.5

#: Below this part of a page initials stand in a row: so much bare paper (mm) between two marks parts them.
FOOT, APART_MM = 0.88, 2.0

#: A region of handwriting that may be a name somebody signed with is so wide at least (mm); so many are looked at. One
#: that shares more than this with a mark is that mark.
MOST_WRITTEN, LEAST_WRITTEN_MM, SAME = 6, 6.0, 0.7

Chances = npt.NDArray[np.float32]
"""Patches down × patches across × 4: the probability of each kind."""

Inside = npt.NDArray[np.bool_]
"""Patches down × patches across: which of them belong to a region."""


def ink_of(image: Pixels, dpi: float) -> Pixels:
    """A page as a detector sees it: ink at work resolution, 0 paper to 255 the darkest ink there is."""
    work, _to_page = work_image(image, dpi)
    dark = darkness(work)
    ink = dark[dark > DARKER]
    full = max(2.0 * DARKER, float(np.percentile(ink, FULL))) if len(ink) else 255.0
    return cast(Pixels, np.clip(dark * (255.0 / full), 0, 255).astype(np.uint8))


def of_ink(chances: Chances, ink: Pixels) -> Chances:
    """The chances of what each patch is, knowing whether there is ink on it: a detector needs not doubt that."""
    rows, columns = chances.shape[:2]
    padded = np.pad(ink > SEEN, ((0, rows * PATCH - ink.shape[0]), (0, columns * PATCH - ink.shape[1])))
    inked = padded.reshape(rows, PATCH, columns, PATCH).any(axis=(1, 3))
    given = chances / np.maximum(1 - chances[:, :, :1], 1e-3)
    given[:, :, NOTHING] = 0
    given[~inked] = (1, 0, 0, 0)
    return cast(Chances, given)


def regions(ink: Pixels, chances: Chances, kind: int) -> list[tuple[Box, Inside]]:
    """Boxes around ink of patches that may be one of that kind, and which patches these are, the most ink first."""
    likely = chances[:, :, kind]
    belongs = likely > MAY_BELONG
    count, labels = cv2.connectedComponents(belongs.astype(np.uint8), connectivity=8)
    height, width = ink.shape
    found = []
    for label in range(1, count):
        inside = np.asarray((labels == label) & belongs)
        if not inside.any() or float(likely[inside].max()) < LEAST_LIKELY:
            continue
        whole = np.kron(inside, np.ones((PATCH, PATCH), bool))[:height, :width]
        there = np.zeros(ink.shape, bool)
        there[: whole.shape[0], : whole.shape[1]] = whole & (ink[: whole.shape[0], : whole.shape[1]] > SEEN)
        for part in _parts(there, kind):
            rows, columns = np.flatnonzero(there[:, part].any(axis=1)), np.flatnonzero(there[:, part].any(axis=0))
            x0, x1, y0, y1 = part.start + columns[0], part.start + columns[-1] + 1, rows[0], rows[-1] + 1
            if max(x1 - x0, y1 - y0) < LEAST_MM * PX_PER_MM:
                continue
            own = np.zeros_like(inside)
            own[:, x0 // PATCH : -(-x1 // PATCH)] = inside[:, x0 // PATCH : -(-x1 // PATCH)]
            box = Box(x0 / width, y0 / height, x1 / width, y1 / height)
            found.append((int(there[:, part].sum()), box, own))
    found.sort(key=lambda one: -one[0])
    return [(box, inside) for _ink, box, inside in found[:MOST]]


def written_regions(ink: Pixels, chances: Chances, marked: Sequence[Box]) -> list[tuple[Box, Inside]]:
    """Regions of handwriting that may be a name somebody signed with, also where a part of it is `marked` already."""
    both = chances.copy()
    both[:, :, SIGNATURE] += both[:, :, HANDWRITING]
    wide = LEAST_WRITTEN_MM * PX_PER_MM / ink.shape[1]
    found = [
        (box, inside)
        for box, inside in regions(ink, both, SIGNATURE)
        if box.width > wide and not any(box.overlap(one) > SAME for one in marked)
    ]
    return found[:MOST_WRITTEN]


def _parts(there: npt.NDArray[np.bool_], kind: int) -> list[slice]:
    """Columns of ink that is one mark: all of it, or of signatures at the foot of a page each of several in a row."""
    columns, rows = np.flatnonzero(there.any(axis=0)), np.flatnonzero(there.any(axis=1))
    if not len(columns):
        return []
    in_a_row = kind == SIGNATURE and rows[0] > FOOT * len(there)
    gaps = np.flatnonzero(np.diff(columns) > APART_MM * PX_PER_MM) if in_a_row else ()
    bounds = [columns[0], *(int(columns[gap]) + 1 for gap in gaps), columns[-1] + 1]
    return [slice(int(first), int(last)) for first, last in pairwise(bounds)]
