"""Faces: what letters look like, outline fonts and stroke fonts alike, and all of them that a split may use."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import cv2
import numpy as np
from HersheyFonts import HersheyFonts
from PIL import Image, ImageDraw, ImageFont

from models.synthesis.digits import Digits, digits
from models.synthesis.split import LISTED, Split, allowed, require
from models.synthesis.strokes import BITS, Mask, Points

#: Where `make fonts` puts handwriting (`hand/`) and print (`print/`).
FOLDER = Path("fonts")

#: Font size over the height of its capitals.
SIZE = 1.35

#: Height of capitals in Hershey's units.
UNITS = 21.0

#: Points of a stroke at least.
LEAST_POINTS = 6

#: Stroke fonts that pass for print where there is no other.
PRINTED = ("rowmand", "timesr", "rowmant")


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """Ink of letters: its rows from `above` the baseline to what hangs below."""

    mask: Mask
    above: int


class Face(Protocol):
    """One way letters look."""

    @property
    def name(self) -> str: ...

    def word(self, text: str, px: float) -> Word:
        """The text with capitals `px` high, cut to its ink on the left and right."""
        ...


@dataclass(frozen=True, slots=True)
class OutlineFace:
    """A TrueType font file, or Pillow's own font where `path` is None."""

    name: str
    path: Path | None

    def word(self, text: str, px: float) -> Word:
        font = _font(self.path, _rounded(px * SIZE))
        left, top, right, bottom = font.getbbox(text, anchor="ls")
        if right <= left or bottom <= top:
            return Word(np.zeros((4, max(2, int(px * 0.35))), np.float32), 4)
        # A word keeps its baseline: it is cut from the height of capitals to what hangs below.
        first, last = min(int(top), -int(px)), max(int(bottom), 2)
        image = Image.new("L", (int(right - left) + 4, last - first + 4), 0)
        ImageDraw.Draw(image).text((2 - left, 2 - first), text, font=font, fill=255, anchor="ls")
        return Word(np.asarray(np.asarray(image) / np.float32(255), np.float32), 2 - first)


Strokes: TypeAlias = tuple[Points, ...]


@dataclass(frozen=True, slots=True)
class StrokeFace:
    """A Hershey font: letters as the strokes of a pen."""

    name: str

    def strokes(self, letter: str) -> Strokes:
        """A letter's strokes, capitals 1 high: x from 0, y from −1 (top of capitals) to 0 (baseline) and below."""
        return _strokes(self.name, letter)

    def word(self, text: str, px: float) -> Word:
        x, placed = 0.0, []
        for letter in text:
            strokes = self.strokes(letter)
            placed += [one + np.array([x, 0], np.float32) for one in strokes]
            x += (max(float(one[:, 0].max()) for one in strokes) if strokes else 0.35) + 0.2
        return drawn(placed, px, max(1, round(px / 11)))


def drawn(strokes: Sequence[Points], px: float, thick: int) -> Word:
    """Strokes in units of the capitals' height as ink `px` high with lines `thick` pixels wide."""
    if not strokes:
        return Word(np.zeros((int(px), max(2, int(px * 0.4))), np.float32), int(px))
    width = int(max(float(one[:, 0].max()) for one in strokes) * px) + 8
    canvas = np.zeros((int(px * 1.45) + 8, width), np.uint8)
    for one in strokes:
        line = np.round((one * px + np.array([4, px + 4])) * (1 << BITS)).astype(np.int32)
        cv2.polylines(canvas, [line], False, 255, thick, cv2.LINE_AA, BITS)
    return Word(np.asarray(canvas / np.float32(255), np.float32), int(px) + 4)


@dataclass(frozen=True, slots=True, eq=False)
class Materials:
    """All that ink of one split may be drawn with; `hands` and `digits` are not there in a plain install."""

    split: Split
    hands: tuple[OutlineFace, ...]
    prints: tuple[Face, ...]
    strokes: tuple[StrokeFace, ...]
    digits: Digits | None

    def __post_init__(self) -> None:
        for face in (*self.hands, *self.prints, *self.strokes):
            require(face.name, self.split)
        if self.digits is not None and self.digits.split != self.split:
            raise ValueError(f"digits of the {self.digits.split} split may not be used for {self.split}")


