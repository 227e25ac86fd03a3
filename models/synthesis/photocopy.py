"""A photocopy: grey is gone or too dark, thin strokes break, toner leaves specks, and the lid shows at the edges."""

from __future__ import annotations

import cv2
import numpy as np

from models.synthesis.paper import PX_PER_MM
from pipeline.pages import Colour
from pipeline.reading import Pixels


def copied(paper: Colour, rng: np.random.Generator) -> Colour:
    """The same page out of a copier, once or twice; colours become black."""
    grey = cv2.cvtColor(paper, cv2.COLOR_RGB2GRAY)
    for _ in range(1 if rng.random() < 0.7 else 2):
        grey = _once(np.asarray(grey, np.uint8), rng)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _once(grey: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = grey.shape
    soft = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.6, 1.2)).astype(np.float32)
    # A copier's curve is steep: what is pale goes, what is dark gets black.
    middle, steep = rng.uniform(165, 205), rng.uniform(9, 22)
    toner = 1 / (1 + np.exp((soft - np.float32(middle)) / np.float32(steep)))
    coarse = rng.random((height // 24 + 1, width // 24 + 1)).astype(np.float32)
    toner *= 1 - np.float32(rng.uniform(0, 0.35)) * cv2.resize(coarse, (width, height))
    image = np.float32(rng.uniform(244, 255)) - toner * np.float32(rng.uniform(190, 235))
    for _ in range(int(rng.integers(10, 160))):
        spot = int(rng.integers(width)), int(rng.integers(height))
        cv2.circle(image, spot, int(rng.integers(1, 3)), float(rng.uniform(20, 150)), -1)
    if rng.random() < 0.3:
        column = int(rng.integers(width - 4))
        image[:, column : column + int(rng.integers(1, 4))] -= np.float32(rng.uniform(15, 60))
    for side in range(4):
        if rng.random() < 0.3:
            deep = int(rng.uniform(0.5, 3.0) * PX_PER_MM)
            edge = np.rot90(image, side)[:deep]
            edge[...] = np.minimum(edge, np.float32(rng.uniform(10, 70)))
    return np.asarray(np.clip(image, 0, 255), np.uint8)
