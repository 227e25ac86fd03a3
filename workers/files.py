"""The folder of a training on its worker's disk: data, states and results, each whole once it has its name.

What is there says what is done: a training that is taken up again goes on behind it. At the end everything goes but
the logs, for pictures in it are kept no longer than they must be.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

#: Points of a training's curve that are told, at most.
CURVE_POINTS = 400


class Files:
    """Where each thing of one training is."""

    def __init__(self, trainings: Path, number: int, created_at: datetime) -> None:
        # Another database may have had a training of this number here.
        self.folder = trainings / f"{number}-{created_at.astimezone(UTC):%Y%m%dT%H%M%S%f}"
        #: What it learns from and is compared on, and the version it goes on from.
        self.gathered = self.folder / "gathered"
        self.learned = self.gathered / "train"
        self.parent = self.gathered / "parent"
        self.states = self.folder / "states"
        self.trained = self.folder / "trained"
        #: The version that comes out.
        self.candidate = self.folder / "candidate"
        #: Each training would draw the same.
        self.evidence = trainings / "evidence"

    def side(self, name: str) -> Path:
        """The examples of a side: `train`, `golden` or `fresh`."""
        return self.gathered / name

    def judged(self, name: str) -> Path:
        """What both versions said of a side's examples."""
        return self.folder / f"{name}.jsonl"

    def log(self, program: str) -> Path:
        return self.folder / f"{program}.log"

    def progress(self) -> dict[str, Any]:
        """How far the states are, as the records tell it; nothing before the first step."""
        try:
            told: dict[str, Any] = json.loads((self.states / "progress.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return {name: told[name] for name in ("step", "steps", "loss", "evaluation", "per_second", "remaining")}

    def curve(self) -> list[dict[str, float]]:
        """Losses by step, as the newest whole state has them: `loss` of what is learned from, `evaluation` of what
        isn't."""
        for state in sorted(self.states.glob("checkpoint-*"), key=_step, reverse=True):
            try:
                history = json.loads((state / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
            except (FileNotFoundError, ValueError):
                # It is being written, or was when the training was killed.
                continue
            points = [
                {"step": one["step"], name: one[key]}
                for one in history
                for key, name in (("loss", "loss"), ("eval_loss", "evaluation"))
                if one.get(key) is not None
            ]
            return points[:: -(-len(points) // CURVE_POINTS) or 1]
        return []


def sweep(trainings: Path, unfinished: Collection[Files]) -> None:
    """Clears the folders of trainings that have ended of everything but their logs."""
    kept = {files.folder for files in unfinished}
    for folder in trainings.glob("[0-9]*-*T*"):
        gone = [path for path in folder.iterdir() if path.suffix != ".log"] if folder not in kept else []
        for path in gone:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        if gone:
            log.info("training.cleared", training=folder.name)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A folder to be filled, or the name of a file to be written, that is `path` at the end of the block; what an
    earlier attempt left is removed."""
    partial = path.with_name(f"{path.name}.part")
    for each in (partial, path):
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink(missing_ok=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    yield partial
    partial.replace(path)


def _step(state: Path) -> int:
    return int(state.name.rpartition("-")[2])
