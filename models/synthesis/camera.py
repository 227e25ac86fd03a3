"""A page as a telephone's camera sees it: from a little aside, on a table, under a lamp, with the hand's shadow."""

from __future__ import annotations

import cv2
import numpy as np

from models.synthesis.scans import Manner, Scan
from models.synthesis.strokes import Mask
from pipeline.pages import Colour

#: Pixels across a photographed page, at least and at most.
ACROSS = (1500, 2600)

#: How far a corner is off its place, and the table that shows around the page (shares of the width).
ASIDE, TABLE = 0.026, (0.02, 0.08)


def photographed(paper: Colour, manner: Manner, rng: np.random.Generator) -> Scan:
    """The paper photographed; the file says nothing about its resolution."""
    height, width = paper.shape[:2]
    across = float(rng.uniform(*ACROSS))
    down = across * height / width
    margin = rng.uniform(*TABLE) * across
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    square = np.array([(0, 0), (across, 0), (across, down), (0, down)]) + margin
    ends = square + rng.uniform(-ASIDE, ASIDE, (4, 2)) * across
    matrix = np.asarray(cv2.getPerspectiveTransform(corners, ends.astype(np.float32)), np.float64)
    size = round(across + 2 * margin), round(down + 2 * margin)
    factor = across / width
    page = cv2.GaussianBlur(paper, (0, 0), 0.35 / factor) if factor < 1 else paper
    table = tuple(float(one) for one in rng.uniform(30, 150) + rng.uniform(-20, 20, 3))
    seen = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_LINEAR, borderValue=table).astype(np.float32)
    seen *= _light(rng, *size)[:, :, None]
    seen *= rng.uniform(0.93, 1.0, 3).astype(np.float32)
    seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.4, 1.0))
    seen += rng.normal(0, rng.uniform(1, 4), seen.shape).astype(np.float32)
    return Scan(np.clip(seen, 0, 255).astype(np.uint8), matrix, (width, height), dpi=None)


def _light(rng: np.random.Generator, width: int, height: int) -> Mask:
    """A lamp at one side, and in half of all pictures a soft shadow across a corner."""
    along = np.linspace(1.0, rng.uniform(0.65, 0.95), width, dtype=np.float32)[None]
    light = along * np.linspace(1.0, rng.uniform(0.8, 1.0), height, dtype=np.float32)[:, None]
    if rng.random() < 0.5:
        light = light[:, ::-1]
    if rng.random() < 0.5:
        small = np.ones((120, 90), np.float32)
        corner = np.array([(0, 0), (rng.uniform(20, 80), 0), (rng.uniform(5, 60), 120), (0, 120)], np.int32)
        if rng.random() < 0.5:
            corner[:, 0] = 89 - corner[:, 0]
        cv2.fillPoly(small, [corner], float(rng.uniform(0.6, 0.85)))
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(2, 9))
        light = light * cv2.resize(small, (width, height))
    return np.ascontiguousarray(light, np.float32)
