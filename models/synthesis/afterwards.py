"""What anybody did to a page later, or a machine on its way: numbers, notes, ticks, stamps, lines of a fax, blots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.synthesis import clutter, phrases, wording
from models.synthesis.autographs import hand
from models.synthesis.leaf import HANDWRITING, PRINT, PX_PER_MM
from models.synthesis.people import COMPANIES
from models.synthesis.strokes import Mask

if TYPE_CHECKING:
    from models.synthesis.scribe import Scribe


#: How often what is checked has each of these.
CHECKED = {clutter.RING: 0.5, clutter.THROUGH: 0.35, clutter.UNDER: 0.2, clutter.TICK: 0.15}


def add(scribe: Scribe) -> None:
    """Everything that may come to a page, seldom much of it."""
    rng, leaf, mm = scribe.rng, scribe.leaf, PX_PER_MM
    _numbered(scribe)
    if rng.random() < 0.3:
        clutter.sideways(leaf, scribe.materials)
    if rng.random() < 0.4:
        _noted(scribe)
    if rng.random() < 0.18:
        _figures(scribe)
    if rng.random() < 0.08:
        _loud(scribe)
    if rng.random() < 0.35:
        for _ in range(int(rng.integers(1, 5))):
            clutter.penned(leaf, max(1.0, rng.uniform(0.25, 0.6) * mm))
    if rng.random() < 0.22:
        _corrected(scribe)
    if rng.random() < 0.12:
        _punched(scribe)
    if rng.random() < 0.22:
        scribe.stamp(rng.uniform(0.02, 0.75) * leaf.width, rng.uniform(0.02, 0.9) * leaf.height)
    if rng.random() < 0.15:
        _faxed(scribe)
    if rng.random() < 0.08:
        _lettered(scribe)
    if rng.random() < 0.12:
        _blotted(scribe)
    if rng.random() < 0.06:
        brand(scribe, leaf.height * rng.uniform(0.03, 0.9))
    if rng.random() < 0.06:
        high, wide = int(rng.uniform(6, 14) * mm), int(rng.uniform(30, 60) * mm)
        mask = clutter.barcode(rng, high, wide)
        leaf.lay(mask, rng.uniform(0, leaf.width - wide), rng.uniform(0, 0.1) * leaf.height, PRINT)
    if rng.random() < 0.08:
        side = int(rng.uniform(8, 25) * mm)
        mask = clutter.crest(rng, scribe.materials, side)
        leaf.lay(mask, rng.uniform(0, leaf.width - side), rng.uniform(0.75, 0.95) * leaf.height, PRINT, scribe.toner)
    if rng.random() < 0.06:
        wide = int(rng.uniform(20, 45) * mm)
        mask = clutter.photograph(rng, int(wide * rng.uniform(0.7, 1.3)), wide)
        leaf.lay(mask, rng.uniform(0, leaf.width - wide), rng.uniform(0, 0.8) * leaf.height, PRINT, 0.7)


def brand(scribe: Scribe, y: float) -> float:
    """The name of a company in a script, bold, as some write theirs, its trade in small print; returns its height."""
    rng, leaf = scribe.rng, scribe.leaf
    px = rng.uniform(4, 13) * PX_PER_MM
    name = str(rng.choice(COMPANIES)).split()[0] if rng.random() < 0.7 else str(rng.choice(COMPANIES))
    mask = hand(rng, scribe.materials).word(name, px).mask
    if rng.random() < 0.75:
        bold = int(rng.integers(2, 6))
        mask = np.asarray(cv2.dilate(mask, np.ones((bold, bold))), np.float32)
    if rng.random() < 0.4:
        mask = _leaning(mask, rng.uniform(0.1, 0.4))
    if rng.random() < 0.2:
        mask = np.clip(1 - np.pad(mask, int(px * rng.uniform(0.2, 0.6))), 0, 1)
    if mask.shape[1] > leaf.width - 60:
        return 0.0
    x = float(rng.choice((scribe.left, (leaf.width - mask.shape[1]) / 2, scribe.right - mask.shape[1])))
    leaf.lay(mask, max(2.0, x), y, PRINT, scribe.toner)
    below = y + mask.shape[0] + scribe.row * rng.uniform(0.2, 1.0)
    if rng.random() < 0.6:
        scribe.text(phrases.words(rng, 2).upper(), max(2.0, x) + mask.shape[1] * rng.uniform(0, 0.5), below, 0.8)
    return float(below - y)


def _leaning(mask: Mask, much: float) -> Mask:
    lean = np.array([[1, -much, much * mask.shape[0]], [0, 1, 0]], np.float32)
    return np.asarray(
        cv2.warpAffine(mask, lean, (mask.shape[1] + int(much * mask.shape[0]), mask.shape[0])), np.float32
    )


def _numbered(scribe: Scribe) -> None:
    """Numbers of pages, and of archives in large figures."""
    rng, leaf, mm = scribe.rng, scribe.leaf, PX_PER_MM
    if rng.random() < 0.1:
        x, y = leaf.width * rng.uniform(0.4, 0.93), leaf.height - rng.uniform(8, 30) * mm
        scribe.rule(x - 8, y - 1.4 * scribe.px, x + 3 * scribe.px, y + 8, int(rng.integers(1, 6)))
        scribe.text(str(rng.integers(1, 99)), x, y)
    if rng.random() < 0.35:
        text = (f"Page {rng.integers(1, 40)}", str(rng.integers(1, 99)))[rng.integers(2)]
        scribe.text(text, leaf.width * rng.uniform(0.4, 0.85), leaf.height - rng.uniform(6, 20) * mm)
    if rng.random() < 0.15:
        text = str(rng.integers(10**6, 10**9))
        text = " ".join(text) if rng.random() < 0.3 else text
        word = clutter.printing(rng, scribe.materials).word(text, rng.uniform(2.2, 4.5) * mm).mask
        x, y = rng.uniform(0.1, 0.95) * leaf.width, leaf.height - rng.uniform(8, 32) * mm
        leaf.lay(word, max(3.0, min(x, leaf.width - word.shape[1] - 4.0)), y, PRINT, scribe.toner)


def _noted(scribe: Scribe) -> None:
    """Remarks of a few lines, some with a ring around them."""
    rng, leaf, mm = scribe.rng, scribe.leaf, PX_PER_MM
    for _ in range(int(rng.integers(1, 4))):
        x, y = _somewhere(scribe)
        top, high = y, rng.uniform(2.2, 5.0)
        for _ in range(int(rng.integers(1, 4))):
            scribe.note(phrases.remark(rng), x, y, high)
            y += rng.uniform(2.0, 2.8) * high * mm
        if rng.random() < 0.12:
            wide = rng.uniform(25, 60) * mm
            middle = (int(min(x, leaf.width - wide) + wide / 2), int((top + y) / 2))
            axes = (int(wide / 2), int((y - top) / 2 + 3 * mm))
            for layer in (leaf.dark, leaf.layers[HANDWRITING]):
                cv2.ellipse(
                    layer, middle, axes, rng.uniform(-8, 8), 0, 350, 220.0, int(rng.integers(2, 4)), cv2.LINE_AA
                )


def _loud(scribe: Scribe) -> None:
    """A word or two, or the letters of an office, larger than one writes."""
    rng = scribe.rng
    letters = "".join("ABCDEFGHJKLMNPRSTVW"[place] for place in rng.integers(0, 19, int(rng.integers(1, 5))))
    text = (letters, ".".join(letters) + ".", phrases.words(rng, 1), phrases.words(rng, 1).upper())[rng.integers(4)]
    x, y = _somewhere(scribe)
    high = rng.uniform(5.0, 13.0)
    scribe.note(text, x, y, high)
    if rng.random() < 0.3:
        scribe.note(phrases.words(rng, 1), x + rng.uniform(-5, 20) * PX_PER_MM, y + 1.6 * high * PX_PER_MM, high)


def _figures(scribe: Scribe) -> None:
    """Numbers, dates and sums that somebody jotted down, as large as a signature at times."""
    rng = scribe.rng
    for _ in range(int(rng.integers(1, 4))):
        x, y = _somewhere(scribe)
        text = (
            wording.date(rng, 0),
            str(rng.integers(1, 10 ** int(rng.integers(1, 8)))),
            f"#{rng.integers(1, 99)}",
            f"{rng.integers(1, 99)}%",
            f"{rng.integers(1, 13)}/{rng.integers(1, 32)}",
            wording.amount(rng),
        )[int(rng.integers(6))]
        scribe.note(text, x, y, rng.uniform(2.5, 8.5))


def _corrected(scribe: Scribe) -> None:
    """Rings around print, lines through it or under it and ticks beside it, as somebody leaves who checks a page."""
    rng, leaf, mm = scribe.rng, scribe.leaf, PX_PER_MM
    for _ in range(int(rng.integers(1, 7)) if leaf.words else 0):
        _text, (x0, y0, x1, y1) = leaf.words[int(rng.integers(len(leaf.words)))]
        # A word of the line, or a few.
        wide = min(x1 - x0, int(rng.uniform(4, 25) * mm))
        x0 += int(rng.uniform(0, x1 - x0 - wide + 1))
        for kind, often in CHECKED.items():
            if rng.random() > often:
                continue
            mask = clutter.checked(rng, wide, y1 - y0, kind, max(1.0, rng.uniform(0.25, 0.6) * mm))
            leaf.lay(
                mask, x0 + (wide - mask.shape[1]) / 2, (y0 + y1 - mask.shape[0]) / 2, HANDWRITING, rng.uniform(0.6, 1.0)
            )


def _punched(scribe: Scribe) -> None:
    """Punch holes that the scanner's lid showed through, grey, and something left in them."""
    rng, leaf, mm = scribe.rng, scribe.leaf, PX_PER_MM
    radius = int(rng.uniform(2.2, 5.5) * mm)
    deep = rng.uniform(4, 16) * mm
    for place in (0.5 - 0.135, 0.5 + 0.135) if rng.random() < 0.5 else (0.1, 0.5, 0.9):
        x, y = (deep, place * leaf.height) if rng.random() < 0.6 else (place * leaf.width, leaf.height - deep)
        leaf.lay(clutter.hole(rng, radius), x - radius, y - radius, PRINT)
        if rng.random() < 0.3:
            tick = clutter.checked(rng, radius, radius, clutter.TICK, max(1.0, rng.uniform(0.3, 0.7) * mm))
            leaf.lay(tick, x - tick.shape[1] / 2, y - tick.shape[0] / 2, HANDWRITING)


