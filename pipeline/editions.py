"""Telling two printings of a form apart: where their blanks differ, whose print does the page show?"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.reading import Pixels
from pipeline.sheet import Sheet, seek

#: Half the side of a window, in work pixels: about a word on a line, so that a line that is the same can't outvote it.
HALF = 10

#: Windows compared at most; those that differ most come first.
MOST_WINDOWS = 32

#: How far print may lie from its place, in work pixels.
SLACK = 4

#: Mean difference (grey levels) from which a window is looked at.
GAP = 6.0

#: Two printings agree in a window from this correlation on.
SAME = 0.75

#: A window with less contrast than this (grey levels) is bare paper.
BARE = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Where two sheets' print differs, in the work pixels of the first: `places` n × 2, and which sheet has print."""

    first: Pixels
    second: Pixels
    places: tuple[tuple[int, int], ...]
    printed: tuple[tuple[bool, bool], ...]

    def vote(self, upright: Pixels) -> tuple[float, float]:
        """Whose print a page shows that lies in the first sheet's frame: the mean vote from −1 (the second's) to 1
        (the first's), and the sum of the votes, which says how much there was to see."""
        votes = []
        for (x, y), (first, second) in zip(self.places, self.printed, strict=True):
            here = seek(upright, self.first, x, y, HALF, SLACK)[1] if first else 0.0
            there = seek(upright, self.second, x, y, HALF, SLACK)[1] if second else 0.0
            if first and second:
                votes.append((here - there) / 0.5)
            else:
                votes.append((here - 0.45) / 0.35 if first else (0.45 - there) / 0.35)
        clipped = np.clip(votes, -1, 1)
        return (float(clipped.mean()), float(clipped.sum())) if votes else (0.0, 0.0)


def difference(first: Sheet, second: Sheet) -> Difference | None:
    """The difference of two sheets; None where the second can't be laid on the first: different forms altogether."""
    matrix, inliers = first.match(second.features)
    if matrix is None or inliers < 20:
        return None
    fit = first.fit(second.work, matrix, inliers)
    laid = first.upright(second.work, fit.matrix)
    gap = cv2.boxFilter(np.asarray(cv2.absdiff(first.work, laid), np.float32), -1, (2 * HALF + 1, 2 * HALF + 1))
    found: list[tuple[float, tuple[int, int], tuple[bool, bool]]] = []
    for y in range(HALF, first.height - HALF, HALF):
        for x in range(HALF, first.width - HALF, HALF):
            if gap[y, x] > GAP:
                printed = _printed(first.work, x, y), _printed(laid, x, y)
                likeness = min(
                    seek(laid, first.work, x, y, HALF, SLACK)[1], seek(first.work, laid, x, y, HALF, SLACK)[1]
                )
                if any(printed) and (not all(printed) or likeness < SAME):
                    found.append((float(gap[y, x]), (x, y), printed))
    chosen: list[tuple[float, tuple[int, int], tuple[bool, bool]]] = []
    for one in sorted(found, key=lambda one: -one[0]):
        # Overlapping windows would be one witness heard twice.
        if all(max(abs(one[1][0] - x), abs(one[1][1] - y)) >= 2 * HALF for _gap, (x, y), _printed in chosen):
            chosen.append(one)
    kept = chosen[:MOST_WINDOWS]
    return Difference(first.work, laid, tuple(one[1] for one in kept), tuple(one[2] for one in kept))


def _printed(image: Pixels, x: int, y: int) -> bool:
    window = image[y - HALF : y + HALF + 1, x - HALF : x + HALF + 1]
    return float(window.std()) > BARE
