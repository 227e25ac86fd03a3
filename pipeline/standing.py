"""Where a mark stands on its page, and how it looks there: what is weighed to tell signatures from other ink.

A label or a place is a mild hint, never a must.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.doctypes.propose import Words
from pipeline.geometry import Box
from pipeline.patches import FOOT, HANDWRITING, PATCH, PRINT, SEEN, SIGNATURE, Chances, Inside
from pipeline.reading import Pixels
from pipeline.sheet import PX_PER_MM

#: The number of patches that are at least so likely a signature tells more of a large one than the mean over all does.
SURE = 0.9

#: How far away (mm) the print may stand that says something about a mark.
NEAR_MM = 22.0

#: Print of which so much lies in a mark may be the mark, read by OCR.
OWN = 0.6

#: What is printed over, beside or under signatures in the languages of letters seen here.
CLOSING = re.compile(
    r"\b(sincerely|faithfully|truly|regards|respectfully|cordially|yours|thanking|fait [aà]|veuillez|salutations"
    r"|cordialement|on behalf of|for and on|pour (la|le|et)|lu et approuv|bon pour)\b|^for\b",
    re.IGNORECASE,
)
LABEL = re.compile(
    r"\b(sign(ature|ed|atory|atories)?|sign[ée]e?s?|paraphes?|witness|t[ée]moin|by:|president|pr[ée]sident|director"
    r"|directeur|manager|g[ée]rant|partner|associ[ée]|secretary|chairman|holder|proprietor|monsieur|madame|initials"
    r"|inspection by|\w+[ae]d by)"
    r"(\b|$)",
    re.IGNORECASE,
)

#: A label says what belongs to it when it stands so far (mm) to the left of that, over or under it.
LEFT_MM, OVER_MM = 40.0, 5.0

#: What is written by hand beside such a label is something else.
OTHER = re.compile(
    r"\b(dated?|no|number|code|name|address|amount|total|quantity|fax|phone|tel|telephone|city|pin|to|from|subject|title)\b",
    re.IGNORECASE,
)

#: A person's name in print, which stands under what that person signs.
NAME = re.compile(r"^\W*[A-Z][\w.'-]*( [A-Z][\w.'-]*){1,4}\W*(,.*)?$")

#: Figures that OCR reads in so much of a mark's width are what it is.
FIGURES, FIGURES_SHARE = re.compile(r"^\W*(\d\W*){3,}$"), 0.5

#: A rule to sign on is so long (mm) at least, with gaps of so much; it lies in the lower two thirds of a mark or so
#: much below it, and under so much of its width.
RULE_MM, GAP_MM, BELOW_MM, UNDER = 15.0, 0.75, 5.0, 0.6

#: What a page tells about a mark, in the order in which `Standing.features` tells it.
FEATURES = (
    "mean",
    "sure",
    "area",
    "height",
    "slender",
    "dense",
    "handwriting",
    "print",
    "foot",
    "head",
    "rim",
    "closing",
    "label",
    "name",
    "alone",
    "signing",
    "other",
    "after",
    "named",
    "ruled",
)


@dataclass(frozen=True)
class Standing:
    """A page as far as it tells about marks on it: its ink as a detector saw it, and the chances of its patches."""

    ink: Pixels
    chances: Chances

    def features(self, box: Box, inside: Inside, words: Words) -> tuple[float, ...]:
        """What the page tells about a mark of these patches, in the order of `FEATURES`; `words` is the print near."""
        height, width = self.ink.shape
        wide_mm, high_mm = box.width * width / PX_PER_MM, box.height * height / PX_PER_MM
        likely = self.chances[inside][:, SIGNATURE]
        x0, y0, x1, y1 = (int(each) // PATCH for each in box.pixels(width, height))
        around = self.chances[max(0, y0 - 3) : y1 + 4, max(0, x0 - 3) : x1 + 4]
        near = self.surroundings(box)
        # OCR also reads initials: what lies in the mark may be the mark itself.
        beside = [(text, where) for text, where in words if share(near, where) > 0 and share(where, box) < OWN]
        above = [text for text, where in beside if where.y0 < box.y1]
        below = [text for text, where in beside if where.y1 > box.y1 - 0.3 * box.height]
        covered = [where for _text, where in beside if share(box, where) > 0]
        middle = (box.y0 + box.y1) / 2
        signing, other = self.labelled(box, words)
        return (
            log_odds(float(likely.mean())),
            float(np.log1p((likely > SURE).sum())),
            float(np.log(inside.sum())),
            float(np.log(max(1.0, high_mm))),
            float(np.log(max(1.0, wide_mm) / max(1.0, high_mm))),
            float(inside.sum() / max(1, (y1 - y0 + 1) * (x1 - x0 + 1))),
            float((around[:, :, HANDWRITING] > 0.5).mean()),
            min(1.0, sum(share(box, where) for where in covered)),
            float(middle > FOOT),
            float(middle < 0.15),
            float(min(box.x0, box.y0, 1 - box.x1, 1 - box.y1) < 0.012),
            float(any(CLOSING.search(text) for text in above)),
            float(any(LABEL.search(text) for text, _where in beside)),
            float(any(len(text) < 36 for text in below)),
            float(not beside),
            float(signing),
            float(other),
            # Who signs mostly does where a text has ended.
            float((self._printed < y0).mean()) if len(self._printed) else 0.5,
            float(any(NAME.search(text) for text in below)),
            float(self._ruled(box)),
        )

    def surroundings(self, box: Box) -> Box:
        """Where print may stand that says something about a mark, further to the left than to other sides."""
        height, width = self.ink.shape
        near = with_margin(box, NEAR_MM * PX_PER_MM / width, NEAR_MM * PX_PER_MM / height)
        return replace(near, x0=max(0.0, min(near.x0, box.x0 - LEFT_MM * PX_PER_MM / width)))

    def labelled(self, box: Box, words: Words) -> tuple[bool, bool]:
        """Whether what is printed left of a mark, over or under it says that it is to be signed there, and whether
        what is left of it says that something else belongs there."""
        height, width = self.ink.shape
        left, over = LEFT_MM * PX_PER_MM / width, OVER_MM * PX_PER_MM / height
        printed = [(text, where) for text, where in words if share(where, box) < OWN]
        level = [
            (box.x0 - where.x1, text)
            for text, where in printed
            if min(box.y1, where.y1) - max(box.y0, where.y0) > 0.4 * where.height
            and where.x0 < box.x0
            and -0.3 * where.width < box.x0 - where.x1 < left
        ]
        # Of several words on the line what is nearest says what belongs there.
        nearest = min(level, default=(0.0, ""))[1]
        upright = " | ".join(
            text
            for text, where in printed
            if min(box.x1, where.x1) > max(box.x0, where.x0)
            and (-where.height <= where.y0 - box.y1 < over or -where.height < box.y0 - where.y1 < over)
        )
        signing = bool(LABEL.search(nearest) or LABEL.search(upright))
        return signing, not signing and bool(OTHER.search(nearest))

    def _ruled(self, box: Box) -> bool:
        """Whether a mark stands on a rule, as in a place that is meant for signing."""
        height, width = self.ink.shape
        x0, y0, x1, y1 = box.pixels(width, height)
        under = self._rules[int(y0 + (y1 - y0) / 3) : int(y1 + BELOW_MM * PX_PER_MM), x0:x1]
        return bool(under.size and under.any(axis=0).mean() > UNDER)

    @cached_property
    def _rules(self) -> npt.NDArray[np.bool_]:
        dark = (self.ink > SEEN).astype(np.uint8)
        closed = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((1, int(GAP_MM * PX_PER_MM) + 1), np.uint8))
        kept = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((1, int(RULE_MM * PX_PER_MM)), np.uint8))
        return np.asarray(kept, bool)

    @cached_property
    def _printed(self) -> npt.NDArray[np.intp]:
        """The rows of patches of print."""
        return np.nonzero(self.chances[:, :, PRINT] > 0.5)[0]


def is_figures(box: Box, words: Words) -> bool:
    """Whether print or handwriting that OCR reads as figures is most of a mark."""
    own = sum(where.width for text, where in words if FIGURES.match(text) and share(where, box) >= OWN)
    return own > FIGURES_SHARE * box.width


def with_margin(box: Box, across: float, down: float) -> Box:
    """A box with so much more on each side, within the page."""
    return Box(max(0.0, box.x0 - across), max(0.0, box.y0 - down), min(1.0, box.x1 + across), min(1.0, box.y1 + down))


def share(box: Box, other: Box) -> float:
    """How much of a box another covers."""
    across, down = min(box.x1, other.x1) - max(box.x0, other.x0), min(box.y1, other.y1) - max(box.y0, other.y0)
    return max(0.0, across) * max(0.0, down) / max(1e-9, box.width * box.height)


def log_odds(chance: float) -> float:
    """Of a probability, which is taken to be neither sure nor impossible."""
    kept = min(max(chance, 0.01), 0.99)
    return float(np.log(kept / (1 - kept)))
