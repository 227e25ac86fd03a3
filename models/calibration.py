"""From the model's own probability to the share of times it is right.

One logistic curve a question kind on the log-odds of the raw confidence (Platt, 1999: a temperature and a shift),
fitted on labelled evidence that neither trained the model nor measures it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

FILE = "calibration.json"

#: Probabilities are kept this far from 0 and 1: no finite amount of evidence shows more.
LEAST = 1e-6


@dataclass(frozen=True)
class Curve:
    """`probability = 1 / (1 + exp(-(slope · log-odds + shift)))`."""

    slope: float = 1.0
    shift: float = 0.0

    def __call__(self, probability: float) -> float:
        return 1 / (1 + math.exp(-(self.slope * _log_odds(probability) + self.shift)))


@dataclass(frozen=True)
class Calibration:
    """A curve a name: a question kind (is the answer right?), or `<kind>.present` (is there ink at all?)."""

    curves: Mapping[str, Curve] = field(default_factory=dict)

    def __call__(self, name: str, probability: float) -> float:
        """The calibrated probability; as it is where no curve was fitted."""
        curve = self.curves.get(name)
        return probability if curve is None else curve(probability)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads `calibration.json`; without it every probability stays as it is."""
        path = folder / FILE
        if not path.exists():
            return cls()
        curves = json.loads(path.read_text(encoding="utf-8"))["curves"]
        return cls({name: Curve(*values) for name, values in curves.items()})

    def save(self, folder: Path, **about: object) -> None:
        """Writes the curves, and beside them what they were fitted on."""
        curves = {name: [round(curve.slope, 5), round(curve.shift, 5)] for name, curve in sorted(self.curves.items())}
        text = json.dumps({"curves": curves, **about}, indent=1)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")


def fit(probabilities: Sequence[float], right: Sequence[bool]) -> Curve:
    """The curve of greatest likelihood (Newton's method), with a weak pull to the identity where data are few.

    Platt's targets keep it finite when every answer is right. Raises ValueError without data.
    """
    if not probabilities:
        raise ValueError("a calibration needs answers to be fitted on")
    x = np.array([[_log_odds(p), 1.0] for p in probabilities])
    hits = np.asarray(right, float)
    up, down = hits.sum(), len(hits) - hits.sum()
    target = np.where(hits > 0, (up + 1) / (up + 2), 1 / (down + 2))
    prior, weight = np.array([1.0, 0.0]), np.diag([1.0, 1.0])
    theta = prior.copy()
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(x @ theta, -30, 30)))
        slope = x.T @ (target - p) - weight @ (theta - prior)
        curvature = (x * (p * (1 - p))[:, None]).T @ x + weight
        step = np.linalg.solve(curvature, slope)
        theta = theta + step * min(1.0, 2.0 / float(np.abs(step).max() + 1e-12))
        if np.abs(step).max() < 1e-7:
            break
    # A falling curve would call the surest answers the worst.
    return Curve(max(0.05, float(theta[0])), float(theta[1]))


def _log_odds(probability: float) -> float:
    p = min(1 - LEAST, max(LEAST, probability))
    return math.log(p / (1 - p))
