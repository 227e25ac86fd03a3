"""Evidence made up for training: the picture of one field with its right answer, for every question of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from models.nanovlm.processor import unfilled
from models.nanovlm.tokens import EOS, ID
from models.synthesis import degrade, spoil, wording
from models.synthesis.faces import Materials, materials
from models.synthesis.fields import Field
from models.synthesis.pen import Pen, Source
from models.synthesis.signatures import signature
from models.synthesis.split import checked
from models.synthesis.stamps import stamp
from models.synthesis.strokes import Point, put, stroke
from pipeline.reading import STRINGS, Pixels, Row

#: Kinds of evidence and how often each is drawn: what is hard is drawn most.
KINDS = {
    "date": 0.43,
    "signature": 0.08,
    "identifier": 0.21,
    "amount": 0.16,
    "text": 0.03,
    "checkbox": 0.02,
    "endorsement": 0.03,
    "mark": 0.04,
}

#: For each kind what may be the case, and how often. `ok` is a string that can be read.
STATES: dict[str, dict[str, float]] = {
    "date": {"ok": 0.84, "empty": 0.11, "illegible": 0.05},
    "identifier": {"ok": 0.88, "empty": 0.10, "illegible": 0.02},
    "amount": {"ok": 0.88, "empty": 0.10, "illegible": 0.02},
    "signature": {"signature": 0.44, "initials": 0.08, "empty": 0.44, "struck": 0.04},
    "text": {"filled": 0.55, "empty": 0.45},
    "endorsement": {"stamp": 0.5, "empty": 0.4, "handwriting": 0.1},
    "mark": {"signature": 0.3, "stamp": 0.3, "handwriting": 0.3, "empty": 0.1},
    "checkbox": {"ticked": 0.5, "empty": 0.5},
}

#: How often boxes of an identifier are left over: what is missing must not be made up.
SHORT = 0.08

#: The comb boxes a date is written in (0: on a line), and how often. Figures in boxes are learned first.
DATE_CELLS = {8: 0.36, 6: 0.05, 0: 0.59}

#: How often an amount ends in a stroke that nobody reads, and how often it is a round one, in training.
CLOSED, ROUND = 0.35, 0.4

#: How much finer than other fields strings on lines are drawn.
LINE_FINE = 1.6

#: Drawings tried for one seed until one has a right answer.
TRIES = 40

Answer: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """`image` 48 × 384 grey; `answer` the tokens to be said; `labels` the character (0: none) at each of 48 columns;
    `cells` the comb boxes, None on a line; of a form's string whose `letters` it is in. `used` are the rows and columns
    of the image that are no filling (all where None), and `row` where the comb stands in them. Where the image shows a
    line from near, `whole` is the cut that it is a part of; of a comb `fine` is the same as it was scanned."""

    image: Pixels
    kind: str
    answer: Answer
    labels: Pixels
    cells: int | None = None
    letters: Source | None = None
    used: tuple[int, int] | None = None
    row: Row | None = None
    whole: Pixels | None = None
    fine: Pixels | None = None

    @property
    def cut(self) -> Pixels:
        """What was cut, as fine as is known: the image without its filling, of a comb as it was scanned."""
        if self.fine is not None:
            return self.fine
        return self.image if self.used is None else unfilled(self.image, *self.used)

    def sequence(self) -> list[int]:
        """Question, answer and end as token numbers."""
        return [ID[f"<q:{self.kind}>"], *(ID[token] for token in self.answer), ID[EOS]]


def make(
    seed: int,
    split: str,
    kind: str | None = None,
    source: Source | None = None,
    state: str | None = None,
    *,
    using: Materials | None = None,
    near: bool = True,
) -> Drawn:
    """The evidence of that seed; the same seed, split and fonts give the same bytes. With `near` a string on a line is
    shown from near, as the pipeline shows it first, else in its whole field.

    `kind`, `source` (of the letters) and `state` are as they come where None. `using` are other fonts and digits than
    those found on this machine. Raises `ValueError` for a split, kind or state that does not exist.
    """
    side = checked(split)
    stock = using or materials(side)
    if stock.split != side:
        raise ValueError(f"fonts of the {stock.split} split may not be used for {side}")
    # What is drawn is settled first: what is hard to see must not become rarer by being drawn again.
    # Its chance is none of the drawing's: seeds that differ by zeros at the end give the same numbers.
    fate = np.random.default_rng([seed, 0])
    chosen = kind or str(fate.choice(list(KINDS), p=list(KINDS.values())))
    if chosen not in STATES:
        raise ValueError(f"there is no evidence of kind {chosen!r}; known are {', '.join(STATES)}")
    if state is not None and state not in STATES[chosen]:
        raise ValueError(f"a {chosen} is never {state!r}; it is {', '.join(STATES[chosen])}")
    case = state or str(fate.choice(list(STATES[chosen]), p=list(STATES[chosen].values())))
    for attempt in range(TRIES):
        field, answer = _drawn(np.random.default_rng([seed, 1 + attempt]), stock, chosen, case, source)
        finished = degrade.cut(field, near=near and chosen in STRINGS and field.cells is None)
        if finished is not None:
            return Drawn(
                finished.image,
                chosen,
                answer,
                finished.labels,
                field.cells,
                used=finished.used,
                row=finished.row,
                whole=finished.whole,
                fine=finished.fine,
            )
    raise RuntimeError(f"nothing legible was drawn for seed {seed}, {kind}, {state} in {TRIES} tries")


def _drawn(
    rng: np.random.Generator, stock: Materials, kind: str, state: str, source: Source | None
) -> tuple[Field, Answer]:
    if kind in STRINGS:
        return _string(rng, stock, kind, state, source)
    field = _checkbox(rng, stock, state) if kind == "checkbox" else _presence(rng, stock, kind, state)
    spoil.dirty(field)
    return field, (f"<{state}>",)


def _string(
    rng: np.random.Generator, stock: Materials, kind: str, state: str, source: Source | None
) -> tuple[Field, Answer]:
    """A date, identifier or amount, in comb boxes or on a line."""
    if kind == "date":
        cells = int(rng.choice(list(DATE_CELLS), p=list(DATE_CELLS.values())))
        text = wording.date(rng, cells)
    else:
        text = wording.identifier(rng) if kind == "identifier" else _amount(rng, stock)
        cells = len(text) if kind == "identifier" and rng.random() < 0.65 else 0
        if cells and rng.random() < SHORT:
            cells += int(rng.integers(1, 4))
    if cells:
        size = cells * rng.uniform(3.8, 6.6), rng.uniform(4.8, 8.5)
    else:
        size = rng.uniform(30, 75) if kind == "identifier" else rng.uniform(24, 60), rng.uniform(6, 10.5)
    # What is looked at from near is drawn as fine as scanners see it.
    field = Field(rng, *size, stock, fine=1.0 if cells else LINE_FINE)
    field.surroundings()
    pen = Pen(rng, stock, text, source)
    if cells:
        field.comb(cells, {8: "DDMMYYYY", 6: "DDMMYY"}.get(cells) if kind == "date" else None)
        if state != "empty":
            field.fill_comb(text, cells, pen)
    else:
        field.underline()
        if kind == "date":
            _date_print(field, state)
        if state != "empty":
            field.fill_line(text, pen)
        open_ = kind == "amount" and state != "empty" and not text.endswith("-")
        if open_ and stock.split == "train" and rng.random() < CLOSED:
            field.closing()
    if state == "illegible":
        if rng.random() < 0.75:
            spoil.overwrite(field, pen)
        else:
            for _ in range(2 if rng.random() < 0.4 else 1):
                spoil.strike(field)
            field.spans = []
    spoil.dirty(field)
    return field, tuple(text) if state == "ok" else (f"<{state}>",)


def _amount(rng: np.random.Generator, stock: Materials) -> str:
    return wording.round_amount(rng) if stock.split == "train" and rng.random() < ROUND else wording.amount(rng)


def _date_print(field: Field, state: str) -> None:
    """What is printed on a date's line: the word before it, or its layout where nothing is written."""
    rng = field.rng
    baseline = int(field.y0 + field.height * 0.85)
    if state != "empty" and rng.random() < 0.1:
        label = "Date :" if rng.random() < 0.5 else "Dated"
        field.text(label, field.x0 - field.scale, baseline, 2.2 * field.scale * 0.8)
    if state == "empty" and rng.random() < 0.3:
        layout = str(rng.choice(["DD/MM/YYYY", "__/__/____", "/      /", "Date :", "D D M M Y Y Y Y"]))
        field.text(layout, field.x0 + rng.uniform(0, 0.3) * field.width, baseline, 2.4 * field.scale * 0.8)


