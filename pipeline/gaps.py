"""Comb boxes in groups, put side by side: what stands between the groups of a date is print (a dash, a slash) or
nothing, and a dash reads as a one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pipeline.reading import Pixels, Row

#: Boxes further apart than this are in two groups, and so much beside a group is kept, for what reaches over its sides
#: (widths of a box).
APART, KEPT = 0.3, 0.12


def closed(image: Pixels, row: Row) -> tuple[Pixels, Row]:
    """The picture without what is between groups of boxes, and where the boxes stand in it then."""
    width = image.shape[1]
    step = row.step * width
    kept = np.ones(width, bool)
    for one, other in pairwise(middle * width for middle in row.middles):
        if other - one > (1 + APART) * step:
            kept[round(one + (0.5 + KEPT) * step) : round(other - (0.5 + KEPT) * step)] = False
    if kept.all():
        return image, row
    # How many columns are left before each.
    before = np.concatenate([[0], np.cumsum(kept)])

    def moved(share: float) -> float:
        return float(np.interp(share * width, np.arange(width + 1), before) / before[-1])

    there = Row(row.cells, moved(row.left), moved(row.right), tuple(moved(one) for one in row.middles))
    return np.ascontiguousarray(image[:, kept]), there
