"""What a picture is that nothing is known of: a page, whose lines may lean, or a field that was cut out of one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.pages import Page
from pipeline.quality import assess
from pipeline.sheet import darkness

#: Lines of a page that lean further than this (degrees) are not those of its text; less is not worth a turn.
MOST_SKEW, LEAST_SKEW = 10.0, 0.25

#: Lines are tried that lean by so much (degrees).
SKEWS = tuple(number / 4 for number in range(-20, 21))

#: Ink is so much darker than the paper around it (grey levels), and lies in fewer rows by this factor where rows lean.
DARKER, CLEARLY = 25, 1.03

#: A picture with a shorter side than this (pixels) is no page, and has no lines to go by.
LEAST_PAGE = 600

#: A picture with a shorter side than this (pixels) may be a field that somebody cut out, with no page around it. It is
#: nothing else where it is so many times as wide as high, or no side of it is longer than this; nor is any picture that
#: is so many times as wide as high.
MOST_PART, STRIP, SCRAP, ANY_STRIP = 450, 2.2, 420, 3.5


def maybe_part(page: Page) -> bool:
    """Whether a picture is so small that it may be no page but a field cut out of one."""
    return bool(min(page.image.shape) < MOST_PART)


def is_part(page: Page) -> bool:
    """Whether a picture is a field cut out of a page."""
    height, width = page.image.shape
    small = maybe_part(page) and (width > STRIP * height or max(height, width) <= SCRAP)
    return bool(small or width > ANY_STRIP * height)


def lean(page: Page) -> float:
    """How far the lines of a page lean (degrees, clockwise); 0 where that can't be told or is not worth a turn."""
    if min(page.image.shape) < LEAST_PAGE:
        return 0.0
    work, _to_page = page.work
    # Along lines that lean as they are taken to do ink lies in few rows. Letters without rules have gradients in all
    # directions, so that the page's own measure is one guess among others.
    down, across = np.nonzero(darkness(work) > DARKER)
    gathered = {skew: _gathered(down, across, skew) for skew in (assess(page).skew_degrees, *SKEWS)}
    skew = max(gathered, key=lambda one: gathered[one])
    clearly = gathered[skew] > CLEARLY * _gathered(down, across, 0.0)
    return skew if clearly and LEAST_SKEW < abs(skew) < MOST_SKEW else 0.0


def _gathered(down: npt.NDArray[np.intp], across: npt.NDArray[np.intp], degrees: float) -> float:
    """How much the points of a page lie in few rows, if rows lean by so much."""
    rows = np.rint(down - across * np.tan(np.radians(degrees))).astype(np.intp)
    if not len(rows):
        return 0.0
    counts = np.bincount(rows - rows.min()).astype(np.float64)
    return float((counts**2).sum())
