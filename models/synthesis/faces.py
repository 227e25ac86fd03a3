"""Faces: what letters look like, outline fonts and stroke fonts alike, and all of them that a split may use."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import cv2
import numpy as np
from HersheyFonts import HersheyFonts
from PIL import Image, ImageDraw, ImageFont

from models.synthesis.pictures import Pictures, characters, digits
from models.synthesis.split import LISTED, Split, allowed, require
from models.synthesis.strokes import BITS, Mask, Points
from models.synthesis.writers import Writer, Writers, writers

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

    def edges(self, text: str) -> list[float]:
        """Where each letter of a word ends, as a share of its width."""
        font = _font(self.path, 64)
        whole = max(font.getlength(text), 1.0)
        return [font.getlength(text[: number + 1]) / whole for number in range(len(text))]


Strokes: TypeAlias = tuple[Points, ...]


@dataclass(frozen=True, slots=True)
class StrokeFace:
    """A Hershey font: letters as the strokes of a pen."""

    name: str

    def strokes(self, letter: str) -> Strokes:
        """A letter's strokes, capitals 1 high: x from 0, y from −1 (top of capitals) to 0 (baseline) and below."""
        return _strokes(self.name, letter)

    def word(self, text: str, px: float) -> Word:
        letters = ((self.strokes(letter), 0.2) for letter in text)
        return drawn(_in_a_row(letters, 0.35), px, max(1, round(px / 11)))


@dataclass(frozen=True, slots=True, eq=False)
class WrittenFace:
    """Somebody's own letters, none of them twice the same."""

    writer: Writer
    rng: np.random.Generator

    @property
    def name(self) -> str:
        return f"writer {self.writer.number}"

    def word(self, text: str, px: float) -> Word:
        letters = ((self.writer.strokes(letter, self.rng) or (), self.rng.uniform(0.02, 0.18)) for letter in text)
        return drawn(_in_a_row(letters, 0.3), px, max(1, round(px / self.rng.uniform(8, 16))))


def _in_a_row(letters: Iterable[tuple[Strokes, float]], blank: float) -> list[Points]:
    """Letters, each with the gap after it, as the strokes of a word; one without strokes is `blank` wide."""
    x, placed = 0.0, []
    for strokes, gap in letters:
        placed += [one + np.array([x, 0], np.float32) for one in strokes]
        x += (max(float(one[:, 0].max()) for one in strokes) if strokes else blank) + gap
    return placed


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
    """All that ink of one split may be drawn with; `hands`, `digits`, `writers` and `characters` aren't there in a
    plain install, and the last of them only for training."""

    split: Split
    hands: tuple[OutlineFace, ...]
    prints: tuple[Face, ...]
    strokes: tuple[StrokeFace, ...]
    digits: Pictures | None
    writers: Writers | None = None
    characters: Pictures | None = None

    def __post_init__(self) -> None:
        for face in (*self.hands, *self.prints, *self.strokes):
            require(face.name, self.split)
        theirs: Pictures | Writers | None
        for what, theirs in (("digits", self.digits), ("writers", self.writers), ("characters", self.characters)):
            if theirs is not None and theirs.split != self.split:
                raise ValueError(f"{what} of the {theirs.split} split may not be used for {self.split}")


class Found(NamedTuple):
    """What there is to draw with: a folder of fonts, MNIST's `mnist.npz`, UNIPEN as `unipen.py` makes it ready, and
    EMNIST as `emnist.py` does."""

    fonts: Path | None = None
    digits: Path | None = None
    writers: Path | None = None
    characters: Path | None = None


#: What a plain install has: Hershey's stroke fonts and the print inside Pillow.
PLAIN = Found()


def at_hand() -> Found:
    """What this machine has: `DOCVIGIL_FONTS` (or `fonts/` here), `DOCVIGIL_DIGITS`, `DOCVIGIL_WRITERS` and
    `DOCVIGIL_CHARACTERS`."""
    fonts = Path(os.environ.get("DOCVIGIL_FONTS") or FOLDER)
    named = (os.environ.get(f"DOCVIGIL_{name}") for name in ("DIGITS", "WRITERS", "CHARACTERS"))
    return Found(fonts if fonts.is_dir() else None, *(Path(one) if one else None for one in named))


def materials(split: Split) -> Materials:
    """The faces, digits and writers of a split that this machine has, and Hershey's strokes."""
    return plain(split, at_hand())


@functools.lru_cache(8)
def plain(split: Split, given: Found = PLAIN) -> Materials:
    """What is given and nothing that happens to lie about, so that a seed means the same on every machine."""
    fonts = given.fonts
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
        digits=digits(given.digits, split) if given.digits is not None else None,
        writers=writers(given.writers, split) if given.writers is not None else None,
        characters=characters(given.characters) if given.characters is not None and split == "train" else None,
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
