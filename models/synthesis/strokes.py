"""Pen strokes: smooth curves through points, thinner where the hand is fast."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Mask: TypeAlias = npt.NDArray[np.float32]
"""Ink, height × width, 0 none to 1 full."""

Points: TypeAlias = npt.NDArray[np.float32]

Point: TypeAlias = tuple[float, float]

#: Points on a curve between two of the given ones, and the fraction bits of OpenCV's coordinates.
STEPS, BITS = 8, 3


def curve(points: Sequence[Point] | Points) -> Points:
    """A Catmull-Rom curve through the points, `STEPS` to each part."""
    given = np.asarray(points, np.float32)
    padded = np.concatenate([given[:1], given, given[-1:]])
    u = np.linspace(0, 1, STEPS + 1, dtype=np.float32)[:-1, None]
    parts = []
    for place in range(1, len(given)):
        a, b, c, d = padded[place - 1], padded[place], padded[place + 1], padded[min(place + 2, len(padded) - 1)]
        cubic = 2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3
        parts.append(cubic / 2)
    return np.concatenate(parts) if parts else given


def stroke(canvas: npt.NDArray[np.uint8], points: Sequence[Point] | Points, width: float, vary: float = 0.35) -> None:
    """Draws a curve on a mask (0 to 255), about `width` pixels wide."""
    path = curve(points)
    if len(path) < 2:
        return
    speed = np.linalg.norm(np.diff(path, axis=0), axis=1)
    usual = float(np.median(speed)) + 1e-3
    widths = np.clip(width * (1 + vary * (usual - speed) / usual), width * 0.5, width * 1.6)
    whole = np.round(path * (1 << BITS)).astype(np.int32).tolist()
    for (start, end), thick in zip(itertools.pairwise(whole), widths, strict=True):
        cv2.line(canvas, start, end, 255, max(1, round(float(thick))), cv2.LINE_AA, BITS)


def put(ink: Mask, mask: Mask, x: float, y: float) -> None:
    """Lays a mask onto ink with its top left corner at (x, y); what lies outside is cut off."""
    left, top = int(x), int(y)
    height, width = mask.shape
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(ink.shape[1], left + width), min(ink.shape[0], top + height)
    if x1 > x0 and y1 > y0:
        part = ink[y0:y1, x0:x1]
        np.maximum(part, mask[y0 - top : y1 - top, x0 - left : x1 - left], out=part)
