"""Trains the reader of comb boxes: `python -m models.training.cells draw FOLDER` draws boxes of single fields and of
whole forms, `python -m models.training.cells train FOLDER --out FILE` learns from them, also while they are still being
drawn, and `python -m models.training.cells mean FILE FILE --out FILE` takes the mean of two trainings of which one went
on from the other.

Everything is of the training split. How often a letter is written is taken out of what the network learns (logit
adjustment; Menon et al., "Long-tail learning via logit adjustment", ICLR 2021): what is usual the model knows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import structlog
import torch
from torch import nn

from models.cells import CLASSES, EMPTY, CellNet, windows
from models.halves import save, weights
from models.nanovlm.processor import unfilled
from models.synthesis import degrade, spoil, wording
from models.synthesis.faces import Materials, materials
from models.synthesis.fields import Field
from models.synthesis.pen import Pen
from models.training.forms import evidence_of
from models.training.learner import Learner
from pipeline.reading import Pixels, Row

log = structlog.get_logger(__name__)

#: Fields of a shard, of every how many shards one is of forms, and how many forms that has.
FIELDS, EVERY, FORMS = 1500, 3, 60

#: Forms for this have numbers from here on.
FIRST_FORM = 3_000_000

#: What fields hold, and how often: any letters, so that all of them are learned.
TEXTS = {"any": 0.4, "identifier": 0.37, "date": 0.18, "empty": 0.05}

#: How often boxes are left over, and each field is cut.
SHORT, CUTS = 0.15, 2

#: How far a cut misses the boxes (widths of a box), and by how much it is too wide or too narrow.
MISSED, STRETCHED = 0.08, 0.05

BATCH, RATE = 256, 2e-3

#: While learning a picture is moved by so many pixels at most, turned (radians) and leaned by about as much, widened or
#: narrowed by this share at most, and bent by about so many pixels at most between so many knots.
MOVED, TURNED, LEANED, WIDENED, BENT, KNOTS = 2.0, 0.07, 0.12, 0.12, 2.2, (4, 4)

NUMBER = {name: number for number, name in enumerate(CLASSES)}

Shown: TypeAlias = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
"""Pictures of boxes and their classes."""


def field(rng: np.random.Generator, stock: Materials) -> tuple[Pixels, Row, str] | None:
    """A field in boxes as the pipeline cuts it, where its boxes are, and what stands there; None where that can't be
    seen."""
    text, cells, marks = _text(rng)
    one = Field(rng, cells * rng.uniform(3.8, 6.6), rng.uniform(4.8, 8.5), stock)
    one.surroundings()
    pen = Pen(rng, stock, text or "0")
    one.comb(cells, marks)
    one.fill_comb(text, cells, pen)
    spoil.dirty(one)
    cut = degrade.cut(one)
    if cut is None or cut.row is None:
        return None
    return unfilled(cut.image, *cut.used), cut.row, text


def _text(rng: np.random.Generator) -> tuple[str, int, str | None]:
    """What is written, in how many boxes, and the layout that is printed there."""
    kind = str(rng.choice(list(TEXTS), p=list(TEXTS.values())))
    if kind == "date":
        cells = 8 if rng.random() < 0.85 else 6
        return wording.date(rng, cells), cells, {8: "DDMMYYYY", 6: "DDMMYY"}[cells]
    if kind == "identifier":
        text = wording.identifier(rng)
    else:
        text = "".join(CLASSES[int(rng.integers(1, len(CLASSES)))] for _ in range(int(rng.integers(4, 17))))
    cells = len(text) + (int(rng.integers(1, 4)) if rng.random() < SHORT else 0)
    marks = "DDMMYYYY" if cells == 8 and rng.random() < 0.1 else None
    return "" if kind == "empty" else text, cells, marks


def shown(rng: np.random.Generator, image: Pixels, row: Row, text: str) -> Shown:
    """The boxes of a field, cut a few times."""
    classes = np.array([NUMBER[one] for one in text] + [NUMBER[EMPTY]] * (row.cells - len(text)), np.uint8)
    cuts = [windows(image, row, rng.normal(0, MISSED), 1 + rng.uniform(-STRETCHED, STRETCHED)) for _ in range(CUTS)]
    return np.concatenate(cuts), np.tile(classes, CUTS)


def of_fields(number: int, stock: Materials) -> Iterator[Shown]:
    """The boxes of single fields."""
    for place in range(FIELDS):
        rng = np.random.default_rng([5, number, place])
        if (drawn := field(rng, stock)) is not None:
            yield shown(rng, *drawn)


def of_forms(number: int) -> Iterator[Shown]:
    """The boxes on whole forms."""
    rng = np.random.default_rng([6, number])
    for one in evidence_of("train", FORMS, FIRST_FORM + number * FORMS):
        text = "" if one.answer == ("<empty>",) else "".join(one.answer).strip()
        empty = not text and rng.random() > 0.1
        if one.row is not None and not empty and len(text) <= one.row.cells and set(text) <= set(CLASSES):
            yield shown(rng, one.cut, one.row, text)


def draw(folder: Path, number: int, stock: Materials) -> None:
    """Draws shard `number` unless it is there."""
    path = folder / f"{number:05d}.npz"
    if path.exists():
        return
    every = of_forms(number) if number % EVERY == EVERY - 1 else of_fields(number, stock)
    pictures, classes = zip(*every, strict=True)
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez(file, pictures=np.concatenate(pictures), classes=np.concatenate(classes))
    partial.replace(path)


def train(folder: Path, out: Path, steps: int, rate: float = RATE, start: Path | None = None) -> None:
    """Learns for so many steps, from the weights of `start` on where there are some; weights are written every thousand
    steps, by a running mean. Raises FileNotFoundError with a sentence where nothing was drawn yet."""
    if not any(folder.glob("*.npz")):
        raise FileNotFoundError(f"{folder} holds no shards to learn from; draw some first")
    torch.manual_seed(0)
    net = CellNet()
    if start is not None:
        net.load_state_dict(weights(start))
    learner = Learner(net, rate, decay=0.05, kept=0.998)
    rng = np.random.default_rng(1 if start is None else 2)
    seen, loss_of = np.ones(len(CLASSES)), nn.CrossEntropyLoss()
    while learner.steps < steps:
        shards = sorted(folder.glob("*.npz"))
        with np.load(shards[int(rng.integers(len(shards)))]) as data:
            pictures, classes = data["pictures"], data["classes"]
        seen += np.bincount(classes, minlength=len(CLASSES))
        usually = torch.from_numpy(np.log(seen / seen.sum())).float()
        order = rng.permutation(len(pictures))
        for first in range(0, max(1, len(order) - BATCH + 1), BATCH):
            if learner.steps >= steps:
                break
            chosen = order[first : first + BATCH]
            given = torch.from_numpy(_varied(rng, pictures[chosen]))[:, None].to(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                logits = learner.net(given)
            target = torch.from_numpy(classes[chosen]).long()
            learner.learn(loss_of(logits.float() + usually, target), learner.steps / steps)
            if learner.steps % 100 == 0:
                log.info(
                    "cells.training", step=learner.steps, of=steps, loss=round(learner.loss, 4), shards=len(shards)
                )
            if learner.steps % 1000 == 0:
                save(learner.mean, out)
    save(learner.mean, out)


def mean_of(files: Sequence[Path], out: Path) -> None:
    """Writes the mean of weights that lie near each other (Izmailov et al., UAI 2018)."""
    every = [weights(file) for file in files]
    net = CellNet()
    net.load_state_dict({name: torch.stack([one[name].float() for one in every]).mean(0) for name in every[0]})
    save(net, out)


def _varied(rng: np.random.Generator, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The same pictures moved, turned and bent a little, fainter or darker."""
    moved = np.stack([_bent(rng, one) for one in pictures])
    power = rng.uniform(0.7, 1.4, (len(pictures), 1, 1)).astype(np.float32)
    strength = rng.uniform(0.7, 1.15, (len(pictures), 1, 1)).astype(np.float32)
    return np.asarray(np.clip((moved.astype(np.float32) / 255) ** power * strength, 0, 1), np.float32)


