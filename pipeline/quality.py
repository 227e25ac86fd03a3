"""Can this page be judged at all?

A fault is named only where a person couldn't judge the page either; everything milder is for the reader to cope with
and to be unsure about. All measures are taken on the page at work resolution or better, and mean something on paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from pipeline.pages import Page
from pipeline.reading import Pixels
from pipeline.sentences import say
from pipeline.sheet import PX_PER_MM, darkness

#: Below this many dots an inch handwriting falls apart.
LEAST_DPI = 90.0

#: Edges wider than this (standard deviation of the blur, mm) leave no letter of 2 mm legible.
MOST_BLUR_MM = 0.5

#: Ink must stand out by this many grey levels.
LEAST_CONTRAST = 30.0

#: Share of the page that is ink: below it the page is blank, above it black.
LEAST_INK, MOST_INK = 0.0004, 0.6

#: A page whose middle grey level is below this is black: scanned with the lid open, or upside down on dark cloth.
LEAST_PAPER = 60.0


#: A page bears no ink where less than so many square millimetres are darker than the paper around them by so many grey
#: levels: specks and the page's rim (mm) aside. A full stop has 0.2 mm², initials from 8.
INKLESS_MM2, FAINT, SPECK_MM2, RIM_MM = 2.0, 20, 0.5, 3.0

#: A page of which this share is dark has ink; nobody need count its spots.
FULL = 0.02


@dataclass(frozen=True, slots=True)
class Quality:
    """What a page is like as a picture.

    `skew_degrees` is the angle of its lines, −45 to 45, positive clockwise; `blur` the standard deviation of its
    sharpest edges in millimetres; `contrast` the grey levels between paper and ink; `coverage` the share of ink.
    `faults` are sentences for a person; none means the page can be judged. `blank` says that there is no ink at all,
    not even faint ink: the back of a sheet, or a sheet fed the wrong way round.
    """

    dpi: float
    skew_degrees: float
    blur: float
    contrast: float
    coverage: float
    faults: tuple[str, ...]
    blank: bool = False


def assess(page: Page) -> Quality:
    """Measures a page. A fault makes it a poor page, whatever it shows."""
    work, _to_page = page.work
    paper = _level(work, 60)
    dark = darkness(work)
    contrast = _level(dark, 99.5)
    coverage = float(np.count_nonzero(dark > max(25.0, contrast / 3)) / dark.size)
    blur = _blur(page)
    faults = []
    if page.dpi < LEAST_DPI:
        faults.append(say("page.coarse", dpi=f"{page.dpi:.0f}"))
    if paper < LEAST_PAPER:
        faults.append(say("page.black"))
    elif contrast < LEAST_CONTRAST and float(work.std()) < LEAST_CONTRAST / 3:
        faults.append(say("page.faint"))
    elif contrast < LEAST_CONTRAST:
        faults.append(say("page.pale"))
    elif coverage < LEAST_INK:
        faults.append(say("page.blank"))
    elif coverage > MOST_INK:
        faults.append(say("page.dark"))
    elif blur > MOST_BLUR_MM:
        faults.append(say("page.blurred"))
    # What is black, or too coarse, may have lost its ink.
    blank = paper >= LEAST_PAPER and page.dpi >= LEAST_DPI and not _inked(dark)
    return Quality(page.dpi, _skew(work), blur, contrast, coverage, tuple(faults), blank)


def _inked(dark: Pixels) -> bool:
    """Whether there is ink on a page by its darkness, however little and faint."""
    rim = round(RIM_MM * PX_PER_MM)
    spots = (dark[rim:-rim, rim:-rim] > FAINT).astype(np.uint8)
    if np.count_nonzero(spots) > FULL * spots.size:
        return True
    _count, _labels, stats, _centres = cv2.connectedComponentsWithStats(spots)
    areas = stats[1:, cv2.CC_STAT_AREA] / PX_PER_MM**2
    return float(areas[areas >= SPECK_MM2].sum()) >= INKLESS_MM2


def _blur(page: Page) -> float:
    """The width of the sharpest edges: an edge of height h blurred by σ has the slope h / (σ √2π) in its middle."""
    soft = cast(Pixels, cv2.GaussianBlur(page.image, (3, 3), 0))
    # Twice the slope, so that slopes of up to 127 grey levels a pixel fit in a byte.
    steep = [
        cv2.convertScaleAbs(cv2.Sobel(soft, cv2.CV_16S, across, 1 - across, ksize=3), alpha=0.25) for across in (0, 1)
    ]
    slope = _level(cv2.max(*steep), 99.8) / 2
    if slope <= 0:
        return float("inf")
    # From the paper to the darkest ink.
    height = _level(soft, 90) - _level(soft, 0.3)
    return float(height / slope / np.sqrt(2 * np.pi) / page.dpi * 25.4)


def _level(image: Pixels, percent: float) -> float:
    """The grey level that so many percent of the pixels stay at or below."""
    counts = cv2.calcHist([image], [0], None, [256], [0, 256]).ravel().cumsum(dtype=np.float64)
    return float(np.searchsorted(counts, percent / 100 * image.size))


def _skew(work: Pixels) -> float:
    """The angle of lines and text: the direction that most gradients share, modulo a right angle."""
    # Unsmoothed, the steps of a slanted line pull its gradients to the axes.
    soft = cv2.GaussianBlur(work, (9, 9), 1.8)
    across, down = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    size = cv2.magnitude(across, down)
    strong = size > max(25.0, float(np.percentile(size[::2, ::2], 95)))
    if np.count_nonzero(strong) < 50:
        return 0.0
    turned = (np.degrees(np.arctan2(down[strong], across[strong])) + 45) % 90
    counts, edges = np.histogram(turned, bins=360, range=(0, 90), weights=size[strong])
    smooth = np.convolve(np.concatenate([counts[-4:], counts, counts[:4]]), np.hanning(9), mode="same")[4:-4]
    top = int(smooth.argmax())
    return float((edges[top] + edges[top + 1]) / 2 - 45)
