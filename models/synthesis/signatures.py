"""Signatures and initials, drawn in the manner of a signer: who signs twice signs alike, and never the same."""

from __future__ import annotations

import cv2
import numpy as np

from models.synthesis.faces import Materials, Word, drawn
from models.synthesis.split import signer as somebody
from models.synthesis.strokes import Mask, Point, stroke
from pipeline.reading import Pixels

#: How people sign, and how many of them.
MANNERS = {"cursive": 0.28, "loops": 0.22, "written": 0.20, "block": 0.06, "scribble": 0.14, "jagged": 0.10}

#: Stroke fonts that join their letters.
SCRIPTS = ("scripts", "scriptc", "cursive")

#: How often a name that is written is in a running hand, where there are any.
RUNNING = 0.5

#: Letters of made-up names.
SOFT = "aeiourstnlmkhdpvjy"

CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def signature(
    rng: np.random.Generator,
    materials: Materials,
    height: int,
    width: int,
    *,
    initials: bool = False,
    signer: int | None = None,
    bold: float = 1.0,
) -> Mask:
    """A signature as ink of that size; `signer` is somebody of the split, anybody where None."""
    who = somebody(rng, materials.split) if signer is None else signer
    own = np.random.default_rng(who)
    manner = str(own.choice(list(MANNERS), p=list(MANNERS.values())))
    thick = max(1.0, height / own.uniform(22, 55)) * bold
    length = (own.uniform(0.12, 0.3) if initials else own.uniform(0.45, 0.98)) * width
    x, baseline = rng.uniform(0, max(1, width - length)), height * rng.uniform(0.5, 0.75)
    size = height * own.uniform(0.22, 0.5) * (1.1 if initials else 1)
    slope, lean = own.normal(-0.04, 0.06), own.normal(0.3, 0.3)
    canvas = np.zeros((height, width), np.uint8)
    if manner in ("written", "block"):
        canvas = _written(own, materials, canvas, _name(own, manner, initials), (x, baseline), size, slope)
    else:
        count = int(own.integers(2, 4)) if initials else int(own.integers(4, 14))
        _drawn(rng, own, canvas, manner, (x, baseline), (length / count, size), count, slope, lean, thick)
    if not initials and own.random() < 0.35:
        _underlined(rng, own, canvas, (x, baseline), length, size, thick)
    if own.random() < 0.15:
        cv2.circle(canvas, (int(x + length * 0.9), int(baseline)), max(1, int(thick)), 255, -1)
    return np.asarray(canvas / np.float32(255), np.float32)


def _name(own: np.random.Generator, manner: str, initials: bool) -> str:
    def capital() -> str:
        return CAPITALS[own.integers(26)]

    if initials:
        return "".join(capital() for _ in range(own.integers(1, 4)))
    rest = "".join(SOFT[place] for place in own.integers(0, len(SOFT), own.integers(3, 9)))
    name = capital() + (". " if own.random() < 0.5 else "") + capital() + rest
    return name.upper() if manner == "block" else name


def _written(
    own: np.random.Generator,
    materials: Materials,
    canvas: Pixels,
    name: str,
    at: Point,
    size: float,
    slope: float,
) -> Pixels:
    """A name in a handwriting font, or in pen strokes where there is none, leaned and sloped."""
    word = _inscribed(own, materials, name, max(8.0, size * 1.33))
    height, width = canvas.shape
    (x, baseline), columns = at, word.mask.shape[1]
    # Where the name is longer than the box it is written smaller.
    factor = min(1.0, width * 0.95 / columns)
    skew = -own.normal(0.1, 0.2)
    x = min(x, max(0.0, width - columns * factor))
    top = baseline - word.above * factor
    matrix = np.array([[factor, skew * factor, x - skew * word.above * factor], [slope, factor, top]], np.float32)
    bent = cv2.warpAffine((word.mask * 255).astype(np.uint8), matrix, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(bent, np.uint8)


def _inscribed(own: np.random.Generator, materials: Materials, name: str, px: float) -> Word:
    """A name in somebody's running hand (whatever it says), in a font, or in strokes."""
    if materials.writers is not None and len(name) > 3 and own.random() < RUNNING:
        strokes = materials.writers.word(own)
        if strokes is not None:
            return drawn(strokes, px, max(1, round(px / own.uniform(10, 24))))
    faces = materials.hands or [face for face in materials.strokes if face.name in SCRIPTS] or materials.strokes
    return faces[int(own.integers(len(faces)))].word(name, px)


def _drawn(
    rng: np.random.Generator,
    own: np.random.Generator,
    canvas: Pixels,
    manner: str,
    at: Point,
    letter: Point,
    count: int,
    slope: float,
    lean: float,
    thick: float,
) -> None:
    """Letter after letter as one line, lifted now and then; `letter` is the width and height of one."""
    (x, baseline), (step, size) = at, letter
    points: list[Point] = []
    for place in range(count):
        left = x + place * step
        up = own.uniform(0.3, 1.6) * size * (1.8 if place == 0 else 1)
        foot = baseline + slope * place * step
        for right, high in _shape(own, manner):
            jitter = rng.normal(0, 0.05, 2)
            across = right - lean * high * 0.4 + jitter[0]
            points.append((left + across * step, foot + high * up + jitter[1] * size))
        if own.random() < 0.12 and len(points) > 3:
            stroke(canvas, points, thick)
            points = []
    if len(points) > 1:
        stroke(canvas, points, thick)


def _shape(own: np.random.Generator, manner: str) -> list[Point]:
    """One letter, 1 wide and 1 high, y down from the baseline."""
    if manner == "cursive":
        return [(0, 0), (0.35, -0.7), (0.55, -1), (0.4, -0.3), (0.5, 0.1), (0.9, -0.05)]
    if manner == "loops":
        below = 0.7 if own.random() < 0.4 else 0.2
        return [(0, 0), (0.7, -0.6), (0.5, -1), (0.1, -0.6), (0.4, 0.3), (0.2, below), (0.9, 0)]
    if manner == "jagged":
        return [(0, 0), (0.25, -1), (0.5, 0.2), (0.75, -0.7)]
    return [(own.uniform(-0.4, 1.2), own.uniform(-1, 0.7)) for _ in range(4)]


def _underlined(
    rng: np.random.Generator,
    own: np.random.Generator,
    canvas: Pixels,
    at: Point,
    length: float,
    size: float,
    thick: float,
) -> None:
    """The line under a name, sometimes there and back."""
    x, y = at[0], at[1] + size * own.uniform(0.2, 0.6)
    end = (x + length * own.uniform(0.8, 1.1), y - own.uniform(0, 0.4) * size)
    points = [(x - length * 0.05, y), (x + length * 0.5, y + own.normal(0, 0.12) * size), end]
    if own.random() < 0.4:
        points += [(x + length * 0.3, y + 0.2 * size), (x + length * 0.9, y + 0.1 * size)]
    stroke(canvas, points, thick * float(rng.uniform(0.9, 1.1)))
