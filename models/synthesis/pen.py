"""A pen: one hand for one field, where its letters come from and how they lean."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from string import ascii_letters
from typing import Literal, TypeAlias

import cv2
import numpy as np

from models.synthesis.faces import Face, Materials, OutlineFace, StrokeFace, Word, drawn
from models.synthesis.figures import Figures, Letters
from models.synthesis.pictures import Pictures
from models.synthesis.strokes import Mask, Points, put
from models.synthesis.writers import HEIGHTS, TALL

Source: TypeAlias = Literal["hand", "mnist", "nist", "writers", "figures", "hershey", "print"]

#: How often each source is used, in proportion to those that are there.
SHARES: dict[Source, float] = {
    "hand": 0.33,
    "mnist": 0.19,
    "nist": 0.25,
    "writers": 0.25,
    "figures": 0.22,
    "hershey": 0.08,
    "print": 0.15,
}

#: How often letters of a handwriting font are joined to words.
JOINED = 0.5

#: What training alone draws, as hands are wilder than collections: how often zeros are one stroke, letters touch, and
#: all of them lean, by how much about.
RUNNING, TOUCHING, LEANING, LEANED = 0.5, 0.2, 0.15, 0.3

DIGITS = "0123456789"

#: What a pen of real digits can write, and one of real letters too: of separators they know the strokes.
FIGURES = DIGITS + "/-. ,"
CHARACTERS = FIGURES + ascii_letters


@dataclass(frozen=True, slots=True)
class Span:
    """Where a letter stands across a picture, in pixels."""

    letter: str
    x0: float
    x1: float


class Pen:
    """Draws letters of one hand. `bend` (share of the letters' height) makes stroke fonts less alike; `point` is the
    width of their strokes in pixels, by the letters' height where None."""

    def __init__(
        self,
        rng: np.random.Generator,
        materials: Materials,
        text: str,
        source: Source | None = None,
        *,
        bend: float = 0.0,
        point: float | None = None,
    ) -> None:
        self.rng, self.materials, self.bend, self.point = rng, materials, bend, point
        self.source = self._source(text, source)
        self.face: Face = self._face()
        self.writer = self._writer(text)
        self.joined = self.source == "hand" and bool(rng.random() < JOINED)
        typed = self.source == "print"
        self.slant = 0.0 if typed else float(rng.normal(0, 0.12))
        self.uneven = 0.0 if typed else abs(float(rng.normal(0, 0.035)))
        self.stretch = 0.0 if typed else abs(float(rng.normal(0, 0.06)))
        self.turn = 0.0 if typed else abs(float(rng.normal(0, 4)))
        self.thick = float(rng.normal(0, 1))
        self.height, self.width = float(rng.uniform(0.62, 1.0)), float(rng.uniform(0.8, 1.2))
        # Digits of one field look alike in stroke, though they were drawn by many writers.
        self.sharp, self.thin = float(rng.uniform(90, 150)), float(rng.random())
        self.running = self.touching = False
        if materials.split == "train" and not typed:
            self.running = self.source == "figures" and bool(rng.random() < RUNNING)
            self.touching = bool(rng.random() < TOUCHING)
            if rng.random() < LEANING:
                self.slant = float(rng.normal(0, LEANED))

    def _source(self, text: str, wanted: Source | None) -> Source:
        there: dict[Source, bool] = {
            "hand": bool(self.materials.hands),
            "mnist": self.materials.digits is not None,
            "nist": self.materials.characters is not None,
            "writers": self.materials.writers is not None,
            "figures": self.materials.split == "train",
            "hershey": True,
            "print": True,
        }
        if wanted is None:
            choices = [source for source in SHARES if there[source]]
            shares = np.array([SHARES[source] for source in choices])
            wanted = choices[int(self.rng.choice(len(choices), p=shares / shares.sum()))]
        alone = self.materials.writers is None
        known = {"mnist": FIGURES, "nist": CHARACTERS, "figures": FIGURES if alone else None}.get(wanted)
        if known is not None and not set(text) <= set(known):
            wanted = "hand"
        return wanted if there[wanted] else "hershey"

    def _writer(self, text: str) -> Letters | None:
        """Whose strokes are drawn, where it is somebody's."""
        if self.source not in ("writers", "figures"):
            return None
        people = self.materials.writers
        writer = people.writer(self.rng, text) if people is not None else None
        return Figures(self.rng, writer) if self.source == "figures" else writer

    def _face(self) -> Face:
        faces = self.materials.strokes
        if self.source == "hand":
            return self.materials.hands[self.rng.integers(len(self.materials.hands))]
        if self.source == "print":
            return self.materials.prints[self.rng.integers(len(self.materials.prints))]
        return faces[self.rng.integers(len(faces))] if self.source == "hershey" else faces[0]

    def glyph(self, letter: str, px: float) -> Word:
        """One letter (or joined ones), capitals about `px` pixels high, as this hand draws it this time."""
        written = self.writer.strokes(letter, self.rng) if self.writer is not None else None
        pictures = {"mnist": self.materials.digits, "nist": self.materials.characters}.get(self.source)
        if pictures is not None and letter in pictures.places:
            word = self._pictured(pictures, letter, px)
        elif written is not None:
            word = drawn([one * np.array([self.width, 1.0], np.float32) for one in written], px, self._thick(px))
        elif isinstance(self.face, StrokeFace):
            word = drawn([self._bent(one, px) for one in self.face.strokes(letter)], px, self._thick(px))
        else:
            word = self.face.word(letter, px)
            if self.thick > 1.1 and px > 26:
                word = Word(_masked(cv2.dilate(word.mask, np.ones((2, 2)))), word.above)
        return self._leaned(word, self.turn / len(letter)) if self.turn or self.slant else word

    def _thick(self, px: float) -> int:
        """How wide the point draws, in pixels; one too broad for small letters would fill them."""
        usual = px / 14 * (1 + 0.3 * self.thick)
        return max(1, round(usual if self.point is None else min(self.point, px / 7)))

    def _pictured(self, pictures: Pictures, letter: str, px: float) -> Word:
        """A real letter, thinner or thicker, as high as such letters are."""
        rng, image = self.rng, pictures.one(letter, self.rng)
        top, bottom = HEIGHTS.get(letter, TALL)
        height = max(6, int(px * (bottom - top) * rng.uniform(0.9, 1.1)))
        width = max(2, int(image.shape[1] * height / image.shape[0] * self.width))
        if image.shape[1] < image.shape[0] * 0.3:
            width = max(3, min(width, int(px * 0.3)))
        size = (width + max(2, width // 8), height + max(2, height // 10))
        grey = cv2.resize(np.pad(image, 2), size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
        mask = np.clip((grey - self.sharp) / 60 + 0.5, 0, 1)
        if self.thin < 0.5 and px > 30:
            mask = cv2.erode(mask, np.ones((2, 2)))
        if self.thin < 0.2 and px > 40:
            mask = cv2.erode(mask, np.ones((3, 3)))
        return Word(_masked(mask), round(size[1] * top / (top - bottom)))

    def _bent(self, points: Points, px: float) -> Points:
        """A stroke as a hand draws it: a little off at each point, and bent as a whole."""
        rng = self.rng
        path = points * [self.width, 1.0] + rng.normal(0, 0.018, points.shape)
        if self.bend:
            waves = np.sin(path[:, ::-1] * rng.uniform(2, 5, 2) + rng.uniform(0, 6.3, 2))
            path = path + waves * rng.normal(0, self.bend, 2)
        # No point left of the picture's edge, which lies 4 pixels from the letter.
        return np.asarray(np.maximum(path, [-3.0 / px, -1.0 - 3.0 / px]), np.float32)

    def _leaned(self, word: Word, turn: float) -> Word:
        height, width = word.mask.shape
        side = int(0.25 * height)
        mask = np.pad(word.mask, ((3, 3), (side, side)))
        height, width = mask.shape
        angle, factor = math.radians(self.rng.normal(0, turn)), 1 + self.rng.normal(0, self.stretch)
        cos, sin = math.cos(angle), math.sin(angle)
        matrix = np.array(
            [[cos * factor, (-self.slant - sin) * factor, 0], [sin * factor, cos * factor, 0]], np.float32
        )
        centre = np.array([width / 2, height / 2])
        matrix[:, 2] = centre - matrix[:, :2] @ centre
        mask = _masked(cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_LINEAR))
        columns = np.flatnonzero(mask.max(axis=0) > 0.2)
        return Word(mask[:, columns[0] : columns[-1] + 1] if len(columns) else mask, word.above + 3)

    def write(self, ink: Mask, text: str, x: float, baseline: float, px: float) -> list[Span]:
        """A line of text from x on the baseline; returns where each letter stands."""
        rng, spans = self.rng, []
        gap, slope, start = px * rng.uniform(0.02, 0.16), rng.normal(0, 0.015), x
        if self.touching:
            gap = px * rng.uniform(-0.08, 0.02)
        for part in self._parts(text):
            if part == " ":
                x += int(px * rng.uniform(0.3, 0.55))
                continue
            word = self.glyph(part, px)
            y = baseline - word.above + rng.normal(0, self.uneven) * px + slope * (x - start)
            put(ink, word.mask, x, y)
            spans += self._spans(part, x, word.mask.shape[1])
            x += word.mask.shape[1] + gap * rng.uniform(0.4, 1.6)
        return spans

    def _parts(self, text: str) -> list[str]:
        """What is drawn at once: each character, or words as a hand joins them, or zeros in one stroke."""
        if self.running:
            return re.findall(r"0{2,}|.", text)
        return re.findall(r"[A-Za-z]+|.", text) if self.joined else list(text)

    def _spans(self, part: str, x: float, width: float) -> list[Span]:
        if len(part) == 1:
            return [Span(part, x, x + width)]
        shares = self.face.edges(part) if isinstance(self.face, OutlineFace) and self.joined else None
        shares = [(place + 1) / len(part) for place in range(len(part))] if shares is None else shares
        ends = [x + share * width for share in shares]
        return [Span(letter, start, end) for letter, start, end in zip(part, [x, *ends[:-1]], ends, strict=True)]


def _masked(image: object) -> Mask:
    return np.asarray(image, np.float32)
