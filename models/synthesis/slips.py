"""Cheques and slips: a few labelled lines and boxes filled by hand, and little room to sign in a corner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.synthesis import clutter, phrases, wording
from models.synthesis.leaf import PRINT, PX_PER_MM
from models.synthesis.people import COMPANIES

if TYPE_CHECKING:
    from models.synthesis.scribe import Scribe

#: How high signatures are at most on a slip (mm).
SIGNED_MM = (5.0, 17.0)


def fill(scribe: Scribe, *, signed: bool) -> None:
    """A slip from its head to where it is signed, or not."""
    rng, leaf, mm = scribe.rng, scribe.leaf, PX_PER_MM
    scribe.left, scribe.right = rng.uniform(6, 14) * mm, leaf.width - rng.uniform(6, 14) * mm
    scribe.px = rng.uniform(1.6, 2.4) * mm
    scribe.row, scribe.y = scribe.px * 1.8, rng.uniform(3, 8) * mm
    scribe.line(str(rng.choice(COMPANIES)), scribe.left, rng.uniform(1.2, 2.2))
    scribe.line(phrases.address(rng), scribe.left, 0.8)
    _date(scribe)
    line = max(1, int(rng.integers(1, 3)))
    y = scribe.y + rng.uniform(5, 9) * mm
    for _ in range(int(rng.integers(1, 4))):
        end = scribe.right if rng.random() < 0.5 else scribe.left + rng.uniform(0.5, 0.8) * (scribe.right - scribe.left)
        scribe.text(phrases.words(rng, 1).title(), scribe.left, y)
        scribe.rule(scribe.left + 16 * mm, y, end, y, line)
        if rng.random() < 0.8:
            scribe.note(phrases.value(rng), scribe.left + rng.uniform(20, 50) * mm, y - 4.5 * mm, rng.uniform(2.4, 4.5))
        y += rng.uniform(7, 11) * mm
    _box(scribe, scribe.right - rng.uniform(38, 60) * mm, y - 6 * mm, scribe.right, wording.amount(rng))
    _box(scribe, scribe.left, y, scribe.left + rng.uniform(40, 70) * mm, None)
    _sign(scribe, min(y + rng.uniform(4, 12) * mm, leaf.height - 22 * mm), signed=signed)
    if rng.random() < 0.6:
        digits = " ".join(str(rng.integers(10**5, 10**9)) for _ in range(3))
        scribe.text(digits, scribe.left + rng.uniform(0.1, 0.3) * leaf.width, leaf.height - rng.uniform(4, 9) * mm, 1.4)
    if rng.random() < 0.35:
        leaf.lay(clutter.barcode(rng, int(7 * mm), int(35 * mm)).T, leaf.width - 12 * mm, 0.3 * leaf.height, PRINT)


def _date(scribe: Scribe) -> None:
    """A date at the right of the head, in boxes or on a line."""
    rng, mm = scribe.rng, PX_PER_MM
    side, high = rng.uniform(4.2, 6) * mm, rng.uniform(5, 7.5) * mm
    x, y = scribe.right - 8 * side, rng.uniform(4, 10) * mm
    if rng.random() < 0.6:
        scribe.text("Date", x - 10 * mm, y + high * 0.8, 0.9)
    boxed = rng.random() < 0.75
    for cell in range(8 if boxed else 0):
        scribe.rule(x + cell * side, y, x + (cell + 1) * side, y + high, 1)
    if not boxed:
        scribe.rule(x, y + high, scribe.right, y + high, 1)
    if rng.random() < 0.85:
        for cell, digit in enumerate(wording.date(rng, 8)):
            scribe.note(digit, x + (cell + 0.25) * side, y + 0.15 * high, min(3.6, high / mm * 0.6))


def _box(scribe: Scribe, x0: float, y0: float, x1: float, written: str | None) -> None:
    """A box with something by hand or in print in it."""
    rng, mm = scribe.rng, PX_PER_MM
    high = rng.uniform(7, 10) * mm
    scribe.rule(x0, y0, x1, y0 + high, 1)
    if written is None:
        scribe.text(str(rng.integers(10**9, 10**13)), x0 + 4 * mm, y0 + high * 0.7)
    elif rng.random() < 0.85:
        scribe.note(written, x0 + 6 * mm, y0 + high * 0.15, rng.uniform(3.0, 5.0))


def _sign(scribe: Scribe, top: float, *, signed: bool) -> None:
    """Room for one or two signatures over a name and what is to be done there."""
    rng, mm = scribe.rng, PX_PER_MM
    for place in range(1 + int(rng.random() < 0.2)):
        x, room = scribe.right - (rng.uniform(35, 50) + 60 * place) * mm, rng.uniform(8, 14) * mm
        if rng.random() < 0.25:
            scribe.text("For " + str(rng.choice(COMPANIES)), x, top)
        if signed and (place == 0 or rng.random() < 0.6):
            scribe.autograph(x + rng.uniform(-8, 10) * mm, top + room / 2, rng.uniform(*SIGNED_MM))
        y = top + room + scribe.row * 0.6
        if rng.random() < 0.6:
            scribe.text(phrases.person(rng).upper(), x + rng.uniform(0, 6) * mm, y, 0.9)
            y += scribe.row
        if rng.random() < 0.85:
            scribe.text(str(rng.choice(phrases.LABELS)), x + rng.uniform(0, 6) * mm, y, 0.85)
