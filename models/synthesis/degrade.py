"""From a drawn field to the picture the model sees: cut as the pipeline cuts, on real paper, through a scanner."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from models.nanovlm.processor import fitted, shrunk
from models.nanovlm.tokens import CHARACTERS
from models.synthesis.fields import Field
from models.synthesis.pen import Span
from models.synthesis.strokes import Mask
from pipeline import closeup
from pipeline.comb import Area
from pipeline.reading import Pixels, Row

#: The finished picture, and the columns of patches on it that are labelled.
HEIGHT, WIDTH, COLUMNS = 48, 384, 48

#: Standard deviation of the registration error (mm).
MISPLACED_MM = 0.35

#: Ink must be this much darker (grey levels) than the paper near it on the finished picture.
LEAST_CONTRAST = 22.0

#: Classes of column labels: 0 none, then the characters.
CLASS = {letter: number for number, letter in enumerate(CHARACTERS, start=1)}


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A finished picture (48 × 384) and which character stands at each of its 48 columns (0: none). `used` are the rows
    and columns of it that are no filling; `row` the field's comb there. Of one that shows a line from near `whole` is
    the cut that it is a part of; of one with a comb `fine` is the same as fine as it was scanned."""

    image: Pixels
    labels: Pixels
    used: tuple[int, int]
    row: Row | None
    whole: Pixels | None = None
    fine: Pixels | None = None


@dataclass(frozen=True, slots=True)
class _Window:
    """Where a field is cut, in pixels of its canvas."""

    x0: int
    y0: int
    x1: int
    y1: int
    row: Row | None

    def of(self, layer: Mask) -> Mask:
        return layer[self.y0 : self.y1, self.x0 : self.x1]

    def part(self, area: Area) -> _Window:
        """A part of it, in which there is no comb."""
        left, top, right, bottom = area
        return _Window(self.x0 + left, self.y0 + top, self.x0 + right, self.y0 + bottom, None)

    def cuts_off(self, span: Span) -> bool:
        """Whether too much of a letter is outside."""
        width, centre = span.x1 - span.x0, (span.x0 + span.x1) / 2
        inside = self.x0 + 1 < centre < self.x1 - 1
        return not inside or span.x1 - self.x1 > 0.35 * width or self.x0 - span.x0 > 0.35 * width


def cut(field: Field, *, near: bool = False) -> Cut | None:
    """The picture of a field and its labels; None where letters were cut off or the ink can't be seen, since then no
    answer would be right. `near`: of a string on a line as it is asked about, from near where that shows all of it."""
    window = _window(field)
    image = np.clip(_scanned(field.rng, _composed(field, window)), 0, 255).astype(np.uint8)
    whole = _finished(field, window, image)
    area = closeup.area(image) if near and whole is not None else None
    if area is None:
        return whole
    seen = _finished(field, window.part(area), closeup.seen(image, area))
    return whole if seen is None else replace(seen, whole=shrunk(image, HEIGHT, WIDTH))


def _finished(field: Field, window: _Window, image: Pixels) -> Cut | None:
    """The picture of what a window shows, if an answer to it would be right."""
    if any(window.cuts_off(span) for span in field.spans):
        return None
    finished = fitted(image, HEIGHT, WIDTH)
    if not _visible(finished, _fitted(window.of(field.own))):
        return None
    rows, columns = shrunk(image, HEIGHT, WIDTH).shape
    fine = None if window.row is None else image
    return Cut(finished, _labels(field, window), (rows, columns), window.row, fine=fine)


def _window(field: Field) -> _Window:
    """The field's box with the pipeline's margins, missed by the error of registration."""
    rng = field.rng
    dx, dy = rng.normal(0, MISPLACED_MM, 2) * field.scale
    mx, my = field.width * rng.uniform(0.005, 0.05), field.height * rng.uniform(0.05, 0.25)
    rows, columns = field.shape
    left, right = max(0, int(field.x0 - mx + dx)), min(columns, int(field.x1 + mx + dx))
    # The comb stands where registration takes it to be: between the margins.
    wide = right - left
    row = None if field.cells is None else Row(field.cells, mx / wide, 1 - mx / wide)
    return _Window(
        left,
        max(0, int(field.y0 - my + dy)),
        right,
        min(rows, int(field.y1 + my + dy)),
        row,
    )


