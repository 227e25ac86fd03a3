"""Forms of offices that nobody registered: rows, cells, tables and ruled room, filled or not, and places to sign.

Signatures on them are small, cross rules and print, and differ from names in other fields by their place alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.synthesis import clutter, phrases
from models.synthesis.leaf import HANDWRITING, PRINT, PX_PER_MM
from models.synthesis.sheets import FIELDS
from models.synthesis.signing import Signing

if TYPE_CHECKING:
    from models.synthesis.scribe import Scribe

#: How often the place to sign is a field among others; most forms are signed at their end.
AMONG = 0.3


def fill(scribe: Scribe, *, signed: bool) -> None:
    """A form below what is at the head of the page, signed or not."""
    _Form(scribe, signed=signed).page()


class _Form(Signing):
    def page(self) -> None:
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        top = one.y
        if rng.random() < 0.6:
            one.heading(phrases.words(rng, int(rng.integers(2, 5))))
        before = int(rng.integers(0, 4)) if rng.random() < AMONG else 99
        places = (self._rows, self._rows, self._cells, self._comment, self._ledger, self._ticks, self._prose, self._bar)
        done = 0
        while one.y < self.bottom and done < 9:
            if done == before:
                self.signing()
            places[int(rng.integers(len(places)))]()
            one.y += rng.uniform(0.5, 6) * mm
            done += 1
        if done <= before:
            one.y = min(one.y, 0.86 * one.leaf.height)
            self.signing()
        if rng.random() < 0.3:
            end = min(one.leaf.height - 3.0, one.y + rng.uniform(2, 12) * mm)
            one.rule(one.left - 3 * mm, top - 2 * mm, one.right + 3 * mm, end, self.line + 1)

    def _rows(self) -> None:
        """Labels with lines or boxes for what belongs to them, in one to three columns."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        columns = int(rng.choice((1, 2, 3), p=(0.5, 0.38, 0.12)))
        wide, high = self.wide / columns, rng.uniform(5.5, 11) * mm
        ruled = rng.random() < 0.75
        inset = rng.uniform(0.2, 0.45) * wide
        for _ in range(int(rng.integers(2, 9))):
            if one.y + high > self.bottom:
                break
            for column in range(columns):
                x = one.left + column * wide
                one.text(self.label(FIELDS), x, one.y + high * 0.8, 0.9)
                if ruled:
                    one.rule(x + inset, one.y + high * 0.9, x + wide - 2 * mm, one.y + high * 0.9, self.line)
                self.value(x + inset + rng.uniform(1, 8) * mm, one.y + high * 0.8)
            one.y += high

    def _cells(self) -> None:
        """Boxes with small labels in their corners."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        for _ in range(int(rng.integers(1, 5))):
            high = rng.uniform(7, 13) * mm
            if one.y + high > self.bottom:
                break
            for x0, x1 in self.split(int(rng.integers(1, 5))):
                one.rule(x0, one.y, x1, one.y + high, self.line)
                one.text(self.label(FIELDS), x0 + 1.0 * mm, one.y + 2.4 * mm, 0.6)
                self.value(x0 + rng.uniform(2, 8) * mm, one.y + high - 1.2 * mm)
            one.y += high

    def _comment(self) -> None:
        """Ruled room for what somebody has to say."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        pitch = rng.uniform(5, 8.5) * mm
        one.text(self.label(FIELDS), one.left, one.y + pitch * 0.7)
        said = int(rng.integers(0, 5))
        for line in range(int(rng.integers(2, 9))):
            one.y += pitch
            if one.y > self.bottom:
                break
            one.rule(one.left, one.y, one.right, one.y, self.line)
            if line < said:
                words = phrases.words(rng, int(rng.integers(3, 8)))
                self.value(one.left + rng.uniform(2, 30) * mm, one.y - 0.8 * mm, words)
        one.y += 1.5 * mm

    def _ledger(self) -> None:
        """A table with a head and rows of figures, not all of them in use."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        columns = self.split(int(rng.integers(3, 7)))
        pitch, rows = rng.uniform(4.5, 8) * mm, int(rng.integers(3, 13))
        used = int(rng.integers(0, rows + 1))
        upright, level = rng.random() < 0.7, rng.random() < 0.75
        for row in range(rows):
            if one.y + pitch > self.bottom:
                break
            for x0, x1 in columns:
                if upright:
                    one.rule(x0, one.y, x1, one.y + pitch, self.line)
                elif level:
                    one.rule(x0 + mm, one.y + pitch, x1 - mm, one.y + pitch, self.line)
                if row == 0:
                    one.text(str(rng.choice(FIELDS)), x0 + mm, one.y + 0.75 * pitch, 0.7)
                elif row <= used and rng.random() < 0.8:
                    figure = f"{rng.integers(0, 10 ** int(rng.integers(1, 6))) / (1, 10, 100)[rng.integers(3)]:,}"
                    self.value(x0 + rng.uniform(1, 6) * mm, one.y + 0.8 * pitch, figure)
            one.y += pitch

    def _ticks(self) -> None:
        """Boxes, brackets or short lines to tick, with what they stand for."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        side, kind, columns = rng.uniform(2.5, 4.5) * mm, int(rng.integers(3)), int(rng.integers(1, 4))
        for _ in range(int(rng.integers(1, 6))):
            if one.y + 7 * mm > self.bottom:
                break
            for column in range(columns):
                x, y = one.left + column * self.wide / columns, one.y + 5 * mm
                if kind == 0:
                    one.rule(x, y - side, x + side, y, self.line)
                elif kind == 1:
                    one.text("(   )", x, y)
                else:
                    one.rule(x, y, x + 2 * side, y, self.line)
                one.text(phrases.words(rng, int(rng.integers(1, 4))).title(), x + 3 * side, y, 0.9)
                if self.manner != "bare" and rng.random() < 0.3:
                    if rng.random() < 0.5:
                        self.value(x + 0.3 * side, y, "X")
                        continue
                    tick = clutter.checked(rng, int(side), int(side), clutter.TICK, rng.uniform(0.25, 0.5) * mm)
                    one.leaf.lay(tick, x + (side - tick.shape[1]) / 2, y - (side + tick.shape[0]) / 2, HANDWRITING)
            one.y += rng.uniform(5, 8) * mm

    def _prose(self) -> None:
        for _ in range(int(self.rng.integers(1, 6))):
            if self.scribe.y > self.bottom:
                break
            self.scribe.line(None, self.scribe.left)

    def _bar(self) -> None:
        """A heading on a grey or black bar, its letters light on black."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        high, left = (
            int(rng.uniform(5, 9) * mm),
            one.left + (rng.uniform(0, 0.5) * self.wide if rng.random() < 0.3 else 0),
        )
        mask = np.ones((high, int(one.right - left)), np.float32)
        word = one.face.word(phrases.words(rng, int(rng.integers(1, 5))).upper(), one.px).mask
        word = word[: high - 2, : mask.shape[1] - 8]
        black = rng.random() < 0.4
        if not black:
            mask *= rng.random(mask.shape, np.float32) < rng.uniform(0.15, 0.6)
        part = mask[(high - word.shape[0]) // 2 :, 6:][: word.shape[0], : word.shape[1]]
        part[...] = np.clip(part - word, 0, 1) if black else np.maximum(part * (1 - word), word)
        one.leaf.lay(mask, left, one.y, PRINT, one.toner)
        one.y += high