def _presence(rng: np.random.Generator, stock: Materials, kind: str, state: str) -> Field:
    """A field of which only matters what stands in it: a signature, a stamp, writing, a mark."""
    if kind == "text":
        size = rng.uniform(40, 140), rng.uniform(6, 11)
    elif kind == "endorsement":
        width = rng.uniform(35, 75)
        size = width, width / rng.uniform(1.4, 3)
    elif kind == "mark":
        width = rng.uniform(12, 70)
        size = width, width / rng.uniform(1.2, 5)
    else:
        size = rng.uniform(30, 90), rng.uniform(9, 24)
    field = Field(rng, *size, stock)
    if kind != "mark":
        field.surroundings()
    if kind in ("signature", "text"):
        field.underline()
    elif rng.random() < 0.5:
        field.frame(rng.uniform(0.8, 2.5))
    if rng.random() < (0.4 if kind != "text" else 0.12):
        x = field.x0 + rng.uniform(0, 0.3) * field.width
        baseline = field.y0 + field.height * float(rng.choice([0.2, 0.9, 0.97]))
        words = wording.printed(rng, int(rng.integers(1, 4)))
        field.text(words, x, baseline, rng.uniform(1.4, 2.6) * field.scale * 0.8)
    if kind == "text" and rng.random() < 0.3:
        field.comb(int(size[0] / rng.uniform(4, 6)))
    if state in ("signature", "initials", "struck"):
        _sign(field, state)
    elif state == "stamp":
        _stamp(field)
    elif state in ("handwriting", "filled"):
        kinds: tuple[Source, ...] = ("hand", "hershey", "print")
        pen = Pen(rng, stock, "abc", kinds[int(rng.choice(3, p=(0.85, 0.075, 0.075)))])
        field.fill_line(wording.written(rng), pen)
        field.spans = []
    return field


