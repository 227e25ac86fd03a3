"""Trains the reader of columns: `python -m models.training.columns FOLDER --out FILE` learns from the evidence of the
model's own trainings (`models.training.shards`, `models.training.forms`), also while it is still being drawn.

Strings alone are learned from, and fields that hold none. The loss is that of connectionist temporal classification
and, where it is known, of which character stands at each column, without which it begins to read much later (decision
9).
What is shown is bent and leaned as another hand might have written it.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import cv2
import numpy as np
import numpy.typing as npt
import structlog
import torch
from torch import Tensor
from torch.nn import functional

from models.answers import EMPTY
from models.columns import ACROSS, CLASSES, NUMBER, ColumnNet
from models.halves import save, weights
from models.nanovlm.processor import PAPER_PERCENTILE, tensor
from models.nanovlm.tokens import CHARACTERS, EOS, ID, PAD, VOCABULARY
from models.training.learner import Learner
from models.training.shards import load
from pipeline.reading import STRINGS, Pixels

log = structlog.get_logger(__name__)

BATCH, RATE, STEPS = 48, 2e-3, 20_000

#: Shards whose evidences are mixed, how often an empty field is shown, and batches made ahead.
MIXED, BARE, AHEAD = 4, 0.3, 12

#: What is shown is widened and made higher by these shares at least and at most, leaned (a share of its height) and
#: turned (radians) by about as much, and moved by so many pixels at most, across and down.
WIDTHS, HEIGHTS, LEANED, TURNED, MOVED = (0.85, 1.12), (0.85, 1.12), 0.12, 0.01, (5.0, 2.5)

#: How often it is bent, by about so many pixels at most between so many knots (down, across).
BENDING, BENT, KNOTS = 0.7, 1.6, (4, 24)

#: How often strokes are made wider, narrower, or blurred; the change of contrast and of brightness, and how often there
#: is noise, of how many grey levels at most.
WIDER, NARROWER, BLURRED, CONTRASTS, BRIGHTNESS, NOISY, NOISE = 0.1, 0.1, 0.1, (0.75, 1.2), 15.0, 0.3, 7.0

#: Labels of columns that are not known.
UNKNOWN = -100


@dataclass(frozen=True, eq=False)
class Example:
    """An image (48 × 384), what stands there, and which class stands at each of 48 stretches of it."""

    image: Pixels
    text: str
    labels: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Batch:
    """`images` batch × 1 × 48 × 384, `text` the classes of all letters in a row, `lengths` how many are each one's,
    `labels` batch × columns."""

    images: Tensor
    text: Tensor
    lengths: Tensor
    labels: Tensor


def examples(path: Path, rng: np.random.Generator) -> Iterator[Example]:
    """The strings of a shard, and some of its empty fields."""
    asked = {ID[f"<q:{kind}>"] for kind in STRINGS}
    shard = load(path)
    for image, tokens, labels in zip(shard.images, shard.tokens, shard.columns, strict=True):
        said = [VOCABULARY[token] for token in tokens[1:] if token not in (ID[PAD], ID[EOS])]
        empty = said == [EMPTY]
        if tokens[0] in asked and (rng.random() < BARE if empty else set(said) <= set(CHARACTERS)):
            yield Example(image, "" if empty else "".join(said), labels)


def varied(one: Example, rng: np.random.Generator) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """The image as another hand might have written it, and what stands at each of its columns."""
    height, width = one.image.shape
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    wide, high = rng.uniform(*WIDTHS), rng.uniform(*HEIGHTS)
    right, lower = rng.uniform(-MOVED[0], MOVED[0]), rng.uniform(-MOVED[1], MOVED[1])
    below = down - height / 2
    to_x = across / wide + right + rng.normal(0, LEANED) * below
    to_y = below / high + height / 2 + lower + rng.normal(0, TURNED) * (across - width / 2)
    if rng.random() < BENDING:
        waves = rng.normal(0, BENT * rng.random(), (2, *KNOTS)).astype(np.float32)
        to_x += cv2.resize(waves[0], (width, height), interpolation=cv2.INTER_CUBIC)
        to_y += cv2.resize(waves[1], (width, height), interpolation=cv2.INTER_CUBIC)
    paper = float(np.percentile(one.image, PAPER_PERCENTILE))
    moved = cv2.remap(one.image, to_x.astype(np.float32), to_y.astype(np.float32), cv2.INTER_LINEAR, borderValue=paper)
    centres = (np.arange(width // ACROSS) + 0.5) * ACROSS / wide + right
    stretch = width / len(one.labels)
    labels = one.labels[np.clip(centres / stretch, 0, len(one.labels) - 1).astype(int)].astype(np.int64)
    return _shaded(np.asarray(moved, np.uint8), rng), np.where(labels < len(CLASSES), labels, UNKNOWN)


def _shaded(image: Pixels, rng: np.random.Generator) -> Pixels:
    """The same with another pen, in another light."""
    chance = rng.random()
    if chance < WIDER:
        image = np.asarray(cv2.erode(image, np.ones((2, 2), np.uint8)), np.uint8)
    elif chance < WIDER + NARROWER:
        image = np.asarray(cv2.dilate(image, np.ones((2, 2), np.uint8)), np.uint8)
    elif chance < WIDER + NARROWER + BLURRED:
        image = np.asarray(cv2.GaussianBlur(image, (3, 3), rng.uniform(0.3, 1.2)), np.uint8)
    light = (image.astype(np.float32) - 128) * rng.uniform(*CONTRASTS) + 128 + rng.uniform(-BRIGHTNESS, BRIGHTNESS)
    if rng.random() < NOISY:
        light += rng.standard_normal(light.shape, np.float32) * np.float32(rng.uniform(0, NOISE))
    return np.asarray(np.clip(light, 0, 255), np.uint8)


def batches(folder: Path, rng: np.random.Generator) -> Iterator[Batch]:
    """What is drawn so far, mixed and varied, without end. Raises FileNotFoundError with a sentence without any."""
    while True:
        shards = sorted(folder.glob("*.npz"))
        if not shards:
            raise FileNotFoundError(f"{folder} holds no shards to learn from; draw some first")
        chosen = rng.choice(len(shards), min(MIXED, len(shards)), replace=False)
        some = [one for place in chosen for one in examples(shards[int(place)], rng)]
        order = rng.permutation(len(some))
        for first in range(0, len(order), BATCH):
            yield batch([some[place] for place in order[first : first + BATCH]], rng)


def batch(some: list[Example], rng: np.random.Generator) -> Batch:
    """Those examples, varied."""
    images, labels = zip(*(varied(one, rng) for one in some), strict=True)
    text = [NUMBER[letter] for one in some for letter in one.text]
    lengths = torch.tensor([len(one.text) for one in some])
    return Batch(tensor(images), torch.tensor(text, dtype=torch.long), lengths, torch.from_numpy(np.stack(labels)))


def loss_of(net: torch.nn.Module, one: Batch) -> Tensor:
    """The loss a character of the strings, and that of the labels that are known."""
    images = one.images.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        said, stands = net(images)
    chances = said.float().log_softmax(-1).transpose(0, 1)
    columns = torch.full_like(one.lengths, len(chances))
    each = functional.ctc_loss(chances, one.text, columns, one.lengths, reduction="none", zero_infinity=True)
    loss = (each / one.lengths.clamp(min=1)).mean()
    # Whole forms tell no labels.
    if bool((one.labels != UNKNOWN).any()):
        loss = loss + functional.cross_entropy(stands.float().flatten(0, 1), one.labels.flatten(), ignore_index=UNKNOWN)
    return loss


def train(folder: Path, out: Path, steps: int, rate: float = RATE, start: Path | None = None) -> None:
    """Learns for so many steps, from the weights of `start` on where there are some; weights are written every thousand
    steps, by a running mean. Raises FileNotFoundError with a sentence where nothing was drawn yet."""
    if not any(folder.glob("*.npz")):
        raise FileNotFoundError(f"{folder} holds no shards to learn from; draw some first")
    torch.manual_seed(0)
    net = ColumnNet()
    if start is not None:
        net.load_state_dict(weights(start))
    learner = Learner(net, rate, decay=0.03, kept=0.999)
    made: Queue[Batch] = Queue(AHEAD)
    done = threading.Event()

    def make() -> None:
        """Varies pictures beside the steps; numpy and OpenCV let other threads on."""
        for one in batches(folder, np.random.default_rng(1 if start is None else 2)):
            made.put(one)
            if done.is_set():
                return

    maker = threading.Thread(target=make, name="batches", daemon=True)
    maker.start()
    while learner.steps < steps:
        learner.learn(loss_of(learner.net, made.get()), learner.steps / steps)
        if learner.steps % 100 == 0:
            log.info("columns.training", step=learner.steps, of=steps, loss=round(learner.loss, 4))
        if learner.steps % 1000 == 0:
            save(learner.mean, out)
    save(learner.mean, out)
    done.set()
    while maker.is_alive():
        # It may be waiting for room.
        if not made.empty():
            made.get()
        maker.join(0.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of shards of evidence")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--out", type=Path, default=Path("runs/columns.safetensors"))
    given = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(given.threads)
    try:
        train(given.folder, given.out, given.steps, given.rate, given.start)
    except FileNotFoundError as wrong:
        sys.exit(f"{wrong}.")


if __name__ == "__main__":
    main()
