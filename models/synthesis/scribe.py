"""Puts lines of print, handwriting, stamps and signatures on a leaf, from the top down."""

from __future__ import annotations

import cv2
import numpy as np

from models.synthesis import clutter, phrases, wording
from models.synthesis.autographs import autograph, bent, hand, running
from models.synthesis.faces import Face, Materials
from models.synthesis.leaf import HANDWRITING, PRINT, PX_PER_MM, Leaf
from models.synthesis.pen import Pen
from models.synthesis.people import COMPANIES
from models.synthesis.stamps import stamp
from models.synthesis.strokes import Mask

#: How often a note's words are in a running hand.
RUNNING_NOTES = 0.55


class Scribe:
    """One typeface, one toner, one pen a leaf. `y` is where the next line stands, in pixels; `left` and `right` are the
    margins, `row` the height of a line and `px` that of its capitals."""

    def __init__(self, rng: np.random.Generator, materials: Materials, *, slip: bool = False) -> None:
        self.rng, self.materials = rng, materials
        self.leaf = Leaf(rng, slip=slip)
        self.face: Face = clutter.printing(rng, materials)
        self.px = rng.uniform(1.7, 3.0) * PX_PER_MM
        self.typed = bool(rng.random() < 0.35)
        self.toner = float(rng.uniform(0.6, 1.0))
        self.pen = float(rng.uniform(0.45, 1.0))
        self.worn = self._worn() if rng.random() < 0.3 else None
        self.left = rng.uniform(14, 32) * PX_PER_MM
        self.right = self.leaf.width - rng.uniform(12, 30) * PX_PER_MM
        self.word = self.face.word(" ".join(phrases.WORDS[::6]), self.px).mask.shape[1] / len(phrases.WORDS[::6])
        self.row = self.px * rng.uniform(1.7, 2.6)
        self.y = rng.uniform(12, 25) * PX_PER_MM

    # Ink

    def autograph(self, x: float, y: float, most_mm: float | None = None) -> None:
        """A signature with its middle at that height, no higher than `most_mm`."""
        mask = autograph(self.rng, self.materials)
        if most_mm is not None and (share := most_mm * PX_PER_MM / mask.shape[0]) < 1:
            small = cv2.resize(mask, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
            # The pen is not finer where one writes small.
            mask = np.asarray(np.clip(small * 1.7, 0, 1), np.float32)
        x = min(max(4.0, x), self.leaf.width - mask.shape[1] - 4.0)
        self.leaf.sign(mask, x, y - mask.shape[0] / 2, float(np.clip(self.pen * self.rng.uniform(0.8, 1.1), 0.4, 1)))

    def note(self, text: str, x: float, y: float, high_mm: float) -> None:
        """Something written in any hand, its top at `y`; words that nobody need read, in a running hand at times."""
        rng, px = self.rng, high_mm * PX_PER_MM
        # Nobody writes capitals in a running hand.
        wordy = sum(letter.isalpha() for letter in text) > len(text) / 2 and not text.isupper()
        if wordy and self.materials.writers is not None and rng.random() < RUNNING_NOTES:
            mask = running(rng, self.materials, px * 1.5, rng.uniform(0.2, 0.6) * PX_PER_MM, text.count(" ") + 1)
            if mask is not None and mask.shape[1] < self.leaf.width - 8:
                self._lay(mask, x, y)
                return
        self.handwritten(hand(rng, self.materials), text, x, y, px)

    def handwritten(self, face: Face, text: str, x: float, y: float, px: float) -> None:
        """Something written in that hand; figures often in real digits."""
        rng = self.rng
        figures = sum(letter.isdigit() for letter in text) > len(text) / 2
        if figures and self.materials.digits is not None and rng.random() < 0.6:
            mask: Mask = np.zeros((int(px * 2.2), int(px * (len(text) + 2))), np.float32)
            Pen(rng, self.materials, text, "mnist").write(mask, text, 4, px * 1.5, px)
        else:
            mask = bent(rng, face.word(text, max(9.0, px)).mask, rng.uniform(0, 0.03))
        if mask.shape[1] > self.leaf.width - 8:
            mask = mask[:, : self.leaf.width - 8]
        if rng.random() < 0.15:
            mask = clutter.turned(mask, rng.normal(0, 6))
        self._lay(mask, x, y)

    def _lay(self, mask: Mask, x: float, y: float) -> None:
        """Handwriting on the leaf, moved left where it would leave the page."""
        x = min(x, max(2.0, self.leaf.width - mask.shape[1] - 4.0))
        self.leaf.lay(mask, x, y, HANDWRITING, float(np.clip(self.pen * self.rng.uniform(0.75, 1.1), 0.35, 1)))

    def stamp(self, x: float, y: float) -> None:
        """A rubber stamp of an office."""
        rng, mm = self.rng, PX_PER_MM
        lines = [
            str(rng.choice(COMPANIES)),
            ("RECEIVED", "PAID", "COPY", "Authorised Signatory", "ENTERED")[rng.integers(5)],
            wording.date(rng, 0),
        ][: int(rng.integers(1, 4))]
        rounded = bool(rng.random() < 0.35)
        high = rng.uniform(22, 38) if rounded else rng.uniform(7, 9) * (len(lines) + 0.5)
        wide = high if rounded else rng.uniform(30, 60)
        mask = stamp(rng, self.materials, int(high * mm), int(wide * mm), lines, rounded=rounded)
        if rng.random() < 0.25:
            mask = clutter.turned(mask, rng.uniform(-40, 40))
        self.leaf.lay(mask, x, y, PRINT, float(rng.uniform(0.5, 1.0)))

    # Print

    def line(self, text: str | None = None, x: float | None = None, share: float = 1.0) -> None:
        """A line of print; words to the right margin where no text is given."""
        left = self.left if x is None else x
        words = text or phrases.words(self.rng, max(2, int((self.right - left) / self.word)))
        self.text(words, left, self.y + self.row, share)
        self.y += self.row * share

    def heading(self, text: str) -> None:
        """A line of print that stands out: large, bold, in capitals, slanted, underlined or in the middle."""
        rng = self.rng
        share = rng.uniform(0.9, 1.9)
        face = self.face if rng.random() < 0.7 else clutter.printing(rng, self.materials)
        text = text.upper() if rng.random() < 0.5 else text.title()
        word = face.word(text, self.px * share)
        mask = word.mask
        if rng.random() < 0.6:
            mask = np.asarray(cv2.dilate(mask, np.ones((2, int(rng.integers(2, 4))))), np.float32)
        if rng.random() < 0.25:
            lean = np.array([[1, -0.22, 0.22 * mask.shape[0]], [0, 1, 0]], np.float32)
            mask = np.asarray(cv2.warpAffine(mask, lean, (mask.shape[1] + 12, mask.shape[0])), np.float32)
        self.y += self.row * share
        x = max(4.0, (self.leaf.width - mask.shape[1]) / 2) if rng.random() < 0.45 else self.left
        placed = self.leaf.lay(mask, x, self.y - word.above, PRINT, self.toner)
        if placed is not None:
            self.leaf.words.append((text, placed))
        if rng.random() < 0.35:
            self.rule(x, self.y + 4, x + mask.shape[1], self.y + 4, max(1, int(rng.integers(1, 4))))
        self.y += self.row * rng.uniform(0.3, 1.0)

    def text(self, text: str, x: float, baseline: float, share: float = 1.0) -> None:
        """Print on a baseline, moved left where it would leave the page."""
        rng = self.rng
        word = self.face.word(text, self.px * share)
        mask = word.mask
        if self.typed:
            mask = _struck(rng, mask, self.px)
        x = min(x, max(2.0, self.leaf.width - 8.0 - mask.shape[1]))
        if self.worn is not None:
            y0, x0 = int(max(0, baseline)) % 64, int(max(0, x)) % 64
            mask = mask * self.worn[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]]
        placed = self.leaf.lay(mask, x, baseline - word.above, PRINT, self.toner)
        if placed is not None:
            self.leaf.words.append((text, placed))

    def _worn(self) -> Mask:
        """Where letters break, for all lines of a page."""
        coarse = self.rng.random((80, 520), np.float32)
        fine = cv2.resize(coarse, (520 * 4, 80 * 4), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.clip((fine - np.float32(self.rng.uniform(0.1, 0.35))) * 3, 0.1, 1), np.float32)

    def rule(self, x0: float, y0: float, x1: float, y1: float, line: int) -> None:
        """A line, or a frame where it has both width and height."""
        for layer, strength in ((self.leaf.dark, self.toner), (self.leaf.layers[PRINT], 1.0)):
            shade = 255 * strength
            cv2.rectangle(layer, (int(x0), int(y0)), (int(x1), int(y1)), shade, line)


def _struck(rng: np.random.Generator, mask: Mask, px: float) -> Mask:
    """Letters of a typewriter: each a little higher or lower and inked unlike its neighbours."""
    step = max(6, int(px * 0.9))
    struck = mask.copy()
    for x in range(0, mask.shape[1], step):
        part = struck[:, x : x + step]
        shift = int(rng.integers(-1, 2))
        if shift:
            part[...] = np.roll(part, shift, axis=0)
        part *= np.float32(rng.uniform(0.55, 1.0))
    return struck
