"""Judging a reader: how often it is right, and whether its confidence says so. Numpy only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: The accuracy for which the share that can be answered is told.
STRICT = 0.995

#: Bins of a reliability diagram, and of the expected calibration error.
BINS = 15


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers of similar confidence: how many, their mean confidence, and the share of them that is right with its
    95 % interval."""

    count: int
    confidence: float
    right: float
    low: float
    high: float


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927); from 0 to 1 where nothing was counted."""
    if count == 0:
        return 0.0, 1.0
    p, spread = hits / count, z * z / count
    middle, half_width = p + spread / 2, z * math.sqrt(p * (1 - p) / count + spread / (4 * count))
    # Rounding may lead a hair out of the range of a share.
    return max(0.0, (middle - half_width) / (1 + spread)), min(1.0, (middle + half_width) / (1 + spread))


def reliability(confidences: Sequence[float], right: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """Confidence against accuracy in bins of equal width; empty ones are left out."""
    p, hits = np.asarray(confidences, float), np.asarray(right, bool)
    place = np.minimum((p * bins).astype(int), bins - 1)
    found = []
    for each in sorted(set(place.tolist())):
        own = place == each
        low, high = wilson(int(hits[own].sum()), int(own.sum()))
        found.append(Bin(int(own.sum()), float(p[own].mean()), float(hits[own].mean()), low, high))
    return found


def expected_error(confidences: Sequence[float], right: Sequence[bool], bins: int = BINS) -> float:
    """Expected calibration error (Naeini et al., 2015): mean gap of confidence and accuracy over equal-width bins."""
    return sum(abs(one.confidence - one.right) * one.count for one in reliability(confidences, right, bins)) / len(
        right
    )


def ranking(confidences: Sequence[float], right: Sequence[bool]) -> float | None:
    """The chance that a right answer is surer than a wrong one (AUROC; Mann–Whitney); None unless there are both."""
    p, h = np.asarray(confidences, float), np.asarray(right, bool)
    if h.all() or not h.any():
        return None
    values, places = np.unique(p, return_inverse=True)
    counts = np.bincount(places, minlength=len(values))
    ranks = np.cumsum(counts) - (counts - 1) / 2
    up = int(h.sum())
    return float((ranks[places][h].sum() - up * (up + 1) / 2) / (up * (len(h) - up)))


def strict_share(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """The largest share of answers, the most confident ones, of which `STRICT` are right."""
    if len(right) == 0:
        return 0.0
    sure = np.asarray(confidences, float)
    order = np.argsort(-sure, kind="stable")
    sorted_sure, running = sure[order], np.cumsum(np.asarray(right, bool)[order]) / np.arange(1, len(order) + 1)
    # Answers of one confidence are answered together or not at all.
    ends = np.append(sorted_sure[1:] < sorted_sure[:-1], True)
    good = np.nonzero((running >= STRICT) & ends)[0]
    return float((good[-1] + 1) / len(order)) if len(good) else 0.0
