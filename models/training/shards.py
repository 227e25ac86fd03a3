"""Evidence drawn ahead of training, in shards on disk: `python -m models.training.shards FOLDER --count N`.

Drawing costs about a third of a step, and takes other cores than the model's. Shard `n` holds the evidences of seeds
`n · SIZE` to `(n + 1) · SIZE`, so that it is the same whoever draws it, and one that is there is not drawn again.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import structlog

from models.nanovlm.tokens import ID, PAD
from models.synthesis.evidence import Drawn, make

log = structlog.get_logger(__name__)

#: Evidences a shard.
SIZE = 1024

#: One string on a line in so many is learned from its whole field, which is what an unsure model looks at next.
WHOLE = 4

#: The label of a column of which nobody knows what stands there.
UNKNOWN = 255

#: Tokens of the longest sequence: question, answer, end.
LENGTH = 26


@dataclass(frozen=True, eq=False)
class Shard:
    """`images` n × 48 × 384 grey, `tokens` n × LENGTH (question, answer, end, padding), `columns` n × 48 labels."""

    images: npt.NDArray[np.uint8]
    tokens: npt.NDArray[np.uint8]
    columns: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.images)


def packed(drawn: Sequence[Drawn]) -> Shard:
    """Raises ValueError for an answer longer than a sequence may be."""
    tokens = np.full((len(drawn), LENGTH), ID[PAD], np.uint8)
    for row, one in enumerate(drawn):
        sequence = one.sequence()
        if len(sequence) > LENGTH:
            raise ValueError(
                f"an answer of {len(sequence) - 2} tokens is longer than the {LENGTH - 2} there is room for"
            )
        tokens[row, : len(sequence)] = sequence
    return Shard(np.stack([one.image for one in drawn]), tokens, np.stack([one.labels for one in drawn]))


def place(folder: Path, number: int, prefix: str = "") -> Path:
    return folder / f"{prefix}{number:06d}.npz"


def draw(folder: Path, number: int, split: str = "train", size: int = SIZE) -> Path:
    """Draws a shard unless it is there."""
    path = place(folder, number)
    if path.exists():
        return path
    save(path, packed([make(seed, split, near=seed % WHOLE > 0) for seed in range(number * size, (number + 1) * size)]))
    return path


def save(path: Path, shard: Shard) -> None:
    """Half a shard is never seen under its name."""
    partial = path.with_suffix(f".{os.getpid()}.part")
    with partial.open("wb") as file:
        np.savez(file, images=shard.images, tokens=shard.tokens, columns=shard.columns)
    partial.replace(path)


def load(path: Path) -> Shard:
    with np.load(path) as data:
        return Shard(data["images"], data["tokens"], data["columns"])


def waited_for(folder: Path, number: int, prefix: str = "", seconds: float = 1800.0) -> Shard:
    """A shard once it is drawn. Raises TimeoutError with a sentence where nobody draws it."""
    path, since, said = place(folder, number, prefix), time.monotonic(), False
    while not path.exists():
        if time.monotonic() - since > seconds:
            module = "models.training.forms" if prefix else "models.training.shards"
            raise TimeoutError(f"{path} was not drawn within {seconds:.0f} seconds: run {module}")
        if not said:
            log.info("training.waits_for_drawing", shard=number)
            said = True
        time.sleep(0.5)
    return load(path)


def draw_all(folder: Path, count: int, processes: int = 1, first: int = 0) -> None:
    """Draws shards `first` to `count` in order, several at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [(folder, number) for number in range(first, count) if not place(folder, number).exists()]
    with get_context("spawn").Pool(processes, initializer=alone) as pool:
        for done, _ in enumerate(pool.imap(_draw, missing), start=1):
            if done % 10 == 0:
                log.info("drawing", shards=done, of=len(missing))


def _draw(which: tuple[Path, int]) -> Path:
    return draw(*which)


def alone() -> None:
    """Each process draws on one core."""
    cv2.setNumThreads(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, required=True, help="number behind the last shard of 1,024 evidences")
    parser.add_argument("--first", type=int, default=0, help="number of the first shard")
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    given = parser.parse_args()
    draw_all(given.folder, given.count, given.processes, given.first)


if __name__ == "__main__":
    main()
