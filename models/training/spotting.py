"""Trains the detector of signatures: `python -m models.training.spotting draw FOLDER` draws tiles of synthesised pages,
`python -m models.training.spotting train FOLDER --out FILE` learns from them, also while they are still being drawn.

Everything is of the training split. A page gives a handful of tiles, most of them where ink of a hand stands.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import structlog
import torch
from torch import nn

from models.halves import save
from models.spotting import SpottingNet, grown, restored
from models.synthesis.faces import Materials, materials
from models.synthesis.leaf import DPI, KINDS, PRINT, SIGNATURE, Spread
from models.synthesis.letters import spread
from models.training.learner import Learner
from pipeline.patches import PATCH, ink_of
from pipeline.reading import Pixels

log = structlog.get_logger(__name__)

#: The side of a tile (pixels at work resolution: 65 mm), tiles of a page and pages of a shard.
SIDE, TILES, PAGES = 256, 7, 60

#: A patch is of a kind from this share of ink on.
LEAST_INK = 0.03

#: Ink (0 to 255) fainter than this can't be told from paper.
SEEN = 50

#: How much each kind counts, since most of a page is bare.
WEIGHTS = (0.5, 1.0, 1.5, 2.0)

#: How far the resolution of a page may be wrong: files without one are taken to be A4.
WRONG_DPI = (0.85, 1.2)

BATCH, RATE = 24, 3e-3


def labels(layers: dict[int, Pixels], ink: Pixels) -> Pixels:
    """What each patch of a page is: a hand before print, a signature before both; nothing where no ink can be seen.
    Ink that nobody laid is a machine's as print is: dirt, holes and the lid of a scanner."""
    rows, columns = -(-ink.shape[0] // PATCH), -(-ink.shape[1] // PATCH)
    kinds = np.zeros((rows, columns), np.uint8)
    seen = cv2.dilate((ink > SEEN).astype(np.uint8) * 255, np.ones((3, 3), np.uint8))
    seen = cv2.resize(seen, (columns, rows), interpolation=cv2.INTER_AREA) > 255 * LEAST_INK
    for kind in range(1, len(KINDS)):
        # A patch at the lower or right edge may lie half beyond it; what is there moves by less than a pixel.
        amount = cv2.resize(layers[kind], (columns, rows), interpolation=cv2.INTER_AREA)
        there = ((amount > 255 * LEAST_INK) & seen).astype(np.uint8)
        if kind == SIGNATURE:
            there = cv2.morphologyEx(there, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        kinds[there > 0] = kind
    return with_dirt(kinds, seen)


def with_dirt(kinds: Pixels, seen: Pixels) -> Pixels:
    """The kinds of patches with print where ink is seen that is none: `Spotter` is asked what ink is, not whether it is
    any. The fringe of what a hand wrote is left out."""
    hands = cv2.dilate((kinds > PRINT).astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.where((kinds == 0) & (seen > 0) & (hands == 0), np.uint8(PRINT), kinds)


def tiles(rng: np.random.Generator, page: Spread) -> tuple[list[Pixels], list[Pixels]]:
    """Pictures and labels of some places of a page."""
    ink = ink_of(page.image, DPI * rng.uniform(*WRONG_DPI))
    kinds = labels(page.layers, ink)
    side = SIDE // PATCH
    ink = np.pad(
        ink, ((0, max(0, kinds.shape[0] * PATCH - ink.shape[0])), (0, max(0, kinds.shape[1] * PATCH - ink.shape[1])))
    )
    chances = np.array([0.02, 1.0, 3.0, 6.0])[kinds].ravel()
    pictures, answers = [], []
    for place in rng.choice(kinds.size, TILES, replace=False, p=chances / chances.sum()):
        row, column = (int(each) for each in np.unravel_index(place, kinds.shape))
        top = int(np.clip(row - rng.integers(2, side - 2), 0, max(0, kinds.shape[0] - side)))
        left = int(np.clip(column - rng.integers(2, side - 2), 0, max(0, kinds.shape[1] - side)))
        answer = kinds[top : top + side, left : left + side]
        picture = ink[top * PATCH :, left * PATCH :][:SIDE, :SIDE]
        if picture.shape == (SIDE, SIDE) and answer.shape == (side, side):
            pictures.append(picture)
            answers.append(answer)
    return pictures, answers


def draw(folder: Path, number: int, given: Materials) -> None:
    """Draws shard `number` unless it is there."""
    path = folder / f"{number:05d}.npz"
    if path.exists():
        return
    rng = np.random.default_rng([4, number])
    pictures: list[Pixels] = []
    answers: list[Pixels] = []
    for _ in range(PAGES):
        some, their = tiles(rng, spread(rng, given))
        pictures += some
        answers += their
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez(file, pictures=np.stack(pictures), answers=np.stack(answers))
    partial.replace(path)


def train(folder: Path, out: Path, minutes: float, *, start: Path | None = None, rate: float = RATE) -> None:
    """Learns for so many minutes; weights are written every two, by a running mean."""
    torch.manual_seed(0)
    net = SpottingNet() if start is None else grown(restored(start))
    learner = Learner(net, rate, decay=0.02, kept=0.995)
    loss_of = nn.CrossEntropyLoss(weight=torch.tensor(WEIGHTS))
    seen: set[Path] = set()
    rng, began, saved = np.random.default_rng(1), time.monotonic(), time.monotonic()
    while (spent := (time.monotonic() - began) / 60 / minutes) < 1:
        shards = sorted(folder.glob("*.npz"))
        # All are seen once before one is seen again, also of those that are still being drawn.
        unseen = [one for one in shards if one not in seen]
        if not unseen:
            seen, unseen = set(), shards
        shard = unseen[int(rng.integers(len(unseen)))]
        seen.add(shard)
        with np.load(shard) as data:
            pictures, answers = data["pictures"], data["answers"]
        order = rng.permutation(len(pictures))
        for first in range(0, len(order) - BATCH + 1, BATCH):
            spent = (time.monotonic() - began) / 60 / minutes
            if spent >= 1:
                break
            chosen = order[first : first + BATCH]
            given = torch.from_numpy(_varied(rng, pictures[chosen]))[:, None].to(memory_format=torch.channels_last)
            learner.learn(loss_of(learner.net(given), torch.from_numpy(answers[chosen]).long()), spent)
            if learner.steps % 50 == 0:
                loss, done = round(learner.loss, 4), round(spent, 3)
                log.info("spotting.training", step=learner.steps, loss=loss, done=done, shards=len(shards))
        if time.monotonic() - saved > 120:
            saved = time.monotonic()
            save(learner.mean, out)
    save(learner.mean, out)


def _varied(rng: np.random.Generator, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The same tiles fainter or darker, and some as pens and copies differ: bolder, finer, blurred, or in black and
    white alone."""
    given = np.stack([_copied(rng, one) for one in pictures]).astype(np.float32) / 255
    strength = rng.uniform(0.6, 1.25, (len(given), 1, 1)).astype(np.float32)
    given = np.clip(given ** rng.uniform(0.7, 1.4) * strength, 0, 1)
    return np.asarray(given, np.float32)


def _copied(rng: np.random.Generator, ink: Pixels) -> Pixels:
    how = int(rng.choice(5, p=(0.5, 0.15, 0.1, 0.15, 0.1)))
    if how in (1, 2):
        grow = cv2.dilate if how == 1 else cv2.erode
        return np.asarray(grow(ink, np.ones((2, 2), np.uint8)), np.uint8)
    if how == 3:
        return np.asarray(cv2.GaussianBlur(ink, (0, 0), float(rng.uniform(0.4, 1.0))), np.uint8)
    if how == 4:
        return np.where(ink > rng.uniform(60, 160), np.uint8(255), np.uint8(0))
    return ink


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("draw", "train"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=150, help="shards that are drawn, of some 400 tiles each")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--out", type=Path, default=Path("runs/spotting.safetensors"))
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--rate", type=float, default=RATE, help="the highest, lower to go on from good weights")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.task == "draw":
        ink = materials("train")
        for number in range(given.first, given.count):
            draw(given.folder, number, ink)
            log.info("spotting.drawn", shard=number, of=given.count)
    else:
        train(given.folder, given.out, given.minutes, start=given.start, rate=given.rate)


if __name__ == "__main__":
    main()
