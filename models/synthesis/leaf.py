"""A leaf of paper for free layouts: print, handwriting and signatures in layers of their own, then through a scanner.

Whoever draws on it says what kind of ink it is, so that every place on the finished scan is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from models.synthesis.strokes import Mask
from pipeline.geometry import Box
from pipeline.reading import Pixels

#: Dots an inch at which leaves are drawn.
DPI = 150.0
PX_PER_MM = DPI / 25.4

#: Kinds of ink, by the number that names them on a map of the page; 0 is none.
PRINT, HANDWRITING, SIGNATURE = 1, 2, 3
KINDS = ("nothing", "print", "handwriting", "signature")

#: Sheets of paper (mm), and how many are of that size.
PAPERS = ((210.0, 297.0), (215.9, 279.4), (215.9, 355.6))
SHARES = (0.6, 0.33, 0.07)

#: How often a page was made coarser after it was scanned, and how many dots an inch it has then.
COARSE, COARSE_DPI = 0.3, (65.0, 120.0)

#: Cheques and slips (mm).
SLIPS = ((203.0, 92.0), (210.0, 99.0), (180.0, 110.0), (210.0, 148.5))


@dataclass(frozen=True, slots=True)
class Spread:
    """A finished scan: grey pixels, the ink of each kind (255 where it is), the boxes of signatures and initials, and
    the lines of print with theirs, all in fractions of the page."""

    image: Pixels
    layers: dict[int, Pixels]
    signatures: tuple[Box, ...]
    words: tuple[tuple[str, Box], ...]


_Rectangle: TypeAlias = tuple[int, int, int, int]


class Leaf:
    """Paper at `DPI`, a slip's or a letter's; distances are in pixels of it."""

    def __init__(self, rng: np.random.Generator, *, slip: bool = False) -> None:
        width, height = SLIPS[int(rng.integers(4))] if slip else PAPERS[int(rng.choice(len(PAPERS), p=SHARES))]
        self.rng = rng
        self.width, self.height = round(width * PX_PER_MM), round(height * PX_PER_MM)
        self.dark: Pixels = np.zeros((self.height, self.width), np.uint8)
        self.layers = {kind: np.zeros_like(self.dark) for kind in (PRINT, HANDWRITING, SIGNATURE)}
        self.marks: list[_Rectangle] = []
        self.words: list[tuple[str, _Rectangle]] = []

    def lay(self, mask: Mask, x: float, y: float, kind: int, strength: float = 1.0) -> _Rectangle | None:
        """Lays ink (0 to 1) with its top left corner at (x, y); returns where it came to lie, None off the paper."""
        left, top = int(x), int(y)
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(self.width, left + mask.shape[1]), min(self.height, top + mask.shape[0])
        if x1 <= x0 or y1 <= y0:
            return None
        part = mask[y0 - top : y1 - top, x0 - left : x1 - left]
        ink = (part * np.float32(255 * strength)).astype(np.uint8)
        np.maximum(self.dark[y0:y1, x0:x1], ink, out=self.dark[y0:y1, x0:x1])
        layer = self.layers[kind][y0:y1, x0:x1]
        np.maximum(layer, (part * np.float32(255)).astype(np.uint8), out=layer)
        return x0, y0, x1, y1

    def sign(self, mask: Mask, x: float, y: float, strength: float = 1.0) -> None:
        """Lays a signature or initials, cut tight to its ink."""
        placed = self.lay(mask, x, y, SIGNATURE, strength)
        if placed is not None:
            self.marks.append(placed)

    def scanned(self) -> Spread:
        """What a scanner, a copier or a fax makes of it."""
        rng = self.rng
        turn = _turn(rng, self.width, self.height)
        layers = {kind: _turned(layer, turn) for kind, layer in self.layers.items()}
        image = _exposed(rng, _turned(self.dark, turn))
        size = self.width, self.height
        signatures = tuple(_boxed(mark, turn, *size) for mark in self.marks)
        return Spread(image, layers, signatures, tuple((text, _boxed(at, turn, *size)) for text, at in self.words))


def _turn(rng: np.random.Generator, width: int, height: int) -> Mask:
    angle = float(np.clip(rng.normal(0, 0.8), -3, 3)) if rng.random() < 0.7 else 0.0
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    matrix[:, 2] += rng.normal(0, 2.0 * PX_PER_MM, 2)
    return np.asarray(matrix, np.float32)


def _turned(layer: Pixels, turn: Mask) -> Pixels:
    return np.asarray(cv2.warpAffine(layer, turn, layer.shape[::-1], flags=cv2.INTER_LINEAR), np.uint8)


def _boxed(mark: _Rectangle, turn: Mask, width: int, height: int) -> Box:
    corners = np.array([(x, y, 1) for x in mark[::2] for y in mark[1::2]]) @ turn.T / (width, height)
    low, high = np.clip(corners.min(axis=0), 0, 0.999), np.clip(corners.max(axis=0), 0.001, 1)
    return Box(float(low[0]), float(low[1]), float(max(high[0], low[0] + 1e-3)), float(max(high[1], low[1] + 1e-3)))


def _exposed(rng: np.random.Generator, dark: Pixels) -> Pixels:
    """Light, blur, specks, black borders and holes; black and white in half of all cases."""
    height, width = dark.shape
    paper = float(rng.uniform(225, 255) if rng.random() < 0.8 else rng.uniform(170, 225))
    # Copies of copies lose their thin strokes or fill their letters.
    soft = rng.uniform(0.25, 0.75) if rng.random() < 0.75 else rng.uniform(0.7, 1.3)
    image = cv2.GaussianBlur(dark, (0, 0), soft).astype(np.float32)
    image = paper - image * np.float32(paper / 255 * rng.uniform(0.8, 1.0))
    if rng.random() < 0.3:
        image += np.linspace(rng.uniform(-25, 0), rng.uniform(0, 10), width, dtype=np.float32)[None]
    if rng.random() < 0.25:
        _stained(rng, image)
    _bordered(rng, image)
    noise = rng.normal(0, rng.uniform(0.5, 9), (256, 256)).astype(np.float32)
    image += np.tile(noise, (height // 256 + 1, width // 256 + 1))[:height, :width]
    if rng.random() < 0.5:
        image = np.where(image > np.float32(rng.uniform(0.58, 0.9) * paper), np.float32(255), np.float32(0))
        _specked(rng, image)
    if rng.random() < 0.08:
        _grained(rng, image)
    finished = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < COARSE:
        finished = _coarse(rng, finished)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 92))]
        _done, packed = cv2.imencode(".jpg", finished, quality)
        finished = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(finished, np.uint8)


def _coarse(rng: np.random.Generator, image: Pixels) -> Pixels:
    """A page as pictures of scans are handed around: with fewer dots, its ink grey."""
    share = rng.uniform(*COARSE_DPI) / DPI
    small = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _stained(rng: np.random.Generator, image: Mask) -> None:
    """Smudges, grey areas and folds."""
    height, width = image.shape
    for _ in range(int(rng.integers(1, 4))):
        stain = np.zeros((60, 60), np.float32)
        centre = int(rng.integers(10, 50)), int(rng.integers(10, 50))
        axes = int(rng.integers(4, 18)), int(rng.integers(2, 14))
        cv2.ellipse(stain, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
        stain *= rng.random((60, 60), np.float32) if rng.random() < 0.5 else 1.0
        size = int(rng.uniform(10, 60) * PX_PER_MM)
        stain = cv2.resize(stain, (size, size), interpolation=cv2.INTER_LINEAR)
        x, y = int(rng.integers(0, max(1, width - size))), int(rng.integers(0, max(1, height - size)))
        part = image[y : y + size, x : x + size]
        part -= stain[: part.shape[0], : part.shape[1]] * np.float32(rng.uniform(8, 90))
    if rng.random() < 0.4:
        y = int(rng.integers(height))
        image[y : y + int(rng.integers(1, 4))] -= np.float32(rng.uniform(10, 120))


def _bordered(rng: np.random.Generator, image: Mask) -> None:
    """The lid of the scanner beyond the paper, and punch holes."""
    height, width = image.shape
    if rng.random() < 0.35:
        for side in range(4):
            if rng.random() < 0.55:
                continue
            deep = int(rng.uniform(0.5, 9) * PX_PER_MM)
            ends = np.array([deep, deep * rng.uniform(0.3, 1.7)])
            length = width if side % 2 == 0 else height
            edge = np.interp(np.arange(length), [0, length], ends) + np.cumsum(rng.normal(0, 0.5, length)) * 0.05
            shade = float(rng.uniform(0, 60))
            rows = np.arange(max(1, int(edge.max()) + 1))[:, None] < edge[None]
            strip = rows if side < 2 else rows[::-1]
            if side % 2 == 0:
                part = image[: len(rows)] if side == 0 else image[-len(rows) :]
                part[strip] = shade
            else:
                turned = rows.T if side == 1 else rows.T[:, ::-1]
                part = image[:, : len(rows)] if side == 1 else image[:, -len(rows) :]
                part[turned] = shade
    if rng.random() < 0.2:
        radius = int(rng.uniform(2.2, 4.0) * PX_PER_MM)
        x = int(rng.uniform(5, 14) * PX_PER_MM)
        shade = float(rng.uniform(0, 150))
        for place in (0.5 - 0.135, 0.5 + 0.135) if rng.random() < 0.6 else (0.12, 0.5, 0.88):
            centre = (x, int(place * height)) if rng.random() < 0.8 else (int(place * width), x)
            if rng.random() < 0.4:
                # Only the shadow of its edge.
                start, much, bold = rng.uniform(0, 360), rng.uniform(60, 220), int(rng.integers(1, 8))
                cv2.ellipse(image, centre, (radius, radius), start, 0, much, shade, bold, cv2.LINE_AA)
                continue
            cv2.circle(image, centre, radius, shade, -1 if rng.random() < 0.7 else 2, cv2.LINE_AA)


def _specked(rng: np.random.Generator, image: Mask) -> None:
    """Salt and pepper of a bad copy."""
    height, width = image.shape
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(5, 250))):
            centre = int(rng.integers(width)), int(rng.integers(height))
            cv2.circle(image, centre, int(rng.integers(0, 3)), 0.0, -1)
    if rng.random() < 0.35:
        for _ in range(int(rng.integers(1, 4))):
            _smeared(rng, image)


def _smeared(rng: np.random.Generator, image: Mask) -> None:
    """Dirt in a strip, along an edge mostly, as rollers and folds leave it."""
    height, width = image.shape
    long, thick = rng.uniform(8, 120) * PX_PER_MM, rng.uniform(1.0, 5.0) * PX_PER_MM
    along = bool(rng.random() < 0.7)
    edge = float(rng.choice((rng.uniform(0.02, 0.12), rng.uniform(0.88, 0.98), rng.uniform(0, 1))))
    x, y = (rng.uniform(0, width), edge * height) if along else (edge * width, rng.uniform(0, height))
    for _ in range(int(long * thick * rng.uniform(0.005, 0.06))):
        away = rng.uniform(-long / 2, long / 2), rng.normal(0, thick / 2)
        across, down = away if along else away[::-1]
        cv2.circle(image, (int(x + across), int(y + down)), int(rng.integers(0, 2)), float(rng.uniform(0, 120)), -1)


def _grained(rng: np.random.Generator, image: Mask) -> None:
    """Grain of a copy of a dark copy, thick in some places, and at times the dark bed that a smaller sheet lay on."""
    height, width = image.shape
    coarse = rng.random((6, 5)).astype(np.float32) ** 2
    thick = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR) * np.float32(rng.uniform(0.02, 0.25))
    grains = cv2.GaussianBlur(rng.random((height, width), np.float32), (0, 0), float(rng.uniform(0.4, 0.9)))
    grains = (grains - grains.mean()) / grains.std()
    # How many grains of a normal field lie above a level is known only roughly, which is enough here.
    image[grains > np.float32(2.6) - 6 * thick] = 0.0
    if rng.random() < 0.4:
        deep, side = int(rng.uniform(0.04, 0.2) * height), int(rng.uniform(0.04, 0.2) * width)
        if rng.random() < 0.5:
            image[-deep:] = 0.0
        else:
            image[:deep] = 0.0
        if rng.random() < 0.5:
            image[:, :side] = 0.0
