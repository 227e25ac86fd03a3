"""Paper that was folded for an envelope: creases that catch the light on one side and lose ink along the other."""

from __future__ import annotations

import cv2
import numpy as np

from models.synthesis.paper import PX_PER_MM
from models.synthesis.strokes import Mask
from pipeline.pages import Colour

#: Where letters are folded: in halves, in thirds, in quarters; shares of the height, then of the width.
FOLDS: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = (
    ((0.5,), ()),
    ((0.333, 0.667), ()),
    ((0.5,), (0.5,)),
    ((0.25, 0.5, 0.75), ()),
)


def folded(paper: Colour, rng: np.random.Generator) -> Colour:
    """The same paper, folded and laid flat again."""
    rows, columns = FOLDS[int(rng.integers(len(FOLDS)))]
    height, width = paper.shape[:2]
    light = np.ones((height, width), np.float32)
    for share in rows:
        light *= _crease(rng, width, height, share)
    for share in columns:
        light *= _crease(rng, height, width, share).T
    lit = paper.astype(np.float32)
    # Along a crease the paper's coat breaks, and ink with it.
    broken = np.clip((light - 1.0) * 6, 0, 0.55)[:, :, None]
    lit = lit * (1 - broken) + 250 * broken
    lit *= np.minimum(light, 1.04)[:, :, None]
    return np.asarray(np.clip(lit, 0, 255), np.uint8)


def _crease(rng: np.random.Generator, length: int, depth: int, share: float) -> Mask:
    """Light (depth × length) about one crease: bright on its ridge, dark beside it, and one half a little darker."""
    waver = cv2.resize(rng.normal(0, 0.25 * PX_PER_MM, (1, 24)).astype(np.float32), (length, 1))
    middle = depth * np.float32(share + rng.normal(0, 0.008)) + waver[0]
    middle = middle + np.float32(rng.normal(0, 0.004) * depth) * np.linspace(-1, 1, length, dtype=np.float32)
    far = np.arange(depth, dtype=np.float32)[:, None] - middle[None]
    sharp, wide = np.float32(rng.uniform(0.12, 0.35) * PX_PER_MM), np.float32(rng.uniform(2, 7) * PX_PER_MM)
    ridge = np.float32(rng.uniform(0.02, 0.12)) * np.exp(-((far / sharp) ** 2))
    side = far if rng.random() < 0.5 else -far
    shadow = np.float32(rng.uniform(0.03, 0.16)) * np.exp(-np.maximum(side, 0) / wide) * (side > 0)
    light: Mask = (1 + ridge - shadow).astype(np.float32)
    return light