def _faxed(scribe: Scribe) -> None:
    """The line that a fax prints at the top of what it sends."""
    rng, leaf, mm = scribe.rng, scribe.leaf, PX_PER_MM
    y, share = rng.uniform(3, 9) * mm, rng.uniform(0.7, 1.1)
    parts = (
        wording.date(rng, 0).upper() + f"  {rng.integers(24):02d}:{rng.integers(60):02d}",
        str(rng.choice(COMPANIES)).upper(),
        f"P.{rng.integers(1, 9):02d}/{rng.integers(9, 30):02d}",
    )
    for part, x in zip(parts, (0.05, 0.4, 0.85), strict=True):
        scribe.text(part, x * leaf.width, y, share)


def _lettered(scribe: Scribe) -> None:
    """A letter or two in large bold print that marks a page or a part of it."""
    rng, leaf = scribe.rng, scribe.leaf
    text = "".join("ABCDEFGHKLMNPRSTX"[place] for place in rng.integers(0, 17, int(rng.integers(1, 3))))
    word = clutter.printing(rng, scribe.materials).word(text, rng.uniform(3, 10) * PX_PER_MM).mask
    if rng.random() < 0.6:
        word = np.asarray(cv2.dilate(word, np.ones((2, int(rng.integers(2, 5))))), np.float32)
    leaf.lay(word, rng.uniform(0.03, 0.95) * leaf.width, rng.uniform(0.03, 0.97) * leaf.height, PRINT, scribe.toner)


