"""Letters, deeds, forms and drawings of no known layout, signed or not: pages on which to learn what a signature is.

`spread(rng, materials)` gives a finished scan with the place of every ink on it. Each page depends on its random
generator alone.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from models.synthesis import afterwards, clutter, deeds, forms, ground, phrases, slips, wording
from models.synthesis.autographs import hand
from models.synthesis.faces import Materials
from models.synthesis.leaf import PRINT, PX_PER_MM, Spread
from models.synthesis.people import COMPANIES
from models.synthesis.scribe import Scribe

Kind = Literal["letter", "deed", "form", "drawing", "manuscript", "slip"]

#: Kinds of pages and how many of each.
KINDS: dict[Kind, float] = {
    "letter": 0.28,
    "deed": 0.2,
    "form": 0.33,
    "drawing": 0.05,
    "manuscript": 0.03,
    "slip": 0.11,
}

#: How often a page is security paper, slips and others.
SECURITY = {True: 0.6, False: 0.12}


def spread(
    rng: np.random.Generator, materials: Materials, *, kind: Kind | None = None, signed: bool | None = None
) -> Spread:
    """A page of free layout, of any kind where `kind` is None; `signed` None leaves it to chance."""
    chosen: Kind = kind or list(KINDS)[int(rng.choice(len(KINDS), p=list(KINDS.values())))]
    shares = {"letter": 0.75, "deed": 0.72, "form": 0.6, "drawing": 0.15, "manuscript": 0.7, "slip": 0.7}
    return Writer(rng, materials, bool(rng.random() < shares[chosen]) if signed is None else signed, chosen).page()


class Writer(Scribe):
    """Sets one page."""

    def __init__(self, rng: np.random.Generator, materials: Materials, signed: bool, kind: Kind) -> None:
        super().__init__(rng, materials, slip=kind == "slip")
        self.signed, self.kind = signed, kind

    def page(self) -> Spread:
        if self.rng.random() < SECURITY[self.kind == "slip"]:
            ground.lay_under(self.leaf, self.face)
        {
            "letter": self._letter,
            "deed": self._deed,
            "form": self._form,
            "drawing": self._drawing,
            "manuscript": self._manuscript,
            "slip": self._slip,
        }[self.kind]()
        afterwards.add(self)
        return self.leaf.scanned()

    # Kinds of pages

    def _letter(self) -> None:
        rng = self.rng
        self._head()
        self.line(wording.date(rng, 0), self._column())
        if rng.random() < 0.15:
            self.note(wording.date(rng, 0), self.left, self.y, 3.0)
        self.y += self.row * rng.uniform(1, 3)
        for _ in range(int(rng.integers(2, 6))):
            self.line(phrases.address(rng), self.left)
        self.y += self.row
        self.line("Dear " + phrases.person(rng) + ":", self.left)
        if rng.random() < 0.4:
            self.heading(("Re: ", "Subject: ", "")[int(rng.integers(3))] + phrases.words(rng, int(rng.integers(2, 7))))
        self._paragraphs(int(rng.integers(1, 6)), 0.72)
        self._close()

    def _deed(self) -> None:
        """A page of a deed: title, articles, or the end where people sign; initials at its foot, words on a copy."""
        rng = self.rng
        bottom = rng.uniform(0.35, 0.92)
        if rng.random() < 0.15:
            deeds.title_page(self)
            if self.signed:
                deeds.initial_feet(self)
            return
        for _ in range(int(rng.integers(0, 4))):
            self.heading(phrases.words(rng, int(rng.integers(1, 5))))
        while self.y < bottom * self.leaf.height:
            if rng.random() < 0.6:
                self.heading(f"Article {rng.integers(2, 40)} - " + phrases.words(rng, int(rng.integers(1, 5))))
            self._paragraphs(1, bottom)
        if bottom < 0.75:
            self._close()
            if rng.random() < 0.5:
                return
        if self.signed:
            deeds.initial_feet(self)
        if rng.random() < 0.2:
            deeds.certified(self, signed=self.signed)

    def _form(self) -> None:
        self._head()
        forms.fill(self, signed=self.signed)

    def _drawing(self) -> None:
        rng, leaf = self.rng, self.leaf
        self._head()
        for _ in range(int(rng.integers(1, 4))):
            height, width = int(rng.uniform(40, 110) * PX_PER_MM), int(rng.uniform(60, 150) * PX_PER_MM)
            mask = clutter.drawing(rng, self.materials, height, width)
            if rng.random() < 0.2:
                mask = clutter.photograph(rng, height, width)
            leaf.lay(mask, rng.uniform(self.left, max(self.left + 1, self.right - width)), self.y, PRINT, self.toner)
            self.y += height + self.row
            self.line("Figure " + str(rng.integers(1, 20)) + ". " + phrases.words(rng, 6), self.left)
            if self.y > 0.75 * leaf.height:
                break
        if self.signed:
            self._close()

    def _manuscript(self) -> None:
        """A letter by hand."""
        rng = self.rng
        face = hand(rng, self.materials)
        px = rng.uniform(2.2, 4.2) * PX_PER_MM
        bottom = rng.uniform(0.4, 0.8) * self.leaf.height
        while self.y < bottom:
            self.handwritten(face, phrases.words(rng, int(rng.integers(5, 9))), self.left, self.y, px)
            self.y += px * rng.uniform(2.0, 2.6)
        if self.signed:
            self.autograph(self.left + rng.uniform(0, 0.5) * (self.right - self.left), self.y)

    def _slip(self) -> None:
        slips.fill(self, signed=self.signed)

    # Parts of pages

    def _head(self) -> None:
        """Letterhead with crest, or nothing."""
        rng, leaf = self.rng, self.leaf
        kind = rng.random()
        if kind < 0.25:
            return
        if rng.random() < 0.6:
            side = int(rng.uniform(10, 32) * PX_PER_MM)
            mask = clutter.crest(rng, self.materials, side)
            x = (self.left, (leaf.width - side) / 2, self.right - side)[int(rng.integers(3))]
            leaf.lay(mask, x, self.y * rng.uniform(0.3, 1), PRINT, self.toner * rng.uniform(0.5, 1))
            self.y += side * rng.uniform(0, 1.0)
        # Some companies write their name like a signature.
        if rng.random() < 0.2:
            self.y += afterwards.brand(self, self.y)
        face = clutter.printing(rng, self.materials)
        title = str(rng.choice(COMPANIES)).upper() if rng.random() < 0.5 else str(rng.choice(COMPANIES))
        word = face.word(title, rng.uniform(3, 8) * PX_PER_MM).mask
        if word.shape[1] < leaf.width - 60:
            leaf.lay(word, self._column(word.shape[1]), self.y, PRINT, self.toner)
            self.y += word.shape[0] * rng.uniform(1.0, 1.5)
        for _ in range(int(rng.integers(0, 4))):
            self.line(phrases.address(rng), self._column(), 0.75)
        if rng.random() < 0.4:
            self.rule(self.left, self.y, self.right, self.y, max(1, int(rng.integers(1, 5))))
        self.y += self.row * rng.uniform(1, 3)

    def _paragraphs(self, count: int, bottom: float) -> None:
        rng = self.rng
        for _ in range(count):
            self.y += self.row * rng.uniform(0.4, 1.0)
            for _ in range(int(rng.integers(2, 9))):
                if self.y > bottom * self.leaf.height:
                    return
                self.line(None, self.left)
            if rng.random() < 0.05:
                self._table()
            if rng.random() < 0.12:
                self.heading(phrases.words(rng, int(rng.integers(1, 5))))

    def _table(self) -> None:
        rng = self.rng
        columns, rows = int(rng.integers(2, 7)), int(rng.integers(2, 7))
        wide = (self.right - self.left) / columns
        for row in range(rows + 1):
            y = self.y + row * self.row * 1.2
            if rng.random() < 0.8:
                self.rule(self.left, y, self.right, y, 1)
            for column in range(columns if row < rows else 0):
                text = phrases.words(rng, 1) if row == 0 or column == 0 else f"{rng.integers(1, 10**5):,}"
                self.text(text, self.left + column * wide + 6, y + self.row, 0.85)
        if rng.random() < 0.6:
            for column in range(columns + 1):
                x = self.left + column * wide
                self.rule(x, self.y, x, self.y + rows * self.row * 1.2, 1)
        self.y += (rows + 1.5) * self.row * 1.2

    def _close(self) -> None:
        """The end of a page: a closing, room to sign for one to three people, signed or not."""
        rng, mm = self.rng, PX_PER_MM
        self.y = min(self.y + self.row * rng.uniform(0.5, 2.5), 0.82 * self.leaf.height)
        count = int(rng.choice((1, 2, 3), p=(0.7, 0.22, 0.08)))
        wide = (self.right - self.left) / max(count, 2)
        start = self.left + (wide * rng.uniform(0, 1) if count == 1 else 0)
        top, deepest = self.y, self.y
        for place in range(count):
            x, y = start + place * wide, top
            if rng.random() < 0.7:
                self.text(str(rng.choice(phrases.CLOSINGS)), x, y)
                y += self.row
            if rng.random() < 0.25:
                self.text(str(rng.choice(COMPANIES)).upper(), x, y)
                y += self.row
            if rng.random() < 0.15:
                self.note(str(rng.choice(phrases.NOTES[:2] + phrases.NOTES[10:12])), x, y - 2 * mm, 3.0)
                y += 6 * mm
            room = rng.uniform(9, 24) * mm
            if self.signed and (place == 0 or rng.random() < 0.8):
                self.autograph(x + rng.uniform(-6, 14) * mm, y + room / 2)
            elif rng.random() < 0.2:
                self.stamp(x, y)
            y += room
            if rng.random() < 0.4:
                self.rule(x, y, x + rng.uniform(35, 75) * mm, y, 1)
            y += self.row * 0.9
            if rng.random() < 0.75:
                self.text(phrases.person(rng), x, y)
                y += self.row
            if rng.random() < 0.6:
                self.text(str(rng.choice(phrases.LABELS if rng.random() < 0.5 else phrases.TITLES)), x, y)
                y += self.row
            if rng.random() < 0.12:
                self.note(wording.date(rng, 0), x + 4, y - 3 * mm, 3.0)
            deepest = max(deepest, y)
        self.y = deepest + self.row
        for _ in range(int(rng.integers(0, 4))):
            self.line(
                ("cc: ", "Enc. ", f"{rng.choice(list('ABCDEFG'))}/jk ", "P.S. ")[rng.integers(4)] + phrases.person(rng)
            )

    def _column(self, width: float = 0.0) -> float:
        """Where a line of a letterhead begins."""
        middle, rest = (self.leaf.width - width) / 2, self.right - max(width, 60 * PX_PER_MM)
        return float(np.clip((self.left, middle, rest)[int(self.rng.integers(3))], 4, self.leaf.width))