def materials(split: Split, fonts: Path | None = None, mnist: Path | None = None) -> Materials:
    """The faces and digits of a split: of the fonts in `fonts/hand` and `fonts/print` those that belong to it, and
    Hershey's. Without arguments, those at `DOCVIGIL_FONTS` (or in `fonts/` here) and `DOCVIGIL_DIGITS`."""
    folder = fonts or Path(os.environ.get("DOCVIGIL_FONTS") or FOLDER)
    file = mnist or (Path(os.environ["DOCVIGIL_DIGITS"]) if os.environ.get("DOCVIGIL_DIGITS") else None)
    return _materials(split, folder, file)


def plain(split: Split, fonts: Path | None = None, mnist: Path | None = None) -> Materials:
    """What is given and nothing that happens to lie about, so that a seed means the same on every machine."""
    return _materials(split, fonts, mnist)


@functools.lru_cache(8)
def _materials(split: Split, fonts: Path | None, mnist: Path | None) -> Materials:
    prints: tuple[Face, ...] = _outlines(fonts, "print", split)
    pillow = OutlineFace("Aileron", None)
    if not prints:
        prints = (
            (pillow,)
            if allowed(pillow.name, split)
            else tuple(StrokeFace(name) for name in PRINTED if allowed(name, split))
        )
    return Materials(
        split=split,
        hands=_outlines(fonts, "hand", split),
        prints=prints,
        strokes=tuple(StrokeFace(name) for name, side in LISTED.items() if side == split and name != pillow.name),
        digits=digits(mnist, split) if mnist is not None else None,
    )


def _outlines(folder: Path | None, kind: str, split: Split) -> tuple[OutlineFace, ...]:
    files = sorted((folder / kind).glob("*.woff2")) if folder is not None else []
    return tuple(OutlineFace(file.stem, file) for file in files if allowed(file.stem, split))


def _rounded(size: float) -> int:
    """A font is opened in few sizes only, since opening costs more than drawing."""
    whole = max(6, int(size))
    return whole if whole < 12 else whole // 2 * 2 if whole < 40 else whole // 4 * 4


@functools.lru_cache(6000)
def _font(path: Path | None, size: int) -> ImageFont.FreeTypeFont:
    if path is not None:
        return ImageFont.truetype(str(path), size)
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType, so nothing can be printed; install the ordinary wheel")
    return font


class _Hershey:
    """Hershey's fonts, each read once."""

    def __init__(self) -> None:
        self._open: dict[str, HersheyFonts] = {}

    def lines(self, name: str, letter: str) -> list[Points]:
        if name not in self._open:
            font = HersheyFonts()
            font.load_default_font(name)
            self._open[name] = font
        found = [np.array(list(one), np.float32) for one in self._open[name].strokes_for_text(letter)]
        return [one for one in found if len(one) > 1]


@functools.cache
def _hershey() -> _Hershey:
    return _Hershey()


@functools.cache
def _baseline(name: str) -> float:
    return max(float(one[:, 1].max()) for one in _hershey().lines(name, "H"))


@functools.cache
def _strokes(name: str, letter: str) -> Strokes:
    lines = _hershey().lines(name, letter)
    if not lines:
        return ()
    left = min(float(one[:, 0].min()) for one in lines)
    origin = np.array([left, _baseline(name)], np.float32)
    return tuple(_resampled((one - origin) / UNITS) for one in lines)


def _resampled(points: Points) -> Points:
    """A stroke of at least `LEAST_POINTS` points, so that a straight one can be bent too."""
    u = np.linspace(0, len(points) - 1, max(len(points), LEAST_POINTS))
    return np.stack([np.interp(u, range(len(points)), points[:, axis]) for axis in (0, 1)], 1).astype(np.float32)
