"""Where forms are signed: lines, cells, boxes for each holder, fields among others; signed, dated, or left bare."""

from __future__ import annotations

from models.synthesis import clutter, phrases, wording
from models.synthesis.autographs import autograph
from models.synthesis.leaf import PRINT, PX_PER_MM
from models.synthesis.people import listed
from models.synthesis.sheets import FIELDS, Sheet

#: What is printed beside and under places to sign, and under the boxes of holders.
SIGNED_BY = listed(
    "Approved by|Submitted by|Prepared by|Authorised by|Requested by|Reviewed by|Checked by|Issued by|Verified by"
    "|Signature|Signed|Signature of applicant|Signature of initiator|Manager|Director|Supervisor|Witness|Vice President"
    "|Analyst|Technician|Operator|Maker|Checker|Approvals|Budget check|Marketing|Accounting|Treasurer|By|Initials"
    "|Quality control|Inspection by|Received by|Name and signature|For official use",
    sep="|",
)
HOLDERS = listed(
    "Sole / First Holder|Second Holder|Third Holder|First applicant|Second applicant|Guardian|Signature of nominee"
    "|Karta|Authorised Signatory (ies)|Signature 1|Signature 2|Signature / thumb impression",
    sep="|",
)

#: How high signatures are at most between rules (mm), and how often somebody signs larger than there is room.
SIGNED_MM, LARGER = (4.5, 15.0), 0.15

#: How often one of several places on a signed form is signed, and what stands in one that is not: a name in print, or
#: something by hand.
EACH, TYPED, JOTTED = 0.7, 0.22, 0.08


