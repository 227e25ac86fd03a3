"""A form's sheet while it is drawn: how it was filled, how wide it is, and what is common to all that stands on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from models.synthesis import phrases
from models.synthesis.leaf import PX_PER_MM
from models.synthesis.people import listed

if TYPE_CHECKING:
    from models.synthesis.scribe import Scribe

#: How a form was filled, and how many are.
MANNERS: dict[Literal["typed", "written", "both", "bare"], float] = {
    "typed": 0.45,
    "written": 0.2,
    "both": 0.22,
    "bare": 0.13,
}

#: How often words are written in capitals, as forms ask for.
CAPITALS = 0.6

#: What is printed beside fields.
FIELDS = listed(
    "Name|To|From|Date|Company|Fax number|Telephone|Subject|Project no.|Description|Brand|Supplier|Department"
    "|Account no.|Address|City|State|PIN|Position|Client no.|Quantity|Source|Received|Attention|Pages|Job number"
    "|Code assigned|PAN|Name of the first holder|DP ID|Client ID|ISIN|Folio no.|Branch|Occupation|Nominee|Guardian"
    "|Title|Type|Period|Total|Budget|Vendor|Order no.|Terms|Division|Reported by|Prepared by|Requested by"
    "|Date required|Charge to",
    sep="|",
)


class Sheet:
    """Lays what fills a form, by one manner for all of it. `line` is the width of its rules in pixels, `bottom` where
    its last part begins at the latest, `hand_mm` how high capitals by hand are."""

    def __init__(self, scribe: Scribe, *, signed: bool) -> None:
        self.scribe, self.signed, rng = scribe, signed, scribe.rng
        self.rng = rng
        self.manner = list(MANNERS)[int(rng.choice(len(MANNERS), p=list(MANNERS.values())))]
        scribe.left = rng.uniform(8, 28) * PX_PER_MM
        scribe.right = scribe.leaf.width - rng.uniform(8, 26) * PX_PER_MM
        scribe.px = rng.uniform(1.5, 2.6) * PX_PER_MM
        scribe.row = scribe.px * rng.uniform(1.6, 2.3)
        self.line = max(1, int(rng.choice((1, 1, 2, 3))))
        self.hand_mm = rng.uniform(2.3, 4.4)
        # A form's print is seldom as worn as a typed letter's: it is copied from what was set.
        scribe.toner = max(scribe.toner, rng.uniform(0.75, 1.0))
        if rng.random() < 0.75:
            scribe.worn = None
        self.bottom = rng.uniform(0.55, 0.92) * scribe.leaf.height

    @property
    def wide(self) -> float:
        return self.scribe.right - self.scribe.left

    def value(self, x: float, baseline: float, text: str | None = None) -> None:
        """What fills a field, over its baseline: typed or by hand, as the whole form is; at times nothing."""
        rng, one, mm = self.rng, self.scribe, PX_PER_MM
        if self.manner == "bare" or rng.random() < (0.3 if text is None else 0.1):
            return
        said = text or phrases.value(rng)
        if self.manner == "written" or (self.manner == "both" and rng.random() < 0.3):
            said = said.upper() if rng.random() < CAPITALS else said
            one.note(said, x, baseline - (self.hand_mm + 1.6) * mm, self.hand_mm * rng.uniform(0.85, 1.2))
        else:
            one.text(said, x, baseline, 0.95)

    def label(self, words: tuple[str, ...]) -> str:
        label = str(self.rng.choice(words))
        return (label.upper() if self.rng.random() < 0.35 else label) + (":" if self.rng.random() < 0.5 else "")

    def split(self, count: int) -> list[tuple[float, float]]:
        """The width of the page in so many parts."""
        shares = np.cumsum(self.rng.dirichlet([6.0] * count)) * self.wide + self.scribe.left
        return list(zip([self.scribe.left, *shares[:-1].tolist()], shares.tolist(), strict=True))
