"""Whether a check's confidences have moved since a version was staged: the population stability index.

Bins are the quantiles of the reference, so that each holds as many of its confidences. Without any drift the index of
two samples is about chi-square / n, so a fixed limit alone would alarm on every small window; `LEAST` keeps them out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.bounds import Floats

BINS = 10
#: From here on a population is usually called moved.
MOVED = 0.2
#: Fewer confidences, in the window or in the reference, say nothing.
LEAST = 200


@dataclass(frozen=True, slots=True)
class Drift:
    """The index of `findings` confidences against the reference; `drifted` only where there are enough of both."""

    index: float
    findings: int
    drifted: bool


def stability_index(reference: npt.ArrayLike, window: npt.ArrayLike, bins: int = BINS) -> float:
    """The sum over bins of (q - p) · ln(q / p), each count raised by a half so that none is empty; 0 without data."""
    before, now = np.asarray(reference, float), np.asarray(window, float)
    if not before.size or not now.size:
        return 0.0
    edges = np.unique(np.quantile(before, np.linspace(0, 1, bins + 1)[1:-1]))
    p, q = _shares(before, edges), _shares(now, edges)
    return float(((q - p) * np.log(q / p)).sum())


def drift(reference: npt.ArrayLike, window: npt.ArrayLike, moved: float = MOVED, least: int = LEAST) -> Drift:
    """What the index says of one check."""
    index = stability_index(reference, window)
    findings = int(np.size(window))
    return Drift(index, findings, index >= moved and min(findings, int(np.size(reference))) >= least)


def _shares(values: Floats, edges: Floats) -> Floats:
    # Ties stay together: a bin holds what is at or below its upper edge.
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1) + 0.5
    shares: Floats = counts / counts.sum()
    return shares
