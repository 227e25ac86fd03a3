"""Paper with ink on it: a form's page at `DPI`, filled by hands and stamps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from models.synthesis.faces import Materials
from models.synthesis.filling import Entry
from models.synthesis.pen import FIGURES, Pen, Source
from models.synthesis.signatures import SCRIPTS, signature
from models.synthesis.split import signer as somebody
from models.synthesis.stamps import stamp
from models.synthesis.strokes import Mask, put, stroke
from pipeline.doctypes.schema import DocumentType, FieldKind
from pipeline.geometry import Box
from pipeline.pages import Colour
from pipeline.reading import Pixels
from pipeline.sheet import blank_image

#: Dots an inch at which forms are filled.
DPI = 200.0
PX_PER_MM = DPI / 25.4

#: Inks (red, green, blue): ballpoints, and what stamp pads are soaked with.
INKS = ((25, 35, 120), (35, 45, 150), (20, 20, 30), (40, 40, 45), (15, 25, 80))
PADS = ((85, 45, 140), (60, 50, 150), (150, 35, 50), (30, 40, 120))
TONER = (20, 20, 20)

#: Width of a pen's point (mm), how far strokes are bent and how unlike in size the letters of one hand are.
POINT_MM, BEND, EVEN = (0.25, 0.42), 0.035, 0.05

#: How often a form is filled in letters that somebody really wrote; how often in such that many did, where there are
#: those; how often its figures are digits of MNIST; and for training how often they are figures by rule.
WRITERS, MANY, FIGURES_APART, BY_RULE = 0.4, 0.3, 0.45, 0.25

#: How dark (0 to 255) a pixel of a real digit must be to be ink, at most.
MOST_SHARP = 105.0

#: Stroke fonts that draw a stem with several lines take a finer point.
FINER = {"rowmant": 0.55, "futuram": 0.75, "rowmand": 0.75, "timesr": 0.6, "scriptc": 0.8}

#: Fields that are read letter by letter.
STRINGS = (FieldKind.DATE, FieldKind.IDENTIFIER, FieldKind.AMOUNT)

#: How far beyond its field ink may reach, as a share of the field's height and of its width.
OVER_X, OVER_Y = 0.06, 0.35


class Hand:
    """Somebody with a pen: all they write on a form looks alike."""

    def __init__(self, rng: np.random.Generator, materials: Materials) -> None:
        self.ink = INKS[int(rng.integers(len(INKS)))]
        point = float(rng.uniform(*POINT_MM)) * PX_PER_MM
        letters: Source = "hand" if materials.hands and rng.random() < 0.85 else "hershey"
        if materials.writers is not None and rng.random() < WRITERS:
            letters = "writers"
        if materials.characters is not None and rng.random() < MANY:
            letters = "nist"
        figures: Source = "mnist" if materials.digits is not None and rng.random() < FIGURES_APART else letters
        if materials.split == "train" and rng.random() < BY_RULE:
            figures = "figures"
        self.letters = Pen(rng, materials, "", letters, bend=BEND, point=point)
        self.figures = self.letters if figures == letters else Pen(rng, materials, "", figures, bend=BEND, point=point)
        self.block = self._block(rng, materials, point)
        for pen in (self.letters, self.figures, self.block):
            pen.point = point * FINER.get(pen.face.name, 1.0)
            pen.stretch = min(pen.stretch, EVEN)
            # Real digits are not thinned: one hand presses alike.
            pen.sharp, pen.thin = min(pen.sharp, MOST_SHARP), 1.0
        self.typed = Pen(rng, materials, "", "print")
        self.bold = point / (POINT_MM[0] * PX_PER_MM)

    def _block(self, rng: np.random.Generator, materials: Materials, point: float) -> Pen:
        """The pen for block letters, which nobody joins."""
        plain = [face for face in materials.strokes if face.name not in SCRIPTS]
        if self.letters.face.name not in SCRIPTS or not plain:
            return self.letters
        pen = Pen(rng, materials, "", "hershey", bend=BEND, point=point)
        pen.face = plain[int(rng.integers(len(plain)))]
        return pen

    def source(self, entry: Entry) -> Source | None:
        """Whose letters a string is in; None where none stands."""
        if entry.text is None or entry.field.kind not in STRINGS:
            return None
        return self.pen(entry.text, typed=entry.typed, boxed=bool(entry.field.cells)).source

    def pen(self, text: str, *, typed: bool = False, boxed: bool = False) -> Pen:
        """What this hand takes for a text; `boxed` in comb boxes."""
        if typed:
            return self.typed
        if all(letter in FIGURES for letter in text):
            return self.figures
        return self.block if boxed else self.letters


class Paper:
    """A page being filled; `image` is RGB at `DPI`."""

    def __init__(self, doctype: DocumentType, page: int, materials: Materials, rng: np.random.Generator) -> None:
        paper = doctype.pages[page - 1]
        size = (round(paper.width_mm * PX_PER_MM), round(paper.height_mm * PX_PER_MM))
        blank = _blank(doctype.folder, paper.blank, size, doctype, page)
        self.image: Colour = np.repeat(blank[:, :, None], 3, axis=2)
        self.materials, self.rng = materials, rng

    def fill(self, entry: Entry, hand: Hand) -> None:
        """Draws what stands in a field."""
        if entry.text is None:
            return
        one = entry.field
        match one.kind:
            case FieldKind.SIGNATURE:
                self.sign(one.where, entry.signer, hand)
            case FieldKind.ENDORSEMENT:
                self.endorse(one.where, entry.text.split("\n"))
            case FieldKind.CHECKBOX:
                self.tick(one.where, hand)
            case _ if one.cells:
                self.comb(one.where, entry.text, one.cells, hand.pen(entry.text, typed=entry.typed, boxed=True), hand)
            case _:
                self.line(one.where, entry.text, hand.pen(entry.text, typed=entry.typed), hand)

    def sign(self, box: Box, signer: int | None, hand: Hand) -> None:
        x, y, width, height = self._pixels(box)
        across, down = self.rng.uniform(0.6, 0.95), self.rng.uniform(0.85, 1.15)
        size = (max(8, int(height * down)), max(16, int(min(width * across, height * 5))))
        mask = signature(self.rng, self.materials, *size, signer=signer, bold=hand.bold)
        left = x + self.rng.uniform(0.02, 0.9) * max(0.0, width - size[1])
        # A signature thinner than a pen's point would not be seen on a coarse scan.
        self._lay(_thickened(mask, hand.bold), left, y + (height - size[0]) / 2, hand.ink)

    def endorse(self, box: Box, lines: Sequence[str]) -> None:
        x, y, width, height = self._pixels(box)
        size = int(height * self.rng.uniform(0.9, 1.02)), int(width * self.rng.uniform(0.9, 1.02))
        mask = stamp(self.rng, self.materials, *size, lines, worn=float(self.rng.uniform(0.1, 0.5)), turn=2.5)
        jitter = self.rng.normal(0, 0.02, 2)
        left, top = x + (width - size[1]) / 2 + jitter[0] * width, y + (height - size[0]) / 2 + jitter[1] * height
        self._lay(mask, left, top, PADS[int(self.rng.integers(len(PADS)))], 0.92)

    def tick(self, box: Box, hand: Hand) -> None:
        x, y, width, height = self._pixels(box)
        canvas = np.zeros((int(height * 2), int(width * 2)), np.uint8)

        def at(across: float, down: float) -> tuple[float, float]:
            jitter = self.rng.normal(0, 0.05, 2)
            return float((across + 0.5 + jitter[0]) * width), float((down + 0.5 + jitter[1]) * height)

        thick = max(2.0, 0.32 * PX_PER_MM * hand.bold)
        if self.rng.random() < 0.7:
            stroke(
                canvas,
                [at(0.1, 0.5), at(0.4, 0.85), at(self.rng.uniform(0.85, 1.2), self.rng.uniform(-0.2, 0.2))],
                thick,
            )
        else:
            stroke(canvas, [at(0.15, 0.15), at(0.5, 0.5), at(0.85, 0.85)], thick)
            stroke(canvas, [at(0.85, 0.15), at(0.5, 0.5), at(0.15, 0.85)], thick)
        self._lay(_mask(canvas), x - 0.5 * width, y - 0.5 * height, hand.ink)

    def comb(self, box: Box, text: str, cells: int, pen: Pen, hand: Hand) -> None:
        """A letter in each box."""
        x, y, width, height = self._pixels(box)
        cell, rng = width / cells, self.rng
        px = min(height * 0.78, cell * 1.15) * max(0.68, pen.height) * (0.85 if pen.source == "print" else 1.0)
        ink, left, top = self._sheet(box)
        shift = rng.normal(0, 0.04, 2)
        for place, letter in enumerate(text[:cells]):
            if letter == " ":
                continue
            word = pen.glyph(letter, px)
            rows = np.flatnonzero(word.mask.max(axis=1) > 0.2)
            centre = (rows[0] + rows[-1]) / 2 if len(rows) else word.mask.shape[0] / 2
            jitter = rng.normal(0, 0.04, 2)
            middle = (place + 0.5 + shift[0] + jitter[0]) * cell
            put(
                ink,
                word.mask,
                left + middle - word.mask.shape[1] / 2,
                top + (0.5 + shift[1] + jitter[1]) * height - centre,
            )
        self._lay(ink, x - left, y - top, TONER if pen.source == "print" else hand.ink)

    def line(self, box: Box, text: str, pen: Pen, hand: Hand) -> None:
        """Text on a line, smaller where it would not fit."""
        x, y, width, height = self._pixels(box)
        rng = self.rng
        wanted = min(height * 0.62, rng.uniform(2.8, 4.2) * PX_PER_MM) * max(0.8, pen.height)
        if pen.source == "print":
            self._print(box, text, pen, wanted)
            return
        ink, left, top = self._sheet(box)
        for _ in range(5):
            canvas = np.zeros_like(ink)
            baseline = top + min(height * rng.uniform(0.8, 0.9), (height + wanted) / 2 + 0.3 * wanted)
            spans = pen.write(canvas, text, left + rng.uniform(0.01, 0.05) * width, baseline, wanted)
            over = (spans[-1].x1 - left) / (0.98 * width) if spans else 0.0
            if over <= 1:
                break
            wanted *= max(0.5, min(0.95, 1 / over))
        self._lay(canvas, x - left, y - top, hand.ink)

    def _print(self, box: Box, text: str, pen: Pen, px: float) -> None:
        """Text on a line as a printer sets it."""
        x, y, width, height = self._pixels(box)
        word = pen.face.word(text, px)
        if word.mask.shape[1] > 0.97 * width:
            word = pen.face.word(text, px * 0.97 * width / word.mask.shape[1])
        self._lay(word.mask, x + 0.015 * width, y + min(height * 0.86, (height + px * 1.6) / 2) - word.above, TONER)

    def strike(self, boxes: Sequence[Box], hand: Hand) -> None:
        """One stroke through fields that stand in a row."""
        for box in boxes:
            x, y, width, height = self._pixels(box)
            ink, left, top = self._sheet(box)
            canvas = np.zeros(ink.shape, np.uint8)
            middle = top + height * self.rng.uniform(0.4, 0.6)
            points = [(left + width * part, middle + self.rng.normal(0, 0.05) * height) for part in (0.02, 0.5, 0.98)]
            stroke(canvas, points, 0.35 * PX_PER_MM * hand.bold)
            self._lay(_mask(canvas), x - left, y - top, hand.ink)

    def scrawl(self, box: Box, kind: str, hand: Hand, lines: Sequence[str]) -> None:
        """A mark where none belongs: `signature`, `stamp` or `handwriting` (the first of the lines)."""
        if kind == "signature":
            self.sign(box, somebody(self.rng, self.materials.split), hand)
        elif kind == "stamp":
            self.endorse(box, lines)
        else:
            self.line(box, lines[0], hand.letters, hand)

    def _pixels(self, box: Box) -> tuple[float, float, float, float]:
        rows, columns = self.image.shape[:2]
        return box.x0 * columns, box.y0 * rows, box.width * columns, box.height * rows

    def _sheet(self, box: Box) -> tuple[Mask, float, float]:
        """Room for ink in and a little around a box, and where the box begins in it."""
        _x, _y, width, height = self._pixels(box)
        left, top = max(4.0, width * OVER_X), height * OVER_Y
        return np.zeros((int(height + 2 * top), int(width + 2 * left)), np.float32), left, top

    def _lay(self, ink: Mask, x: float, y: float, colour: tuple[int, int, int], strength: float = 1.0) -> None:
        """Lays ink onto the paper: what is darker already stays."""
        inked_rows, inked_columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        if not len(inked_rows):
            return
        # Most of the room around a field is bare.
        ink = ink[inked_rows[0] : inked_rows[-1] + 1, inked_columns[0] : inked_columns[-1] + 1]
        rows, columns = self.image.shape[:2]
        left, top = int(x) + int(inked_columns[0]), int(y) + int(inked_rows[0])
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(columns, left + ink.shape[1]), min(rows, top + ink.shape[0])
        if x1 <= x0 or y1 <= y0:
            return
        part = self.image[y0:y1, x0:x1]
        share = (ink[y0 - top : y1 - top, x0 - left : x1 - left] * np.float32(strength))[:, :, None]
        inked = np.minimum(part, np.array(colour, np.uint8))
        part[...] = (part * (1 - share) + inked * share).astype(np.uint8)


def _mask(canvas: Pixels) -> Mask:
    return np.asarray(canvas / np.float32(255), np.float32)


def _thickened(mask: Mask, bold: float) -> Mask:
    """Strokes at least as wide as a pen's point (0.3 mm)."""
    solid = float((mask > 0.5).sum())
    edge = float(np.abs(np.diff((mask > 0.5).astype(np.int8), axis=0)).sum()) + 1.0
    if solid / edge < 0.14 * PX_PER_MM * bold:
        return np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2, 2))), np.float32)
    return mask


def _blank(folder: Path | None, name: str, size: tuple[int, int], doctype: DocumentType, page: int) -> Pixels:
    key = (folder, name, size)
    if key not in _BLANKS:
        if len(_BLANKS) >= MOST_BLANKS:
            _BLANKS.clear()
        small = blank_image(doctype, page)
        _BLANKS[key] = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    return _BLANKS[key]


#: Blanks at `DPI`, of the types drawn last.
MOST_BLANKS = 16
_BLANKS: dict[tuple[Path | None, str, tuple[int, int]], Pixels] = {}
