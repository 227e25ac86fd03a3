"""Letters, deeds, forms and drawings of no known layout, signed or not: pages on which to learn what a signature is.

`spread(rng, materials)` gives a finished scan with the place of every ink on it. Each page depends on its random
generator alone.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from models.synthesis import clutter, wording
from models.synthesis.autographs import autograph, bent, hand
from models.synthesis.faces import Face, Materials
from models.synthesis.leaf import HANDWRITING, PRINT, PX_PER_MM, Leaf, Spread
from models.synthesis.pen import Pen
from models.synthesis.people import CITIES, COMPANIES, MEN, STREETS, SURNAMES, WOMEN, listed
from models.synthesis.stamps import stamp
from models.synthesis.strokes import Mask

Kind = Literal["letter", "deed", "form", "drawing", "manuscript"]

#: Kinds of pages and how many of each.
KINDS: dict[Kind, float] = {"letter": 0.5, "deed": 0.24, "form": 0.14, "drawing": 0.08, "manuscript": 0.04}

WORDS = listed(
    "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which"
    " company shares meeting agreement dear your letter please find enclosed regarding account transfer securities"
    " we would be pleased to receive further information concerning the matter referred above le la les des du une"
    " société associés gérant statuts capital social article présente décision assemblée générale pour dans par sur"
    " avec conformément dispositions toute actions représentants research analysis results smoking program committee"
    " report tobacco samples department director vice president project budget contract order delivery payment invoice"
    " bank depository participant nominee holder demat instruction registered office certificate hereby declare"
)
CLOSINGS = listed(
    "Sincerely, Yours sincerely, Yours faithfully, Very truly yours, Best regards, Respectfully, Cordially,"
    " Yours truly, Regards, For and on behalf of, Veuillez agréer, Fait à Paris, Pour la société, Thanking you,",
    sep=", ",
)
LABELS = listed(
    "Signature|Signature of the holder|Authorised signatory|Signed|Signé|Le Président|Le gérant|Witness|By:|Director|"
    "Approved by|Sign here|Signature du souscripteur|Date and signature|Name and signature|for the Company|Accepted:",
    sep="|",
)
NOTES = listed(
    "Lu et approuvé|Bon pour acceptation|ok|see file|call back Monday|Please handle|copy to legal|urgent|paid|"
    "pls discuss|bon pour accord|received with thanks|noted|why?|needs a new date|send to Mr Jones|see p. 4|File|"
    "not correct - check|tel 22 40 18|thanks|je soussigné accepte|done|good idea, let us talk about it",
    sep="|",
)
TITLES = listed(
    "Director,Vice President,Manager,Company Secretary,Président,Gérant,Partner,Research Director,Chairman", sep=","
)


def spread(
    rng: np.random.Generator, materials: Materials, *, kind: Kind | None = None, signed: bool | None = None
) -> Spread:
    """A page of free layout, of any kind where `kind` is None; `signed` None leaves it to chance."""
    chosen: Kind = kind or list(KINDS)[int(rng.choice(len(KINDS), p=list(KINDS.values())))]
    shares = {"letter": 0.75, "deed": 0.72, "form": 0.5, "drawing": 0.15, "manuscript": 0.7}
    return Writer(rng, materials, bool(rng.random() < shares[chosen]) if signed is None else signed).page(chosen)


class Writer:
    """Sets one page."""

    def __init__(self, rng: np.random.Generator, materials: Materials, signed: bool) -> None:
        self.rng, self.materials, self.signed = rng, materials, signed
        self.leaf = Leaf(rng)
        self.face: Face = clutter.printing(rng, materials)
        self.px = rng.uniform(1.7, 3.0) * PX_PER_MM
        self.typed = bool(rng.random() < 0.35)
        self.toner = float(rng.uniform(0.6, 1.0))
        self.pen = float(rng.uniform(0.45, 1.0))
        self.worn = self._worn() if rng.random() < 0.3 else None
        self.left = rng.uniform(14, 32) * PX_PER_MM
        self.right = self.leaf.width - rng.uniform(12, 30) * PX_PER_MM
        self.word = self.face.word(" ".join(WORDS[::6]), self.px).mask.shape[1] / len(WORDS[::6])
        self.row = self.px * rng.uniform(1.7, 2.6)
        self.y = rng.uniform(12, 25) * PX_PER_MM

    def page(self, kind: Kind) -> Spread:
        {
            "letter": self._letter,
            "deed": self._deed,
            "form": self._form,
            "drawing": self._drawing,
            "manuscript": self._manuscript,
        }[kind]()
        self._around()
        return self.leaf.scanned()

    # Kinds of pages

    def _letter(self) -> None:
        rng = self.rng
        self._head()
        self._line(wording.date(rng, 0), self._column())
        if rng.random() < 0.15:
            self._note(wording.date(rng, 0), self.left, self.y, 3.0)
        self.y += self.row * rng.uniform(1, 3)
        for _ in range(int(rng.integers(2, 6))):
            self._line(self._address(), self.left)
        self.y += self.row
        self._line("Dear " + self._person() + ":", self.left)
        if rng.random() < 0.4:
            self._heading(("Re: ", "Subject: ", "")[int(rng.integers(3))] + self._words(int(rng.integers(2, 7))))
        self._paragraphs(int(rng.integers(1, 6)), 0.72)
        self._close()

    def _deed(self) -> None:
        rng = self.rng
        bottom = rng.uniform(0.35, 0.92)
        for _ in range(int(rng.integers(0, 4))):
            self._heading(self._words(int(rng.integers(1, 5))))
        while self.y < bottom * self.leaf.height:
            if rng.random() < 0.6:
                self._heading(f"Article {rng.integers(2, 40)} - " + self._words(int(rng.integers(1, 5))))
            self._paragraphs(1, bottom)
        if bottom < 0.75:
            self._close()
            if rng.random() < 0.5:
                return
        if self.signed:
            self._initial_feet()

    def _form(self) -> None:
        """Rows of labels with lines or boxes, filled by hand, and somewhere a place to sign."""
        rng, leaf = self.rng, self.leaf
        self._head()
        line = max(1, int(rng.integers(1, 3)))
        columns = int(rng.integers(1, 4))
        wide = (self.right - self.left) / columns
        high = rng.uniform(6.5, 12) * PX_PER_MM
        boxed = rng.random() < 0.5
        for _ in range(int(rng.integers(4, 18))):
            if self.y > 0.8 * leaf.height:
                break
            for column in range(columns):
                x = self.left + column * wide
                if boxed:
                    self._rule(x, self.y, x + wide, self.y + high, line)
                else:
                    self._rule(x + 0.4 * wide, self.y + high, x + wide - 8, self.y + high, line)
                self._text(self._words(int(rng.integers(1, 3))).title() + ":", x + 4, self.y + high * 0.8, 0.75)
                if rng.random() < 0.5:
                    value = self._value()
                    self._note(value, x + 0.42 * wide, self.y + high * 0.15, 2.6)
            self.y += high
        self.y += rng.uniform(4, 15) * PX_PER_MM
        self._close()

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
            self._line("Figure " + str(rng.integers(1, 20)) + ". " + self._words(6), self.left)
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
            self._handwritten(face, self._words(int(rng.integers(5, 9))), self.left, self.y, px)
            self.y += px * rng.uniform(2.0, 2.6)
        if self.signed:
            self._autograph(self.left + rng.uniform(0, 0.5) * (self.right - self.left), self.y)

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
        face = clutter.printing(rng, self.materials)
        # Some companies write their name like a signature.
        if rng.random() < 0.1:
            face = hand(rng, self.materials)
        title = str(rng.choice(COMPANIES)).upper() if rng.random() < 0.5 else str(rng.choice(COMPANIES))
        word = face.word(title, rng.uniform(3, 8) * PX_PER_MM).mask
        if word.shape[1] < leaf.width - 60:
            leaf.lay(word, self._column(word.shape[1]), self.y, PRINT, self.toner)
            self.y += word.shape[0] * rng.uniform(1.0, 1.5)
        for _ in range(int(rng.integers(0, 4))):
            self._line(self._address(), self._column(), 0.75)
        if rng.random() < 0.4:
            self._rule(self.left, self.y, self.right, self.y, max(1, int(rng.integers(1, 5))))
        self.y += self.row * rng.uniform(1, 3)

    def _paragraphs(self, count: int, bottom: float) -> None:
        rng = self.rng
        for _ in range(count):
            self.y += self.row * rng.uniform(0.4, 1.0)
            for _ in range(int(rng.integers(2, 9))):
                if self.y > bottom * self.leaf.height:
                    return
                self._line(None, self.left)
            if rng.random() < 0.05:
                self._table()
            if rng.random() < 0.12:
                self._heading(self._words(int(rng.integers(1, 5))))

    def _table(self) -> None:
        rng = self.rng
        columns, rows = int(rng.integers(2, 7)), int(rng.integers(2, 7))
        wide = (self.right - self.left) / columns
        for row in range(rows + 1):
            y = self.y + row * self.row * 1.2
            if rng.random() < 0.8:
                self._rule(self.left, y, self.right, y, 1)
            for column in range(columns if row < rows else 0):
                text = self._words(1) if row == 0 or column == 0 else f"{rng.integers(1, 10**5):,}"
                self._text(text, self.left + column * wide + 6, y + self.row, 0.85)
        if rng.random() < 0.6:
            for column in range(columns + 1):
                x = self.left + column * wide
                self._rule(x, self.y, x, self.y + rows * self.row * 1.2, 1)
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
                self._text(str(rng.choice(CLOSINGS)), x, y)
                y += self.row
            if rng.random() < 0.25:
                self._text(str(rng.choice(COMPANIES)).upper(), x, y)
                y += self.row
            if rng.random() < 0.15:
                self._note(str(rng.choice(NOTES[:2] + NOTES[10:12])), x, y - 2 * mm, 3.0)
                y += 6 * mm
            room = rng.uniform(9, 24) * mm
            if self.signed and (place == 0 or rng.random() < 0.8):
                self._autograph(x + rng.uniform(-6, 14) * mm, y + room / 2)
            elif rng.random() < 0.2:
                self._stamp(x, y)
            y += room
            if rng.random() < 0.4:
                self._rule(x, y, x + rng.uniform(35, 75) * mm, y, 1)
            y += self.row * 0.9
            if rng.random() < 0.75:
                self._text(self._person(), x, y)
                y += self.row
            if rng.random() < 0.6:
                self._text(str(rng.choice(LABELS if rng.random() < 0.5 else TITLES)), x, y)
                y += self.row
            if rng.random() < 0.12:
                self._note(wording.date(rng, 0), x + 4, y - 3 * mm, 3.0)
            deepest = max(deepest, y)
        self.y = deepest + self.row
        for _ in range(int(rng.integers(0, 4))):
            self._line(
                ("cc: ", "Enc. ", f"{rng.choice(list('ABCDEFG'))}/jk ", "P.S. ")[rng.integers(4)] + self._person()
            )

    def _initial_feet(self) -> None:
        """Initials at the foot of each page, of all who will sign the last."""
        rng, mm, leaf = self.rng, PX_PER_MM, self.leaf
        x = leaf.width - rng.uniform(10, 60) * mm
        if rng.random() < 0.2:
            x = rng.uniform(8, 120) * mm
        y = leaf.height - rng.uniform(12, 40) * mm
        for _ in range(int(rng.choice((1, 2, 3), p=(0.55, 0.3, 0.15)))):
            mask = autograph(rng, self.materials, initials=True)
            leaf.sign(mask, x - mask.shape[1], y - mask.shape[0] / 2 + rng.normal(0, 2) * mm, self.pen)
            x -= mask.shape[1] + rng.uniform(1, 12) * mm

    def _around(self) -> None:
        """What anybody did to the page later."""
        rng, leaf, mm = self.rng, self.leaf, PX_PER_MM
        if rng.random() < 0.1:
            x, y = leaf.width * rng.uniform(0.4, 0.93), leaf.height - rng.uniform(8, 30) * mm
            self._rule(x - 8, y - 1.4 * self.px, x + 3 * self.px, y + 8, int(rng.integers(1, 6)))
            self._text(str(rng.integers(1, 99)), x, y)
        if rng.random() < 0.35:
            self._text(
                (f"Page {rng.integers(1, 40)}", str(rng.integers(1, 99)))[rng.integers(2)],
                leaf.width * rng.uniform(0.4, 0.85),
                leaf.height - rng.uniform(6, 20) * mm,
            )
        if rng.random() < 0.3:
            clutter.sideways(leaf, self.materials)
        if rng.random() < 0.45:
            for _ in range(int(rng.integers(1, 4))):
                x, y = self._margin()
                for _ in range(int(rng.integers(1, 4))):
                    self._note(self._remark(), x, y, rng.uniform(2.2, 4.5))
                    y += rng.uniform(6, 9) * mm
        if rng.random() < 0.3:
            for _ in range(int(rng.integers(1, 5))):
                clutter.penned(leaf, max(1.0, rng.uniform(0.25, 0.6) * mm))
        if rng.random() < 0.22:
            self._stamp(rng.uniform(0.02, 0.75) * leaf.width, rng.uniform(0.02, 0.9) * leaf.height)
        if rng.random() < 0.06:
            high, wide = int(rng.uniform(6, 14) * mm), int(rng.uniform(30, 60) * mm)
            mask = clutter.barcode(rng, high, wide)
            leaf.lay(mask, rng.uniform(0, leaf.width - wide), rng.uniform(0, 0.1) * leaf.height, PRINT)
        if rng.random() < 0.08:
            side = int(rng.uniform(8, 25) * mm)
            mask = clutter.crest(rng, self.materials, side)
            leaf.lay(mask, rng.uniform(0, leaf.width - side), rng.uniform(0.75, 0.95) * leaf.height, PRINT, self.toner)
        if rng.random() < 0.06:
            wide = int(rng.uniform(20, 45) * mm)
            mask = clutter.photograph(rng, int(wide * rng.uniform(0.7, 1.3)), wide)
            leaf.lay(mask, rng.uniform(0, leaf.width - wide), rng.uniform(0, 0.8) * leaf.height, PRINT, 0.7)

    # Ink

    def _autograph(self, x: float, y: float) -> None:
        """A signature with its middle at that height."""
        mask = autograph(self.rng, self.materials)
        x = min(max(4.0, x), self.leaf.width - mask.shape[1] - 4.0)
        self.leaf.sign(mask, x, y - mask.shape[0] / 2, float(np.clip(self.pen * self.rng.uniform(0.8, 1.1), 0.4, 1)))

    def _note(self, text: str, x: float, y: float, high_mm: float) -> None:
        self._handwritten(hand(self.rng, self.materials), text, x, y, high_mm * PX_PER_MM)

    def _handwritten(self, face: Face, text: str, x: float, y: float, px: float) -> None:
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
        x = min(x, max(2.0, self.leaf.width - mask.shape[1] - 4.0))
        self.leaf.lay(mask, x, y, HANDWRITING, float(np.clip(self.pen * rng.uniform(0.75, 1.1), 0.35, 1)))

    def _stamp(self, x: float, y: float) -> None:
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

    def _line(self, text: str | None = None, x: float | None = None, share: float = 1.0) -> None:
        """A line of print; words to the right margin where no text is given."""
        left = self.left if x is None else x
        words = text or self._words(max(2, int((self.right - left) / self.word)))
        self._text(words, left, self.y + self.row, share)
        self.y += self.row * share

    def _heading(self, text: str) -> None:
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
            self._rule(x, self.y + 4, x + mask.shape[1], self.y + 4, max(1, int(rng.integers(1, 4))))
        self.y += self.row * rng.uniform(0.3, 1.0)

    def _text(self, text: str, x: float, baseline: float, share: float = 1.0) -> None:
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

    def _rule(self, x0: float, y0: float, x1: float, y1: float, line: int) -> None:
        """A line, or a frame where it has both width and height."""
        for layer, strength in ((self.leaf.dark, self.toner), (self.leaf.layers[PRINT], 1.0)):
            shade = 255 * strength
            cv2.rectangle(layer, (int(x0), int(y0)), (int(x1), int(y1)), shade, line)

    def _words(self, count: int) -> str:
        return " ".join(WORDS[place] for place in self.rng.integers(0, len(WORDS), count))

    def _person(self) -> str:
        rng = self.rng
        given = str(rng.choice(MEN + WOMEN))
        return f"{given if rng.random() < 0.6 else given[0] + '.'} {rng.choice(SURNAMES)}"

    def _address(self) -> str:
        rng = self.rng
        city = CITIES[int(rng.integers(len(CITIES)))]
        return (
            self._person(),
            f"{rng.integers(1, 400)}, {rng.choice(STREETS)}",
            f"{city[0]} {city[3]}{rng.integers(1, 999):03d}",
            f"Tel. {rng.integers(20, 99)} {rng.integers(10**6, 10**7)}",
        )[int(rng.integers(4))]

    def _value(self) -> str:
        """What somebody writes into a field."""
        rng = self.rng
        return (
            self._person(),
            wording.date(rng, 0),
            f"{rng.integers(1, 10**6)}",
            str(CITIES[int(rng.integers(len(CITIES)))][0]),
            self._words(2),
        )[int(rng.integers(5))]

    def _remark(self) -> str:
        rng = self.rng
        return str(rng.choice(NOTES)) if rng.random() < 0.6 else self._words(int(rng.integers(1, 6)))

    def _column(self, width: float = 0.0) -> float:
        """Where a line of a letterhead begins."""
        middle, rest = (self.leaf.width - width) / 2, self.right - max(width, 60 * PX_PER_MM)
        return float(np.clip((self.left, middle, rest)[int(self.rng.integers(3))], 4, self.leaf.width))

    def _margin(self) -> tuple[float, float]:
        rng, leaf = self.rng, self.leaf
        if rng.random() < 0.5:
            return rng.uniform(0.02, 0.7) * leaf.width, rng.uniform(0.01, 0.1) * leaf.height
        return rng.uniform(0.01, 0.8) * leaf.width, rng.uniform(0.1, 0.95) * leaf.height


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