def _blotted(scribe: Scribe) -> None:
    """What was blacked out, tabs at an edge, and specks of dirt close together."""
    rng, leaf, mm = scribe.rng, scribe.leaf, PX_PER_MM
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0, 0.95) * leaf.width, rng.uniform(0, 0.97) * leaf.height
        if rng.random() < 0.5:
            wide, high = rng.uniform(5, 45) * mm, rng.uniform(2, 9) * mm
            scribe.rule(x, y, x + wide, y + high, -1)
            continue
        spread = rng.uniform(1.0, 5.0) * mm
        for _ in range(int(rng.integers(4, 40))):
            middle = (int(x + rng.normal(0, spread)), int(y + rng.normal(0, spread)))
            radius = int(rng.integers(0, 4))
            for layer in (leaf.dark, leaf.layers[PRINT]):
                cv2.circle(layer, middle, radius, 230.0, -1)


def _somewhere(scribe: Scribe) -> tuple[float, float]:
    """A place at the head of a page, or anywhere."""
    rng, leaf = scribe.rng, scribe.leaf
    if rng.random() < 0.5:
        return rng.uniform(0.02, 0.7) * leaf.width, rng.uniform(0.01, 0.1) * leaf.height
    return rng.uniform(0.01, 0.8) * leaf.width, rng.uniform(0.1, 0.95) * leaf.height