def _bent(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """As another hand might have written it (elastic distortions; Simard, Steinkraus and Platt, ICDAR 2003)."""
    side = len(picture)
    across, down = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    middle = np.float32((side - 1) / 2)
    x, y = across - middle, down - middle
    angle, lean = rng.normal(0, TURNED), rng.normal(0, LEANED)
    wide, high = rng.uniform(1 - WIDENED, 1 + WIDENED, 2)
    to_x = wide * (np.cos(angle) * x - np.sin(angle) * y + lean * y)
    to_y = high * (np.sin(angle) * x + np.cos(angle) * y)
    waves = rng.normal(0, BENT * rng.random(), (2, *KNOTS)).astype(np.float32)
    shift_x, shift_y = rng.uniform(-MOVED, MOVED, 2)
    to_x += cv2.resize(waves[0], (side, side), interpolation=cv2.INTER_CUBIC) + shift_x + middle
    to_y += cv2.resize(waves[1], (side, side), interpolation=cv2.INTER_CUBIC) + shift_y + middle
    bent = cv2.remap(picture, to_x.astype(np.float32), to_y.astype(np.float32), cv2.INTER_LINEAR, borderValue=0.0)
    return np.asarray(bent, np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("draw", "train", "mean"))
    parser.add_argument("places", type=Path, nargs="+", metavar="FOLDER", help="a folder of shards; weights for mean")
    parser.add_argument("--count", type=int, default=60, help="shards that are drawn")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--steps", type=int, default=16_000)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--out", type=Path, default=Path("runs/cells.safetensors"))
    given = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(given.threads)
    folder = given.places[0]
    match given.task:
        case "draw":
            folder.mkdir(parents=True, exist_ok=True)
            ink = materials("train")
            for number in range(given.first, given.count):
                draw(folder, number, ink)
                log.info("cells.drawn", shard=number, of=given.count)
        case "train":
            try:
                train(folder, given.out, given.steps, given.rate, given.start)
            except FileNotFoundError as wrong:
                sys.exit(f"{wrong}.")
        case _:
            mean_of(given.places, given.out)


if __name__ == "__main__":
    main()
