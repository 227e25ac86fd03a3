"""What pages of deeds bear beside their text: title pages, initials of all who signed, words that certify a copy."""

from __future__ import annotations

from models.synthesis import phrases, wording
from models.synthesis.autographs import autograph, hand, tight
from models.synthesis.leaf import PX_PER_MM
from models.synthesis.people import COMPANIES, MEN, SURNAMES, WOMEN
from models.synthesis.scribe import Scribe
from models.synthesis.strokes import Mask

#: What is stamped or typed on a copy of a deed.
CERTIFIED = (
    "CERTIFIED TRUE COPY",
    "Certified to be a true copy",
    "Copie certifiée conforme",
    "Copie certifiée conforme à l'original",
    "TRUE COPY ATTESTED",
    "Pour copie conforme",
    "Certified copy of the original",
)


def title_page(scribe: Scribe) -> None:
    """The first page of a deed: few large lines in the middle, and much bare paper."""
    rng, mm = scribe.rng, PX_PER_MM
    scribe.y = rng.uniform(20, 70) * mm
    scribe.heading(str(rng.choice(COMPANIES)))
    for _ in range(int(rng.integers(1, 5))):
        scribe.line(phrases.address(rng) if rng.random() < 0.6 else phrases.words(rng, 4), _middle(scribe))
    scribe.y += rng.uniform(15, 60) * mm
    if rng.random() < 0.4:
        scribe.rule(scribe.left, scribe.y, scribe.right, scribe.y + rng.uniform(20, 45) * mm, int(rng.integers(1, 5)))
        scribe.y += 5 * mm
    for _ in range(int(rng.integers(1, 4))):
        scribe.heading(phrases.words(rng, int(rng.integers(1, 4))))
    scribe.y += rng.uniform(5, 40) * mm
    for _ in range(int(rng.integers(0, 5))):
        scribe.line(phrases.words(rng, int(rng.integers(2, 7))), _middle(scribe))


def initial_feet(scribe: Scribe) -> None:
    """Initials of all who will sign the last page: at the foot in a corner or spread out, else down a margin."""
    rng, mm, leaf = scribe.rng, PX_PER_MM, scribe.leaf
    count = int(rng.choice((1, 2, 3, 4), p=(0.5, 0.27, 0.15, 0.08)))
    masks = [_initials(scribe) for _ in range(count)]
    way = rng.random()
    if way < 0.12:
        margin = rng.uniform(2, 8) * mm if rng.random() < 0.4 else leaf.width - rng.uniform(18, 24) * mm
        top = leaf.height * rng.uniform(0.3, 0.85)
        for mask in masks:
            leaf.sign(mask, margin, top, scribe.pen)
            top += mask.shape[0] + rng.uniform(1, 15) * mm
        return
    x = leaf.width - rng.uniform(6, 60) * mm if way < 0.75 else rng.uniform(40, 150) * mm
    y = leaf.height - rng.uniform(9, 40) * mm
    apart = rng.uniform(0.5, 12) if rng.random() < 0.7 else rng.uniform(15, 40)
    for mask in masks:
        left = max(3.0, x - mask.shape[1])
        leaf.sign(mask, left, y - mask.shape[0] / 2 + rng.normal(0, 2) * mm, scribe.pen)
        x = left - apart * rng.uniform(0.5, 1.5) * mm
        if x < 12 * mm:
            break


def certified(scribe: Scribe, *, signed: bool) -> None:
    """Words that certify a copy, anywhere on the page, with the signature of whoever vouches for it or none."""
    rng, mm, leaf = scribe.rng, PX_PER_MM, scribe.leaf
    x, y = rng.uniform(0.05, 0.65) * leaf.width, rng.uniform(0.04, 0.9) * leaf.height
    words = str(rng.choice(CERTIFIED))
    if rng.random() < 0.35:
        scribe.note(words, x, y, rng.uniform(2.5, 4.5))
    else:
        scribe.text(words, x, y + scribe.px, rng.uniform(0.8, 1.5))
    below = y + rng.uniform(4, 9) * mm
    if rng.random() < 0.4:
        scribe.text(phrases.person(rng), x, below + scribe.px, 0.8)
        below += scribe.row
    if rng.random() < 0.3:
        scribe.note(wording.date(rng, 0), x, below, 3.0)
        below += 5 * mm
    if signed:
        # It goes over the words as often as beside or under them.
        down = below + rng.uniform(2, 10) * mm if rng.random() < 0.6 else y + rng.uniform(-4, 4) * mm
        scribe.autograph(x + rng.uniform(-10, 45) * mm, down)


def _initials(scribe: Scribe) -> Mask:
    """Initials by a pen, in a third of all cases plain letters as anybody writes them."""
    rng = scribe.rng
    if rng.random() > 0.33:
        return autograph(rng, scribe.materials, initials=True)
    letters = str(rng.choice(MEN + WOMEN))[0] + str(rng.choice(SURNAMES))[0] + str(rng.choice(SURNAMES))[0]
    text = letters[: int(rng.integers(1, 4))]
    if rng.random() < 0.3:
        text = ".".join(text) + "."
    return tight(hand(rng, scribe.materials).word(text, rng.uniform(3.0, 8.0) * PX_PER_MM).mask)


def _middle(scribe: Scribe) -> float:
    return scribe.leaf.width * scribe.rng.uniform(0.2, 0.45)