def _composed(field: Field, window: _Window) -> Mask:
    """Paper, print and ink."""
    rng, printed = field.rng, window.of(field.print)
    ink = np.maximum(window.of(field.own), window.of(field.other))
    height, width = ink.shape
    paper = rng.uniform(215, 255)
    shade = rng.uniform(10, 110) if rng.random() < 0.85 else rng.uniform(100, 145)
    toner = rng.uniform(0, 90)
    ground = np.full((height, width), paper, np.float32)
    if rng.random() < 0.16:
        ground -= _guilloche(rng, height, width) * np.float32(rng.uniform(8, 55))
    if rng.random() < 0.3:
        ground += np.linspace(rng.uniform(-18, 0), rng.uniform(0, 18), width, dtype=np.float32)[None]
    image = ground * (1 - printed) + np.float32(toner) * printed
    if rng.random() < 0.25:
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 0.8))
    if rng.random() < 0.2:
        coarse = rng.random((max(2, height // 6), max(2, width // 6))).astype(np.float32)
        ink = ink * (1 - 0.6 * rng.random() * cv2.resize(coarse, (width, height)))
    share = np.clip(ink * rng.uniform(0.75, 1), 0, 1)
    image = image * (1 - share) + np.minimum(image, shade) * share
    if rng.random() < 0.25:
        for _ in range(int(rng.integers(1, 6))):
            centre = int(rng.integers(width)), int(rng.integers(height))
            cv2.circle(image, centre, int(rng.integers(1, 3)), float(rng.uniform(0, 160)), -1, cv2.LINE_AA)
    angle = rng.normal(0, 0.6)
    if abs(angle) > 0.15:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
        image = cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(image, np.float32)


def _guilloche(rng: np.random.Generator, height: int, width: int) -> Mask:
    """The fine waves printed under cheques and certificates."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    often, pattern = rng.uniform(0.05, 0.25), np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        wave = rng.uniform(3, 14) * np.sin(x * rng.uniform(0.01, 0.06) + rng.uniform(0, 6))
        pattern += np.abs(np.sin((y + wave) * often + rng.uniform(0, 6))) < 0.12
    return np.clip(pattern, 0, 1)


def _scanned(rng: np.random.Generator, image: Mask) -> Mask:
    """Resolution, blur, noise, contrast, brightness, black and white, JPEG."""
    height, width = image.shape
    factor = rng.uniform(0.42, 1.0)
    if factor < 0.9:
        small = max(8, int(width * factor)), max(8, int(height * factor))
        image = cv2.resize(cv2.resize(image, small, interpolation=cv2.INTER_AREA), (width, height))
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.4))
    if rng.random() < 0.4:
        image = _mask(image + rng.normal(0, rng.uniform(1, 10), image.shape))
    if rng.random() < 0.5:
        middle = rng.uniform(60, 255)
        image = _mask((image - middle) * rng.uniform(0.7, 1.5) + middle)
    if rng.random() < 0.25:
        image = _mask(255 * (np.clip(image, 0, 255) / 255) ** rng.uniform(0.6, 1.6))
    if rng.random() < 0.06:
        limit = rng.uniform(120, 200)
        image = _mask(np.where(image + rng.normal(0, 8, image.shape) > limit, 255, 0))
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 92))]
        _done, packed = cv2.imencode(".jpg", np.clip(image, 0, 255).astype(np.uint8), quality)
        image = _mask(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE))
    return image


def _mask(image: object) -> Mask:
    return np.asarray(image, np.float32)


def _fitted(ink: Mask) -> Mask:
    """Ink as it lies on the finished picture."""
    # White, where no ink is, is what the picture is filled up with.
    white = fitted((255 - np.clip(ink, 0, 1) * 255).astype(np.uint8), HEIGHT, WIDTH)
    return np.asarray((255 - white) / np.float32(255), np.float32)


def _visible(finished: Pixels, ink: Mask) -> bool:
    """Whether a person could see the ink: it is darker than what lies around it."""
    if not ink.any():
        return True
    core = ink > 0.6 * float(ink.max())
    around = (cv2.dilate(core.astype(np.uint8), np.ones((5, 5))) > 0) & (ink < 0.08)
    if not around.any():
        return True
    return float(np.median(finished[around])) - float(np.median(finished[core])) >= LEAST_CONTRAST


def _labels(field: Field, window: _Window) -> Pixels:
    """The character at each column: the middle part of a letter is its own, gaps are nobody's."""
    rows, columns = window.y1 - window.y0, window.x1 - window.x0
    scale = min(HEIGHT / rows, WIDTH / columns) / (WIDTH / COLUMNS)
    labels = np.zeros(COLUMNS, np.uint8)
    placed = [(span.letter, (span.x0 - window.x0) * scale, (span.x1 - window.x0) * scale) for span in field.spans]
    for letter, start, end in placed:
        centre, half = (start + end) / 2, (end - start) * 0.3
        labels[max(0, math.floor(centre - half)) : max(0, min(COLUMNS, math.floor(centre + half) + 1))] = CLASS[letter]
    # A narrow letter keeps at least its middle column.
    for letter, start, end in placed:
        column = math.floor((start + end) / 2)
        if 0 <= column < COLUMNS:
            labels[column] = CLASS[letter]
    return labels