def _sign(field: Field, state: str) -> None:
    rng = field.rng
    height, width = int(field.height * rng.uniform(1, 1.5)), int(field.width * rng.uniform(0.55, 1.1))
    mask = signature(rng, field.materials, height, width, initials=state == "initials")
    x = field.x0 + rng.uniform(-0.05, max(0.0, 1.05 - width / field.width)) * field.width
    put(field.own, mask, x, field.y0 + (field.height - height) / 2 + rng.normal(0, 0.08) * field.height)
    if state == "struck":
        spoil.strike(field)
        spoil.strike(field)
    if state == "signature" and rng.random() < 0.1:
        put(field.other, _impression(field, field.height, field.width) * np.float32(0.6), field.x0, field.y0)


def _stamp(field: Field) -> None:
    rng = field.rng
    height, width = int(field.height * rng.uniform(0.8, 1.15)), int(field.width * rng.uniform(0.8, 1.1))
    x = field.x0 + (field.width - width) / 2 + rng.normal(0, 0.05) * field.width
    put(field.own, _impression(field, height, width), x, field.y0 + (field.height - height) / 2)
    if rng.random() < 0.3:
        put(field.own, signature(rng, field.materials, field.height, field.width), field.x0, field.y0)


def _impression(field: Field, height: int, width: int) -> npt.NDArray[np.float32]:
    rng = field.rng
    rounded = bool(rng.random() < 0.3)
    strength = np.float32(rng.uniform(0.55, 1))
    return stamp(rng, field.materials, height, width, wording.stamped(rng), rounded=rounded) * strength


def _checkbox(rng: np.random.Generator, stock: Materials, state: str) -> Field:
    side = rng.uniform(3, 5.5)
    field = Field(rng, side, side * rng.uniform(0.85, 1.15), stock)
    if rng.random() < 0.9:
        field.frame(field.scale * rng.uniform(0.1, 0.35))
    else:
        field.lines(((field.x0, field.y1), (field.x1, field.y1)), thick=2)
    if rng.random() < 0.3:
        field.text(wording.printed(rng, 1), field.x1 + int(0.8 * field.scale), field.y1, 2 * field.scale)
    if state == "ticked":
        _tick(field)
    return field


def _tick(field: Field) -> None:
    """A tick, a cross, or a scribble."""
    rng, canvas = field.rng, np.zeros(field.shape, np.uint8)
    thick, kind = field.scale * rng.uniform(0.25, 0.6), rng.random()

    def at(across: float, down: float) -> Point:
        jitter = rng.normal(0, 0.06, 2)
        return field.x0 + (across + jitter[0]) * field.width, field.y0 + (down + jitter[1]) * field.height

    if kind < 0.6:
        stroke(canvas, [at(0.1, 0.5), at(0.4, 0.9), at(rng.uniform(0.8, 1.3), rng.uniform(-0.3, 0.2))], thick)
    elif kind < 0.9:
        stroke(canvas, [at(0.1, 0.1), at(0.5, 0.5), at(0.9, 0.9)], thick)
        stroke(canvas, [at(0.9, 0.1), at(0.5, 0.5), at(0.1, 0.9)], thick)
    else:
        stroke(canvas, [at(rng.random(), rng.random()) for _ in range(12)], thick)
    field.ink(canvas)
