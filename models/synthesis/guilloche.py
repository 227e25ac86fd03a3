"""Security paper: fine waves and rosettes printed under a form in a pale colour, as under cheques and certificates."""

from __future__ import annotations

import cv2
import numpy as np

from models.synthesis.paper import PX_PER_MM
from pipeline.pages import Colour

#: Pale inks of security paper (RGB).
INKS = ((176, 206, 224), (196, 220, 186), (232, 206, 178), (214, 196, 226), (226, 196, 204), (200, 200, 200))


def printed_under(paper: Colour, rng: np.random.Generator) -> Colour:
    """The same paper with waves all over it and up to two rosettes; what is printed already stays as dark."""
    height, width = paper.shape[:2]
    ground = np.full_like(paper, 255)
    ink = INKS[int(rng.integers(len(INKS)))]
    line = int(rng.integers(1, 3))
    across = np.arange(0, width + 12, 12)
    long, deep = rng.uniform(8, 40) * PX_PER_MM, rng.uniform(1, 5) * PX_PER_MM
    for row in np.arange(-deep, height + deep, rng.uniform(1.2, 3.0) * PX_PER_MM):
        swing = np.sin(across / long * 6.28 + row * rng.uniform(0.002, 0.004))
        points = np.stack([across, row + deep * swing], 1).astype(np.int32)
        cv2.polylines(ground, [points], False, ink, line, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 3))):
        _rosette(ground, rng, ink, line)
    return np.minimum(paper, ground)


def _rosette(ground: Colour, rng: np.random.Generator, ink: tuple[int, int, int], line: int) -> None:
    height, width = ground.shape[:2]
    radius = rng.uniform(15, 60) * PX_PER_MM
    middle = rng.uniform(0.2, 0.8, 2) * (width, height)
    angles = np.linspace(0, 2 * np.pi, 500)
    for ring in np.linspace(0.3, 1.0, int(rng.integers(4, 10))):
        reach = radius * (ring + 0.12 * np.sin(angles * int(rng.integers(5, 15)) + rng.uniform(0, 6)))
        points = np.stack([middle[0] + reach * np.cos(angles), middle[1] + reach * np.sin(angles)], 1)
        cv2.polylines(ground, [points.astype(np.int32)], True, ink, line, cv2.LINE_AA)
