"""Further looks at an evidence that a string was read from without certainty: moved, trimmed, turned a little.

A model errs on one cut and not on the next, so what it says of several is worth more than what it says of one
(test-time augmentation; Ayhan and Berens, "Test-time data augmentation for estimation of heteroscedastic aleatoric
uncertainty", MIDL 2018).
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.evidence import MARGIN_X, MARGIN_Y
from pipeline.reading import Pixels

#: What is cut from the left, top, right and bottom, as shares of the margins there: less than nothing adds paper.
CUTS = (
    (0.25, 0.25, 0.25, 0.25),
    (0.3, 0.7, 0.3, -0.1),
    (0.3, -0.1, 0.3, 0.7),
    (0.8, 0.2, -0.2, 0.2),
    (-0.2, 0.2, 0.8, 0.2),
)

#: How far it is turned (degrees).
TURNS = (-0.7, 0.7)


def looks(image: Pixels) -> list[Pixels]:
    """Seven pictures of the same field as `image`, a cut with margins."""
    return [*(_cut(image, *shares) for shares in CUTS), *(_turned(image, degrees) for degrees in TURNS)]


def _cut(image: Pixels, left: float, top: float, right: float, bottom: float) -> Pixels:
    height, width = image.shape
    across, down = width * MARGIN_X / (1 + 2 * MARGIN_X), height * MARGIN_Y / (1 + 2 * MARGIN_Y)
    x0, y0, x1, y1 = round(across * left), round(down * top), round(across * right), round(down * bottom)
    up, below, before, after = (max(0, -one) for one in (y0, y1, x0, x1))
    padded = cv2.copyMakeBorder(image, up, below, before, after, cv2.BORDER_REPLICATE)
    rows, columns = padded.shape
    inside = padded[max(0, y0) : rows - max(0, y1), max(0, x0) : columns - max(0, x1)]
    return np.ascontiguousarray(inside, np.uint8)


def _turned(image: Pixels, degrees: float) -> Pixels:
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)
