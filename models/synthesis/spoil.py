"""What goes wrong with ink: struck out, written twice, scribbled over, dirt, and the other side shining through."""

from __future__ import annotations

import numpy as np

from models.synthesis.fields import Field
from models.synthesis.pen import Pen
from models.synthesis.signatures import signature
from models.synthesis.strokes import put, stroke


def strike(field: Field) -> None:
    """Strokes through the whole field."""
    rng, canvas = field.rng, np.zeros(field.shape, np.uint8)
    for _ in range(int(rng.integers(1, 3))):
        across = (rng.uniform(-0.05, 0.15), 0.5, rng.uniform(0.85, 1.05))
        down = (rng.uniform(0.2, 0.8), rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.8))
        points = [(field.x0 + x * field.width, field.y0 + y * field.height) for x, y in zip(across, down, strict=True)]
        stroke(canvas, points, field.scale * 0.35)
    field.ink(canvas)


def overwrite(field: Field, pen: Pen) -> None:
    """Some letters written twice or scribbled out, so that nobody can tell them."""
    rng, middle = field.rng, field.y0 + field.height * 0.5
    count = min(len(field.spans), int(rng.integers(1, 4)))
    for place in rng.choice(len(field.spans), size=count, replace=False):
        span = field.spans[int(place)]
        centre = (span.x0 + span.x1) / 2
        if rng.random() < 0.5:
            for _ in range(int(rng.integers(1, 3))):
                mask = pen.glyph(str(rng.integers(10)), field.height * 0.65).mask
                put(field.own, mask, centre - mask.shape[1] / 2 + rng.normal(0, 1), middle - mask.shape[0] / 2)
            continue
        reach = (span.x1 - span.x0) * 0.6 + 2
        points = [
            (centre + rng.normal(0, 0.6) * reach, middle + rng.normal(0, 0.28) * field.height)
            for _ in range(int(rng.integers(6, 14)))
        ]
        canvas = np.zeros(field.shape, np.uint8)
        stroke(canvas, points, max(1.0, field.scale * 0.3))
        field.ink(canvas)
    field.spans = []


def dirty(field: Field) -> None:
    """A stray tick, and ink of the other side: no answer."""
    rng = field.rng
    if rng.random() < 0.25:
        canvas = np.zeros(field.shape, np.uint8)
        x, y = rng.uniform(0, field.shape[1]), rng.uniform(0, field.shape[0])
        end = x + rng.normal(0, 2) * field.scale, y + rng.normal(0, 0.6) * field.scale
        stroke(canvas, [(x, y), end], max(1.0, field.scale * 0.15))
        faint = np.float32(rng.uniform(0.2, 0.8) / 255)
        np.maximum(field.other, canvas * faint, out=field.other)
    if rng.random() < 0.12:
        through = signature(rng, field.materials, *field.shape)[:, ::-1] * np.float32(rng.uniform(0.04, 0.14))
        np.maximum(field.other, through, out=field.other)
