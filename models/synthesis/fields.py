"""One field of a form, drawn alone: paper with print around it and ink in it, before it is cut and scanned."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from models.synthesis import wording
from models.synthesis.faces import Face, Materials
from models.synthesis.pen import Pen, Span
from models.synthesis.strokes import Point, put, stroke
from pipeline.reading import Pixels

#: Pixels of the finished picture's height and width that a field is drawn at, roughly (half as much again as needed).
HEIGHT, WIDTH = 66, 528

#: What stands behind an amount, and how often.
CLOSINGS = {"-": 0.25, "--": 0.1, "=": 0.3, "/=": 0.08, ".": 0.15, ".-": 0.12}

#: Pixels a millimetre at least and at most.
LEAST_SCALE, MOST_SCALE = 2.2, 14.0


class Field:
    """A canvas around a field `width_mm` × `height_mm` large, drawn `fine` times as fine as most. `print` and the two
    inks, `own` (the answer) and `other` (a neighbour's, dirt), are masks from 0 to 1; `spans` says where each letter of
    the answer stands."""

    def __init__(
        self, rng: np.random.Generator, width_mm: float, height_mm: float, materials: Materials, fine: float = 1.0
    ) -> None:
        self.rng, self.materials = rng, materials
        scale = min(HEIGHT / (height_mm * 1.3), WIDTH / (width_mm * 1.05))
        self.scale = float(np.clip(scale, LEAST_SCALE, MOST_SCALE)) * fine
        self.x0, self.y0 = int(self.scale * 4) + 2, int(self.scale * 3.5) + 2
        self.width, self.height = int(width_mm * self.scale), int(height_mm * self.scale)
        self.shape = (self.height + 2 * self.y0, self.width + 2 * self.x0)
        self.print, self.own, self.other = (np.zeros(self.shape, np.float32) for _ in range(3))
        self.spans: list[Span] = []
        self.dark = float(rng.uniform(0.35, 1.0))
        self.cells: int | None = None

    @property
    def x1(self) -> int:
        return self.x0 + self.width

    @property
    def y1(self) -> int:
        return self.y0 + self.height

    def draw(self, canvas: Pixels, dark: float | None = None) -> None:
        """Lays lines drawn on a canvas of the field's shape onto its print."""
        np.maximum(self.print, canvas * np.float32((dark or self.dark) / 255), out=self.print)

    def text(self, text: str, x: float, baseline: float, px: float) -> None:
        """Prints text from x on a baseline, capitals `px` high."""
        word = self._face().word(text, max(4.5, px))
        put(self.print, word.mask * np.float32(self.dark), x, baseline - word.above)

    def lines(self, *lines: tuple[Point, Point], thick: float, dark: float | None = None) -> None:
        canvas = np.zeros(self.shape, np.uint8)
        for start, end in lines:
            cv2.line(canvas, _whole(start), _whole(end), 255, max(1, int(thick)), cv2.LINE_AA)
        self.draw(canvas, dark)

    def frame(self, thick: float) -> None:
        """A box around the field."""
        canvas = np.zeros(self.shape, np.uint8)
        cv2.rectangle(canvas, (self.x0, self.y0), (self.x1, self.y1), 255, max(1, int(thick)), cv2.LINE_AA)
        self.draw(canvas)

    def surroundings(self) -> None:
        """What stands around a field on a form, and may reach into its cut."""
        rng, k = self.rng, self.scale
        spread = self.width * 0.5 / k
        if rng.random() < 0.55:
            x, y = self.x0 + rng.uniform(-6, spread) * k, self.y0 - rng.uniform(0.2, 2.0) * k
            self.text(wording.printed(rng), x, y, rng.uniform(1.3, 2.4) * k * 0.8)
        if rng.random() < 0.55:
            x, y = self.x0 + rng.uniform(-6, spread) * k, self.y1 + rng.uniform(1.8, 4.5) * k
            self.text(wording.printed(rng), x, y, rng.uniform(1.3, 2.4) * k * 0.8)
        if rng.random() < 0.3:
            x, y = self.x0 - rng.uniform(3, 6) * k, self.y1 - rng.uniform(0, 2) * k
            self.text(wording.printed(rng, 1), x, y, rng.uniform(1.6, 2.6) * k * 0.8)
        for chance, nearest, edge in ((0.25, -0.3, self.y0), (0.2, 0.4, self.y1)):
            if rng.random() < chance:
                y = edge + np.sign(nearest) * rng.uniform(abs(nearest), 3) * k
                self.lines(((self.x0 - 6 * k, y), (self.x1 + 6 * k, y)), thick=rng.uniform(1, 2.5))
        for side, edge in ((1, self.x1), (-1, self.x0)):
            if rng.random() < 0.12:
                x = edge + side * rng.uniform(0.5, 3) * k
                self.lines(((x, 0), (x, self.shape[0])), thick=rng.uniform(1, 2.5))
        if rng.random() < 0.10:
            self._neighbour()

    def _neighbour(self) -> None:
        """Handwriting of the field above or below."""
        rng, k = self.rng, self.scale
        pen = Pen(rng, self.materials, "abc", "hand")
        baseline = self.y0 - rng.uniform(0.5, 2) * k if rng.random() < 0.5 else self.y1 + rng.uniform(3, 6) * k
        pen.write(self.other, wording.written(rng)[:8], self.x0 + rng.uniform(-5, 20) * k, baseline, 3 * k)

    def comb(self, cells: int, marks: str | None = None) -> None:
        """Boxes, ticks or dashes for letters, with their layout (`marks`) printed lightly in or below them."""
        self.cells = cells
        rng, cell = self.rng, self.width / cells
        thick = max(1, int(rng.uniform(0.12, 0.45) * self.scale * 0.5))
        style, dark = rng.random(), self.dark * rng.uniform(0.3, 1)
        gap = rng.uniform(0.03, 0.15) * cell if style < 0.25 else 0.0
        high = rng.uniform(0.4, 0.7)
        canvas = np.zeros(self.shape, np.uint8)
        for place in range(cells):
            left, right = self.x0 + place * cell + gap, self.x0 + (place + 1) * cell - gap
            if style < 0.7:
                cv2.rectangle(canvas, _whole((left, self.y0)), _whole((right, self.y1)), 255, thick, cv2.LINE_AA)
                continue
            inset = 0.0 if style < 0.85 else cell * 0.08
            _line(canvas, (left + inset, self.y1), (right - inset, self.y1), thick)
            if style < 0.85:
                _line(canvas, (left, self.y0 + self.height * high), (left, self.y1), thick)
                _line(canvas, (right, self.y0 + self.height * 0.6), (right, self.y1), thick)
        self.draw(canvas, dark)
        if marks and rng.random() < 0.55:
            self._marks(marks[:cells], cell)

    def _marks(self, marks: str, cell: float) -> None:
        rng = self.rng
        light, below, px = rng.uniform(0.12, 0.5) * self.dark, rng.random() < 0.2, rng.uniform(0.3, 0.5) * self.height
        face = self._face()
        y = self.y1 + px * 0.7 if below else self.y0 + self.height * 0.5
        for place, letter in enumerate(marks):
            mask = face.word(letter, max(4.5, px)).mask * np.float32(light)
            put(self.print, mask, self.x0 + (place + 0.5) * cell - mask.shape[1] / 2, y - mask.shape[0] / 2)

    def underline(self) -> None:
        """A line or dots to write on, a box, or nothing."""
        rng, kind = self.rng, self.rng.random()
        y = self.y0 + self.height * rng.uniform(0.84, 0.99)
        if kind < 0.45:
            start = self.x0 - rng.uniform(-1, 3) * self.scale, y
            self.lines((start, (self.x1 + rng.uniform(-1, 3) * self.scale, y)), thick=rng.uniform(0.8, 2.4))
        elif kind < 0.65:
            canvas = np.zeros(self.shape, np.uint8)
            for x in np.arange(self.x0, self.x1, rng.uniform(0.6, 1.3) * self.scale):
                cv2.circle(canvas, _whole((x, y)), max(1, int(self.scale * 0.13)), 255, -1, cv2.LINE_AA)
            self.draw(canvas)
        elif kind < 0.82:
            self.frame(rng.uniform(0.8, 2.5))

    def fill_comb(self, text: str, cells: int, pen: Pen) -> None:
        """A letter in each box."""
        rng, cell = self.rng, self.width / cells
        px = min(self.height * 0.78, cell * 1.25) * pen.height * rng.uniform(0.85, 1.05)
        px *= 0.85 if pen.source == "print" else 1.0
        off_x, off_y = rng.normal(0, 0.05) * cell, rng.normal(0, 0.05) * self.height
        for place, letter in enumerate(text):
            if letter == " ":
                continue
            mask = pen.glyph(letter, px).mask
            rows = np.flatnonzero(mask.max(axis=1) > 0.2)
            centre = (rows[0] + rows[-1]) / 2 if len(rows) else mask.shape[0] / 2
            x = self.x0 + (place + 0.5) * cell - mask.shape[1] / 2 + off_x + rng.normal(0, 0.06) * cell
            y = self.y0 + self.height * 0.5 + off_y - centre + rng.normal(0, 0.05) * self.height
            put(self.own, mask, x, y)
            self.spans.append(Span(letter, x, x + mask.shape[1]))

    def fill_line(self, text: str, pen: Pen) -> None:
        """Text on the line, smaller where it would not fit."""
        rng = self.rng
        baseline = self.y0 + self.height * rng.uniform(0.78, 0.95)
        px = min(self.height * 0.72, rng.uniform(2.6, 4.8) * self.scale) * pen.height
        px *= min(1.0, self.width * 0.97 / (len(text) * px * 0.62))
        slack = max(0.0, self.width - len(text) * px * 0.6)
        x = self.x0 + rng.uniform(0, 0.5 if rng.random() < 0.7 else 1) * slack + rng.uniform(-0.2, 1) * self.scale * 0.5
        self.spans += pen.write(self.own, text, x, baseline, px)

    def closing(self) -> None:
        """What people end an amount with so that nobody adds to it: dashes, a slash with two of them, a dot."""
        rng, canvas = self.rng, np.zeros(self.shape, np.uint8)
        last = self.spans[-1]
        rows = np.flatnonzero(self.own[:, int(last.x0) : int(last.x1) + 1].max(axis=1, initial=0.0) > 0.3)
        if len(rows) == 0:
            return
        high = float(rows[-1] - rows[0] + 1)
        thick = max(1.0, high * rng.uniform(0.05, 0.12))
        x, y, wide = last.x1 + high * rng.uniform(0.05, 0.4), float(rows[0]), high * rng.uniform(0.3, 1.1)
        kind = str(rng.choice(list(CLOSINGS), p=list(CLOSINGS.values())))
        if "/" in kind:
            stroke(canvas, [(x + 0.3 * high, y), (x, y + high)], thick)
            x += 0.35 * high
        if "." in kind:
            stroke(canvas, [(x, y + 0.95 * high), (x + 0.06 * high, y + high)], thick)
            x += 0.15 * high
        middle, apart = y + high * rng.uniform(0.35, 0.7), high * rng.uniform(0.12, 0.3)
        for row in range(kind.count("-") + 2 * kind.count("=")):
            lean = rng.normal(0, 0.06) * high
            if "=" in kind:
                level, left = middle + (row - 0.5) * apart, x + rng.normal(0, 0.05) * high
            else:
                level, left = middle, x + row * wide * rng.uniform(1.1, 1.4)
            stroke(canvas, [(left, level + lean), (left + wide / 2, level), (left + wide, level - lean)], thick)
        self.ink(canvas)

    def ink(self, canvas: Pixels) -> None:
        """Lays strokes drawn on a canvas of the field's shape onto the answer's ink."""
        np.maximum(self.own, canvas * np.float32(1 / 255), out=self.own)

    def _face(self) -> Face:
        return self.materials.prints[self.rng.integers(len(self.materials.prints))]


def _line(canvas: npt.NDArray[np.uint8], start: Point, end: Point, thick: int) -> None:
    cv2.line(canvas, _whole(start), _whole(end), 255, thick, cv2.LINE_AA)


def _whole(point: Point) -> tuple[int, int]:
    return int(point[0]), int(point[1])
