"""A page as a fax machine sends it: black and white, 204 × 196 dots an inch (ITU-T T.30, fine), with specks."""

from __future__ import annotations

import cv2
import numpy as np

from models.synthesis.paper import DPI
from models.synthesis.scans import Manner, Scan, scan
from pipeline.pages import Colour

#: Dots an inch across and down.
FINE = (204.0, 196.0)


def faxed(paper: Colour, manner: Manner, rng: np.random.Generator) -> Scan:
    """The paper through a fax: scanned, made black or white, and sent over a line that isn't clean."""
    first = scan(paper, manner, rng)
    height, width = first.image.shape[:2]
    size = round(paper.shape[1] / DPI * FINE[0]), round(paper.shape[0] / DPI * FINE[1])
    grey = first.image if first.image.ndim == 2 else cv2.cvtColor(first.image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    ground = float(np.percentile(small[::4, ::4], 80))
    small += rng.normal(0, rng.uniform(4, 12), small.shape).astype(np.float32)
    image = np.where(small < ground - rng.uniform(45, 80), 0, 255).astype(np.uint8)
    specks = rng.random(image.shape, np.float32) < rng.uniform(0, 0.0006)
    image[specks] = 0
    if rng.random() < 0.3:
        column = int(rng.integers(10, size[0] - 10))
        image[:, column : column + int(rng.integers(1, 3))] = 0
    for _ in range(int(rng.integers(0, 4))):
        # A line that came damaged is shown as the one before.
        row = int(rng.integers(2, size[1] - 4))
        image[row : row + int(rng.integers(1, 4))] = image[row - 1]
    across, down = size[0] / width, size[1] / height
    pixel = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1.0]])
    return Scan(image, pixel @ first.matrix, first.size, dpi=FINE, bilevel=True)
