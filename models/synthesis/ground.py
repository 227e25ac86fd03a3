"""What is printed under all else on cheques and certificates: waves, lattices, hatched letters, rows of a name."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from models.synthesis.faces import Face
from models.synthesis.leaf import PRINT, PX_PER_MM, Leaf
from models.synthesis.people import COMPANIES
from models.synthesis.strokes import Mask

#: How dark it is, in parts of full ink.
STRENGTH = (0.08, 0.45)

Canvas = npt.NDArray[np.uint8]


def lay_under(leaf: Leaf, face: Face) -> None:
    """One or two patterns on all of the leaf or a part of it."""
    rng = leaf.rng
    patterns: tuple[Callable[[np.random.Generator, Canvas, Face], None], ...] = (_waves, _lattice, _hatched, _rows)
    for _ in range(int(rng.integers(1, 3))):
        canvas = np.zeros((leaf.height, leaf.width), np.uint8)
        patterns[int(rng.integers(len(patterns)))](rng, canvas, face)
        mask: Mask = np.asarray(canvas / np.float32(255), np.float32)
        if rng.random() < 0.3:
            x0, y0 = (rng.uniform(0, 0.5, 2) * (leaf.width, leaf.height)).astype(int)
            wide, high = (rng.uniform(0.2, 0.5, 2) * (leaf.width, leaf.height)).astype(int)
            mask = mask[y0 : y0 + high, x0 : x0 + wide]
            leaf.lay(mask, x0, y0, PRINT, rng.uniform(*STRENGTH))
        else:
            leaf.lay(mask, 0, 0, PRINT, rng.uniform(*STRENGTH))


def _waves(rng: np.random.Generator, canvas: Canvas, _face: Face) -> None:
    """Fine waves side by side."""
    height, width = canvas.shape
    across = np.arange(0, width + 8, 8)
    long, deep = rng.uniform(6, 40) * PX_PER_MM, rng.uniform(0.5, 5) * PX_PER_MM
    for row in np.arange(-deep, height + deep, rng.uniform(0.9, 3.0) * PX_PER_MM):
        swing = np.sin(across / long * 6.28 + row * rng.uniform(0.002, 0.02))
        _line(canvas, np.stack([across, row + deep * swing], 1))


def _lattice(rng: np.random.Generator, canvas: Canvas, _face: Face) -> None:
    """Lines in two or three directions, as triangles and lozenges."""
    height, width = canvas.shape
    step, first = rng.uniform(3, 12) * PX_PER_MM, rng.uniform(0, np.pi)
    reach = np.hypot(height, width)
    middle = np.array([width / 2, height / 2])
    thick = int(rng.integers(1, 4))
    for turn in range(int(rng.integers(2, 4))):
        angle = first + turn * np.pi / 3
        along, aside = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        for off in np.arange(-reach / 2, reach / 2, step):
            ends = np.stack([middle + aside * off - along * reach / 2, middle + aside * off + along * reach / 2])
            _line(canvas, ends, thick)


def _hatched(rng: np.random.Generator, canvas: Canvas, face: Face) -> None:
    """Large letters and shapes, filled with fine slanted lines."""
    height, width = canvas.shape
    shapes = np.zeros_like(canvas)
    for _ in range(int(rng.integers(2, 7))):
        x, y = rng.uniform(-0.1, 0.8) * width, rng.uniform(0, 0.9) * height
        if rng.random() < 0.6:
            word = face.word(
                str(rng.choice(COMPANIES))[: int(rng.integers(2, 12))], rng.uniform(10, 35) * PX_PER_MM
            ).mask
            x0, y0 = max(0, int(x)), max(0, int(y))
            part = shapes[y0 : y0 + word.shape[0], x0 : x0 + word.shape[1]]
            part[...] = np.maximum(part, (word[: part.shape[0], : part.shape[1]] * 255).astype(np.uint8))
        else:
            points = np.stack([x, y] + rng.uniform(-25, 25, (5, 2)) * PX_PER_MM).astype(np.int32)
            cv2.fillPoly(shapes, [points], 255)
    lines = np.zeros_like(canvas)
    step, lean = rng.uniform(0.5, 1.6) * PX_PER_MM, rng.uniform(-1.2, 1.2)
    for x in np.arange(-abs(lean) * height, width + abs(lean) * height, step):
        _line(lines, np.array([[x, 0], [x + lean * height, height]]))
    inside = rng.random() < 0.7
    np.copyto(canvas, np.where((shapes > 127) == inside, lines, 0).astype(np.uint8))


def _rows(rng: np.random.Generator, canvas: Canvas, face: Face) -> None:
    """A name again and again in small letters."""
    height, width = canvas.shape
    word = face.word(str(rng.choice(COMPANIES)).upper() + "  ", rng.uniform(1.6, 3.5) * PX_PER_MM).mask
    tile = (word * 255).astype(np.uint8)
    row = np.tile(tile, (1, width // max(1, tile.shape[1]) + 2))
    for y in np.arange(0, height - len(row), len(row) * rng.uniform(1.1, 6)):
        start = int(rng.integers(0, max(1, tile.shape[1])))
        canvas[int(y) : int(y) + len(row)] = row[:, start : start + width]


def _line(canvas: Canvas, points: npt.NDArray[np.float64], thick: int = 1) -> None:
    cv2.polylines(canvas, [np.round(points * 8).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 3)
