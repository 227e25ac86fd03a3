"""Free room on a form's page: where ink belongs to no field and covers little print."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.doctypes.schema import DocumentType, FieldKind
from pipeline.geometry import Box
from pipeline.reading import Pixels

#: Millimetres that stay free around fields, more around those that hands overflow, and along the page's edges.
AROUND_MM, AROUND_WIDE_MM, EDGE_MM = 4.0, 8.0, 10.0

#: Places compared.
STEP = 12

#: Grey below which a pixel of the blank is print.
PRINT = 160

#: How much of a mark's room may be print.
MOST_PRINT = 0.2


def free(
    doctype: DocumentType, page: int, blank: Pixels, width_mm: float, height_mm: float, rng: np.random.Generator
) -> Box | None:
    """A place for a mark of that size on a blank page; None where the form leaves none."""
    paper = doctype.pages[page - 1]
    rows, columns = blank.shape
    across, down = columns / paper.width_mm, rows / paper.height_mm
    taken = np.zeros(blank.shape, np.uint8)
    areas = [(Box.of(area), 1.0) for area in paper.free_areas]
    for one in doctype.fields:
        if one.page == page:
            wide = one.kind in (FieldKind.SIGNATURE, FieldKind.ENDORSEMENT)
            areas.append((one.where, AROUND_WIDE_MM if wide else AROUND_MM))
    for box, margin in areas:
        x0, y0, x1, y1 = box.pixels(columns, rows)
        left, top = max(0, x0 - round(margin * across)), max(0, y0 - round(margin * down))
        taken[top : y1 + round(margin * down), left : x1 + round(margin * across)] = 1
    width, height = round(width_mm * across), round(height_mm * down)
    sums = [cv2.integral(layer) for layer in (taken, (blank < PRINT).astype(np.uint8))]
    ys = np.arange(round(EDGE_MM * down), rows - height - round(EDGE_MM * down), STEP)
    xs = np.arange(round(EDGE_MM * across), columns - width - round(EDGE_MM * across), STEP)
    if not len(ys) or not len(xs):
        return None
    y, x = np.meshgrid(ys, xs, indexing="ij")
    in_field, printed = (
        (one[y + height, x + width] - one[y, x + width] - one[y + height, x] + one[y, x]) / (width * height)
        for one in sums
    )
    fit = np.flatnonzero((in_field.ravel() == 0) & (printed.ravel() < MOST_PRINT))
    if not len(fit):
        return None
    # The places with least print, and among those anyone.
    best = fit[np.argsort(printed.ravel()[fit], kind="stable")][: max(1, len(fit) // 4)]
    chosen = int(best[rng.integers(len(best))])
    left, top = float(x.ravel()[chosen]), float(y.ravel()[chosen])
    return Box(left / columns, top / rows, (left + width) / columns, (top + height) / rows)
