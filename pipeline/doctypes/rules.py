"""The rules on a blank: long thin straight lines, however faint. Combs are often printed in light grey, which is to be
seen when the form is filled in and not when it is read."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.reading import Pixels

#: Dots an inch of blanks.
BLANK_DPI = 150
PX_PER_MM = BLANK_DPI / 25.4

Mask: TypeAlias = npt.NDArray[np.uint8]

#: Shortest rules that make a box, horizontal and vertical (mm).
RULE_MM, STROKE_MM = 2.4, 2.4

#: Gaps in a rule that are closed, horizontal and vertical; and how thick a rule is at most: bars are none (mm).
GAP_MM, HOLE_MM, THICK_MM = 0.5, 0.8, 1.5

#: By how much a rule is darker than what is on both its sides (grey levels); on rough paper so many times as much as
#: pixels side by side usually differ.
DARKER, ROUGH = 12.0, 5.0


def rules(image: Pixels) -> tuple[Mask, Mask]:
    """Horizontal and vertical rules of a picture of `BLANK_DPI` (0 or 255), small gaps closed."""
    least = max(DARKER, ROUGH * float(np.median(cv2.absdiff(image[:, 1:], image[:, :-1]))))
    return _along(image, least, RULE_MM, GAP_MM), _along(np.ascontiguousarray(image.T), least, STROKE_MM, HOLE_MM).T


def _along(image: Pixels, least: float, least_mm: float, gap_mm: float) -> Mask:
    """The horizontal ones."""
    beside = cv2.morphologyEx(image, cv2.MORPH_CLOSE, np.ones((mm(THICK_MM), 1), np.uint8))
    dark = np.where(cv2.subtract(beside, image) > least, 255, 0).astype(np.uint8)
    whole = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((1, mm(gap_mm)), np.uint8))
    return np.asarray(cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((1, mm(least_mm)), np.uint8)), np.uint8)


def mm(value: float) -> int:
    """Millimetres on a blank in whole pixels, one at least."""
    return max(1, round(value * PX_PER_MM))
