"""Signatures on a page of no known form: where a detector sees them, and how likely each is one.

The detector says for each small patch of the page what it is; patches of signature that belong together are a mark.
A mark is then weighed by how sure the detector is of it, by its size, by where it stands (under a closing, beside a
name or the word "signature", at the foot of the page) and by what the model answers about the cut-out mark itself.
Its label or place is a mild hint, never a must.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol, cast

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.doctypes.propose import Words
from pipeline.geometry import Box
from pipeline.pages import Page
from pipeline.reading import Answer, Pixels, Question, QuestionKind, Reader
from pipeline.sheet import PX_PER_MM, darkness, work_image

#: The side of a patch, in pixels at work resolution (2 mm).
PATCH = 8

#: What a patch can be, in the order of a detector's answers.
NOTHING, PRINT, HANDWRITING, SIGNATURE = range(4)

#: Ink is at least this much darker than the paper around it (grey levels), and on ink as a detector sees it.
DARKER, SEEN = 25, 50

#: Of all ink of a page this share is lighter than what counts as full black, which levels out faint scans.
FULL = 97.0

#: A patch may belong to a mark from this chance on, and one of its patches is a signature at least this likely.
MAY_BELONG, LEAST_LIKELY = 0.3, 0.5

#: The number of patches that are at least so likely a signature tells more of a large one than the mean over all does.
SURE = 0.9

#: Marks of a page that are weighed, the largest first.
MOST_MARKS = 12

#: The longer side of a mark (mm) at least: less is a speck, or a letter of print.
LEAST_MM = 4.5

#: Width and height (mm) of a written line at least, and its height at most; longer than so many heights it is more
#: than a date. So many lines of a page are looked at.
LEAST_LINE_MM, MOST_LINE_MM, LONG, MOST_LINES = (12.0, 2.5), 16.0, 7.0, 8

#: Paper (mm) around a mark in the box that is told, as people draw boxes.
MARGIN_MM = 2.0

#: Below this part of a page initials stand in a row: so much bare paper (mm) between two marks parts them.
FOOT, APART_MM = 0.88, 2.0

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
    r"|(approved|submitted|prepared|authori[sz]ed|requested|reviewed|checked|issued|verified|received|inspection) by)"
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

#: Handwriting beside a label to sign is a mark though the detector sees no signature in it: so much of a page is
#: looked at, and it is so wide at least (mm).
MOST_WRITTEN, LEAST_WRITTEN_MM = 6, 6.0

#: A person's name in print, which stands under what that person signs.
NAME = re.compile(r"^\W*[A-Z][\w.'-]*( [A-Z][\w.'-]*){1,4}\W*(,.*)?$")

#: Figures that OCR reads in so much of a mark's width are what it is.
FIGURES, FIGURES_SHARE = re.compile(r"^\W*(\d\W*){3,}$"), 0.5

#: What is known of a mark, in the order of the weights.
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
    "model_mark",
    "model_signature",
)

Chances = npt.NDArray[np.float32]
"""Patches down × patches across × 4: the probability of each kind."""


WordsNear = Callable[[Box], Words]
"""The print in some part of a page, in fractions of the page."""


class Detector(Protocol):
    """Says what each patch of a page is, and how marks are weighed."""

    @property
    def scales(self) -> Scales: ...

    def patches(self, ink: Pixels) -> Chances:
        """`ink` is a page as `ink_of` gives it; patches that are not whole at its right and lower edge count too."""
        ...


@dataclass(frozen=True, slots=True)
class Scales:
    """Logistic weights of a mark by `FEATURES`, fitted together with the model that answers about marks
    (`models.training.weighing`)."""

    weights: tuple[float, ...] = (1.0,) + (0.0,) * (len(FEATURES) - 1)
    bias: float = 0.0

    def __post_init__(self) -> None:
        if len(self.weights) != len(FEATURES):
            raise ValueError(
                f"a mark has {len(FEATURES)} features, so as many weights are needed, not {len(self.weights)}"
            )

    def mark(self, features: Sequence[float]) -> float:
        """The log-odds that a mark is a signature or initials."""
        return self.bias + sum(weight * value for weight, value in zip(self.weights, features, strict=True))

    def page(self, marks: Sequence[float]) -> float:
        """The probability that a page with marks of such log-odds is signed."""
        return _chance(max([NO_MARK, *marks]))


#: The log-odds that a page on which no mark is seen is signed: one in ten such pages of the deeds at hand was.
NO_MARK = -2.2


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something like a signature stands, and how likely it is one (log-odds)."""

    box: Box
    log_odds: float

    @property
    def confidence(self) -> float:
        """The probability that it is a signature or initials."""
        return _chance(self.log_odds)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mark before it is weighed."""

    box: Box
    features: tuple[float, ...]


def marks(
    page: Page, detector: Detector, reader: Reader, words: WordsNear, cut: Callable[[Box], Pixels]
) -> tuple[Mark, ...]:
    """What on the page may be a signature, the likeliest first; `cut` gives the picture of a box for the model."""
    scales = detector.scales
    height, width = (side / page.dpi * 25.4 for side in page.image.shape)
    found = [
        Mark(_with_margin(one.box, MARGIN_MM / width, MARGIN_MM / height), scales.mark(one.features))
        for one in candidates(page, detector, reader, words, cut)
    ]
    return tuple(sorted(found, key=lambda one: -one.log_odds))


def candidates(
    page: Page, detector: Detector, reader: Reader, words: WordsNear, cut: Callable[[Box], Pixels]
) -> list[Candidate]:
    """The marks of a page with all that is known of them."""
    ink = ink_of(page.image, page.dpi)
    chances = _of_ink(detector.patches(ink), ink)
    seen = []
    for box, inside in _regions(ink, chances, SIGNATURE):
        near = words(_surroundings(box, ink))
        if not _figures(box, near):
            seen.append((box, _seen(box, inside, chances, ink, near)))
    for box, inside in _handwritten(ink, chances):
        near = words(_surroundings(box, ink))
        if not _figures(box, near) and _labelled(box, near, ink)[0]:
            seen.append((box, _seen(box, inside, chances, ink, near)))
    pictures = [cut(box) for box, _features in seen]
    kinds = (QuestionKind.MARK, QuestionKind.SIGNATURE)
    asked = [Question(kind, picture, interactive=True) for picture in pictures for kind in kinds]
    answers = iter(reader.read(asked) if asked else ())
    return [
        Candidate(box, (*features, _log_odds(_marked(next(answers))), _log_odds(_signed(next(answers)))))
        for box, features in seen
    ]


def written(page: Page, detector: Detector) -> list[Box]:
    """Where something is written by hand in one line that is no signature, as large as a date; the most ink first."""
    ink = ink_of(page.image, page.dpi)
    height, width = ink.shape
    found = []
    for box, _inside in _regions(ink, _of_ink(detector.patches(ink), ink), HANDWRITING):
        wide, high = box.width * width / PX_PER_MM, box.height * height / PX_PER_MM
        if not (LEAST_LINE_MM[0] < wide and LEAST_LINE_MM[1] < high < MOST_LINE_MM):
            continue
        found.append(box)
        if wide > LONG * high:
            # A date stands at the end of its line: "Paris, le 3/2/2016".
            found.append(Box(box.x0 + box.width / 2, box.y0, box.x1, box.y1))
    return found[:MOST_LINES]


def ink_of(image: Pixels, dpi: float) -> Pixels:
    """A page as a detector sees it: ink at work resolution, 0 paper to 255 the darkest ink there is."""
    work, _to_page = work_image(image, dpi)
    dark = darkness(work)
    ink = dark[dark > DARKER]
    full = max(2.0 * DARKER, float(np.percentile(ink, FULL))) if len(ink) else 255.0
    return cast(Pixels, np.clip(dark * (255.0 / full), 0, 255).astype(np.uint8))


def _of_ink(chances: Chances, ink: Pixels) -> Chances:
    """The chances of what each patch is, knowing whether there is ink on it: a detector needs not doubt that."""
    rows, columns = chances.shape[:2]
    padded = np.pad(ink > SEEN, ((0, rows * PATCH - ink.shape[0]), (0, columns * PATCH - ink.shape[1])))
    inked = padded.reshape(rows, PATCH, columns, PATCH).any(axis=(1, 3))
    given = chances / np.maximum(1 - chances[:, :, :1], 1e-3)
    given[:, :, NOTHING] = 0
    given[~inked] = (1, 0, 0, 0)
    return cast(Chances, given)


def _regions(ink: Pixels, chances: Chances, kind: int) -> list[tuple[Box, npt.NDArray[np.bool_]]]:
    """Boxes around ink of patches that may be one of that kind, and which patches these are, the most ink first."""
    likely = chances[:, :, kind]
    belongs = likely > MAY_BELONG
    count, labels = cv2.connectedComponents(belongs.astype(np.uint8), connectivity=8)
    height, width = ink.shape
    found = []
    for label in range(1, count):
        inside = np.asarray((labels == label) & belongs)
        if not inside.any() or float(likely[inside].max()) < LEAST_LIKELY:
            continue
        whole = np.kron(inside, np.ones((PATCH, PATCH), bool))[:height, :width]
        there = np.zeros(ink.shape, bool)
        there[: whole.shape[0], : whole.shape[1]] = whole & (ink[: whole.shape[0], : whole.shape[1]] > SEEN)
        for part in _parts(there, kind):
            rows, columns = np.flatnonzero(there[:, part].any(axis=1)), np.flatnonzero(there[:, part].any(axis=0))
            x0, x1, y0, y1 = part.start + columns[0], part.start + columns[-1] + 1, rows[0], rows[-1] + 1
            if max(x1 - x0, y1 - y0) < LEAST_MM * PX_PER_MM:
                continue
            own = np.zeros_like(inside)
            own[:, x0 // PATCH : -(-x1 // PATCH)] = inside[:, x0 // PATCH : -(-x1 // PATCH)]
            box = Box(x0 / width, y0 / height, x1 / width, y1 / height)
            found.append((int(there[:, part].sum()), box, own))
    found.sort(key=lambda one: -one[0])
    return [(box, inside) for _ink, box, inside in found[:MOST_MARKS]]


def _handwritten(ink: Pixels, chances: Chances) -> list[tuple[Box, npt.NDArray[np.bool_]]]:
    """Regions of handwriting that may be a name somebody signed with, apart from what is a mark already."""
    both = chances.copy()
    both[:, :, SIGNATURE] += both[:, :, HANDWRITING]
    marked = [box for box, _inside in _regions(ink, chances, SIGNATURE)]
    wide = LEAST_WRITTEN_MM * PX_PER_MM / ink.shape[1]
    found = [
        (box, inside)
        for box, inside in _regions(ink, both, SIGNATURE)
        if box.width > wide and not any(_share(box, one) > 0 for one in marked)
    ]
    return found[:MOST_WRITTEN]


def _figures(box: Box, words: Words) -> bool:
    """Whether print or handwriting that OCR reads as figures is most of a mark."""
    own = sum(where.width for text, where in words if FIGURES.match(text) and _share(where, box) >= OWN)
    return own > FIGURES_SHARE * box.width


def _labelled(box: Box, words: Words, ink: Pixels) -> tuple[bool, bool]:
    """Whether what is printed left of a mark, over or under it says that it is to be signed there, and whether what is
    left of it says that something else belongs there."""
    height, width = ink.shape
    left, over = LEFT_MM * PX_PER_MM / width, OVER_MM * PX_PER_MM / height
    printed = [(text, where) for text, where in words if _share(where, box) < OWN]
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


def _parts(there: npt.NDArray[np.bool_], kind: int) -> list[slice]:
    """Columns of ink that is one mark: all of it, or of signatures at the foot of a page each of several in a row."""
    columns, rows = np.flatnonzero(there.any(axis=0)), np.flatnonzero(there.any(axis=1))
    if not len(columns):
        return []
    in_a_row = kind == SIGNATURE and rows[0] > FOOT * len(there)
    gaps = np.flatnonzero(np.diff(columns) > APART_MM * PX_PER_MM) if in_a_row else ()
    bounds = [columns[0], *(int(columns[gap]) + 1 for gap in gaps), columns[-1] + 1]
    return [slice(int(first), int(last)) for first, last in pairwise(bounds)]


def _seen(box: Box, inside: npt.NDArray[np.bool_], chances: Chances, ink: Pixels, words: Words) -> tuple[float, ...]:
    """What the page tells about a mark, in the order of `FEATURES`."""
    height, width = ink.shape
    wide_mm, high_mm = box.width * width / PX_PER_MM, box.height * height / PX_PER_MM
    likely = chances[inside][:, SIGNATURE]
    x0, y0, x1, y1 = (int(each) // PATCH for each in box.pixels(width, height))
    around = chances[max(0, y0 - 3) : y1 + 4, max(0, x0 - 3) : x1 + 4]
    near = _surroundings(box, ink)
    # OCR also reads initials: what lies in the mark may be the mark itself.
    beside = [(text, where) for text, where in words if _share(near, where) > 0 and _share(where, box) < OWN]
    above = [text for text, where in beside if where.y0 < box.y1]
    below = [text for text, where in beside if where.y1 > box.y1 - 0.3 * box.height]
    covered = [where for _text, where in beside if _share(box, where) > 0]
    middle = (box.y0 + box.y1) / 2
    signing, other = _labelled(box, words, ink)
    printed = np.nonzero(chances[:, :, PRINT] > 0.5)[0]
    return (
        _log_odds(float(likely.mean())),
        float(np.log1p((likely > SURE).sum())),
        float(np.log(inside.sum())),
        float(np.log(max(1.0, high_mm))),
        float(np.log(max(1.0, wide_mm) / max(1.0, high_mm))),
        float(inside.sum() / max(1, (y1 - y0 + 1) * (x1 - x0 + 1))),
        float((around[:, :, HANDWRITING] > 0.5).mean()),
        min(1.0, sum(_share(box, where) for where in covered)),
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
        float((printed < y0).mean()) if len(printed) else 0.5,
        float(any(NAME.search(text) for text in below)),
    )


def _with_margin(box: Box, across: float, down: float) -> Box:
    return Box(max(0.0, box.x0 - across), max(0.0, box.y0 - down), min(1.0, box.x1 + across), min(1.0, box.y1 + down))


def _surroundings(box: Box, ink: Pixels) -> Box:
    """Where print may stand that says something about a mark, further to the left than to other sides."""
    height, width = ink.shape
    near = _with_margin(box, NEAR_MM * PX_PER_MM / width, NEAR_MM * PX_PER_MM / height)
    return replace(near, x0=max(0.0, min(near.x0, box.x0 - LEFT_MM * PX_PER_MM / width)))


def _share(box: Box, other: Box) -> float:
    """How much of a box another covers."""
    across, down = min(box.x1, other.x1) - max(box.x0, other.x0), min(box.y1, other.y1) - max(box.y0, other.y0)
    return max(0.0, across) * max(0.0, down) / max(1e-9, box.width * box.height)


def _marked(answer: Answer) -> float:
    """The probability that a mark is a signature, from the one label that was given."""
    return answer.confidence if answer.label == "signature" else 1 - answer.confidence


def _signed(answer: Answer) -> float:
    """The probability that something signed stands there; a flourish through a name looks as if it were struck out."""
    return answer.present


def _log_odds(chance: float) -> float:
    kept = min(max(chance, 0.01), 0.99)
    return float(np.log(kept / (1 - kept)))


def _chance(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))