class Signing(Sheet):
    """A sheet with room to sign."""

    def signing(self) -> None:
        """One of the ways in which forms make room for it."""
        kinds = (self._approvals, self._signing_cells, self._holders, self._over_labels, self._field, self._foot)
        kinds[int(self.rng.choice(len(kinds), p=(0.3, 0.2, 0.14, 0.2, 0.12, 0.04)))]()

    def _sign(self, x: float, y: float, place: int, *, most: float | None = None) -> None:
        """What stands on a place to sign, over a baseline; the first of a signed form always bears a signature."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        if self.signed and (place == 0 or rng.random() < EACH):
            high = most or rng.uniform(*SIGNED_MM) * (1.6 if rng.random() < LARGER else 1.0)
            one.autograph(x + rng.uniform(-4, 12) * mm, y - rng.uniform(0.1, 0.5) * high * mm, high)
            return
        chance = rng.random()
        if chance < TYPED:
            one.text(phrases.person(rng), x + rng.uniform(1, 10) * mm, y - 0.8 * mm, 0.95)
        elif chance < TYPED + JOTTED and not self.signed:
            one.note(phrases.remark(rng), x, y - 5 * mm, self.hand_mm)

    def _dated(self, x: float, y: float, chance: float = 0.6) -> None:
        """A date by hand or in print over a baseline."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        if rng.random() > chance or (self.manner == "bare" and not self.signed):
            return
        if rng.random() < 0.8:
            one.note(wording.date(rng, 0), x, y - (self.hand_mm + 1.6) * mm, self.hand_mm)
        else:
            one.text(wording.date(rng, 0), x, y - 0.8 * mm, 0.9)

    def _approvals(self) -> None:
        """Lines one under the other to sign and to date, names in print below some of them."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        pitch, inset = rng.uniform(6, 12) * mm, rng.uniform(22, 40) * mm
        long, named, dated = rng.uniform(38, 75) * mm, rng.random() < 0.45, rng.random() < 0.65
        left = one.left + (rng.uniform(0, 0.35) * self.wide if rng.random() < 0.35 else 0)
        for place in self._order(int(rng.integers(1, 7))):
            one.y += pitch
            one.text(self.label(SIGNED_BY), left, one.y, 0.9)
            one.rule(left + inset, one.y, left + inset + long, one.y, self.line)
            if named:
                one.text(phrases.person(rng), left + inset + rng.uniform(1, 10) * mm, one.y + one.px * 1.35, 0.85)
            self._sign(left + inset, one.y, place)
            if dated:
                x = left + inset + long + rng.uniform(3, 10) * mm
                one.text("Date", x, one.y, 0.9)
                one.rule(x + 10 * mm, one.y, x + 34 * mm, one.y, self.line)
                self._dated(x + 11 * mm, one.y)
        one.y += pitch

    def _signing_cells(self) -> None:
        """Boxes with small labels in their corners or heads of their own, for signatures and dates."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        for place in self._order(int(rng.choice((1, 2, 3), p=(0.6, 0.25, 0.15)))):
            high = rng.uniform(7, 17) * mm
            headed = rng.random() < 0.35
            cells = self.split(int(rng.integers(1, 5)))
            own = int(rng.integers(len(cells)))
            for number, (x0, x1) in enumerate(cells):
                label = self.label(SIGNED_BY) if number == own else "Date" if rng.random() < 0.5 else self.label(FIELDS)
                if headed:
                    one.rule(x0, one.y, x1, one.y + 5 * mm, self.line)
                one.rule(x0, one.y + (5 * mm if headed else 0), x1, one.y + high + (5 * mm if headed else 0), self.line)
                one.text(label, x0 + mm, one.y + (3.8 if headed else 2.4) * mm, 0.8 if headed else 0.6)
                y = one.y + high - 1.2 * mm + (5 * mm if headed else 0)
                if number == own:
                    self._sign(x0 + min(8 * mm, 0.1 * (x1 - x0)), y, place, most=high / mm * rng.uniform(0.4, 1.2))
                elif label == "Date":
                    self._dated(x0 + 2 * mm, y)
                else:
                    self.value(x0 + 3 * mm, y)
            one.y += high + (5 * mm if headed else 0)

    def _holders(self) -> None:
        """Boxes side by side for each of up to three to sign in, or a photograph that is signed across."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        count, high = int(rng.integers(1, 4)), rng.uniform(13, 26) * mm
        wide = min(rng.uniform(45, 62) * mm, self.wide / count - 3 * mm)
        pictured, above = rng.random() < 0.15, rng.random() < 0.5
        one.y += 6 * mm
        for place in range(count):
            x = one.left + place * (wide + 3 * mm)
            if pictured:
                mask = clutter.photograph(rng, int(34 * mm), int(27 * mm))
                one.leaf.lay(mask, x, one.y, PRINT, rng.uniform(0.3, 0.7))
                self._sign(
                    x + rng.uniform(0, 18) * mm, one.y + rng.uniform(12, 38) * mm, place, most=rng.uniform(6, 18)
                )
                continue
            one.rule(x, one.y, x + wide, one.y + high, self.line)
            if rng.random() < 0.3:
                one.text("X", x + mm, one.y + high - mm, 0.9)
            self._sign(x + 4 * mm, one.y + high * 0.75, place, most=rng.uniform(0.35, 1.05) * high / mm)
            label = str(rng.choice(HOLDERS))
            one.text(label, x + 2 * mm, one.y - mm if above else one.y + high + one.px * 1.3, 0.8)
        one.y += (38 * mm if pictured else high) + 2 * one.px

    def _over_labels(self) -> None:
        """Lines side by side with what is to be done there in small print below them."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        for row in range(int(rng.choice((1, 2, 3), p=(0.6, 0.25, 0.15)))):
            one.y += rng.uniform(9, 20) * mm
            places = self.split(int(rng.integers(1, 4)))
            own = int(rng.integers(len(places)))
            for number, (x0, x1) in enumerate(places):
                end = x0 + (x1 - x0) * rng.uniform(0.6, 0.95)
                one.rule(x0, one.y, end, one.y, self.line)
                label = str(rng.choice(SIGNED_BY)) if number == own else ("Date", "Title", "Name")[rng.integers(3)]
                label = f"({label})" if rng.random() < 0.25 else label
                one.text(label, x0 + rng.uniform(0, 0.3) * (end - x0), one.y + one.px * 1.4, 0.75)
                if number == own:
                    self._sign(x0, one.y, row)
                elif label == "Date":
                    self._dated(x0 + 2 * mm, one.y)
                else:
                    self.value(x0 + 3 * mm, one.y - 0.8 * mm)
            one.y += one.px * 2

    def _field(self) -> None:
        """A field to sign among others."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        inset = rng.uniform(0.22, 0.45) * self.wide
        one.y += rng.uniform(6, 11) * mm
        one.text(self.label(SIGNED_BY), one.left, one.y, 0.9)
        if rng.random() < 0.8:
            one.rule(one.left + inset, one.y + 0.6 * mm, one.right, one.y + 0.6 * mm, self.line)
        self._sign(one.left + inset, one.y, 0)
        one.y += one.row

    def _foot(self) -> None:
        """Initials with a date where no place is made for them."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        if not self.signed:
            return
        mask = autograph(rng, one.materials, initials=True)
        x = rng.uniform(0.05, 0.85) * one.leaf.width
        y = one.leaf.height - rng.uniform(14, 45) * mm
        one.leaf.sign(mask, min(x, one.leaf.width - mask.shape[1] - 4.0), y, one.pen)
        if rng.random() < 0.6:
            one.note(wording.date(rng, 0), x, y + mask.shape[0] + mm, self.hand_mm)

    def _order(self, count: int) -> list[int]:
        """Places from the top down, the number nought being the one that is signed first."""
        first = int(self.rng.integers(count))
        return [0 if place == first else 1 + place for place in range(count)]
