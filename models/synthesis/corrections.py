"""Fields that somebody wrote wrongly and corrected: white over the first try and the right text on it, or a stroke
through it and the right text after."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from models.synthesis import people
from models.synthesis.filling import Entry
from models.synthesis.paper import PX_PER_MM, Hand, Paper
from pipeline.doctypes.schema import FieldKind
from pipeline.geometry import Box

#: Kinds that are corrected with white fluid; words are also struck through.
WRITTEN = (FieldKind.TEXT, FieldKind.DATE, FieldKind.IDENTIFIER, FieldKind.AMOUNT)

#: How many of the fields somebody corrects on a form that has corrections.
SHARE = 0.2


def corrects(entry: Entry, rng: np.random.Generator) -> bool:
    """Whether somebody corrected that field by hand."""
    can = entry.text is not None and entry.field.kind in WRITTEN and not entry.typed
    return can and bool(rng.random() < SHARE)


def fill(paper: Paper, entry: Entry, hand: Hand, rng: np.random.Generator) -> None:
    """Draws the wrong text, what hides it, and the right text."""
    text = entry.text or ""
    box = entry.field.where
    if entry.field.kind is FieldKind.TEXT and not entry.field.cells and len(text) < 24 and rng.random() < 0.5:
        # There is room behind what was struck: the right text still stands in the field.
        middle = box.x0 + box.width * float(rng.uniform(0.3, 0.45))
        first, rest = Box(box.x0, box.y0, middle, box.y1), Box(middle, box.y0, box.x1, box.y1)
        paper.line(first, _wrong(text, rng), hand.pen(text), hand)
        paper.strike([first], hand)
        paper.line(rest, text, hand.pen(text), hand)
        return
    paper.fill(replace(entry, text=_wrong(text, rng)), hand)
    _whitened(paper, box, rng)
    paper.fill(entry, hand)


def _wrong(text: str, rng: np.random.Generator) -> str:
    """The text with some of its letters and figures changed."""
    letters = list(text)
    for place in rng.choice(len(letters), size=max(1, len(letters) // 3), replace=False):
        letter = letters[int(place)]
        if letter.isdigit():
            letters[int(place)] = people.digits(rng, 1)
        elif letter.isalpha():
            changed = people.letters(rng, 1)
            letters[int(place)] = changed if letter.isupper() else changed.lower()
    return "".join(letters)


def _whitened(paper: Paper, box: Box, rng: np.random.Generator) -> None:
    """White fluid by a brush, a little whiter or yellower than the paper; rules of the form go with the ink."""
    rows, columns = paper.image.shape[:2]
    x0, y0, x1, y1 = box.pixels(columns, rows)
    over = int(0.8 * PX_PER_MM)
    mask = np.zeros((y1 - y0 + 2 * over, x1 - x0 + 2 * over), np.uint8)
    high, wide = y1 - y0, x1 - x0
    y = over + high * rng.uniform(0.15, 0.3)
    brush = max(3, int(rng.uniform(1.6, 3.0) * PX_PER_MM))
    while y < over + high * 0.95:
        ends = over + wide * rng.uniform(-0.01, 0.04), over + wide * rng.uniform(0.94, 1.01)
        slope = rng.normal(0, 0.04) * high
        cv2.line(mask, (int(ends[0]), int(y)), (int(ends[1]), int(y + slope)), 255, brush, cv2.LINE_AA)
        y += brush * rng.uniform(0.6, 0.95)
    share = cv2.GaussianBlur(mask, (0, 0), 1.0).astype(np.float32)[:, :, None] / 255 * np.float32(rng.uniform(0.88, 1))
    white = np.array([252, 252, 248], np.float32) - rng.uniform(0, 10, 3).astype(np.float32)
    top, left = max(0, y0 - over), max(0, x0 - over)
    part = paper.image[top : y1 + over, left : x1 + over]
    share = share[top - (y0 - over) :, left - (x0 - over) :][: part.shape[0], : part.shape[1]]
    part[...] = (part * (1 - share) + white * share).astype(np.uint8)
