"""How far a training is, and that it was stopped. Nothing here imports torch.

In the folder of its states `progress.json` says how far it is, whole at any time, for whoever watches from outside.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

#: What the Trainer writes last of a state.
LAST_WRITTEN = "trainer_state.json"
FILE = "progress.json"


class Stopped(Exception):
    """Somebody stopped the training; its state after `step` of `steps` steps is saved."""

    def __init__(self, step: int, steps: int) -> None:
        super().__init__(f"the training was stopped after {step} of {steps} steps; its state is saved")
        self.step, self.steps = step, steps


@dataclass(frozen=True)
class Progress:
    """How far a training is: steps done and in all, the newest loss (learned from, and evaluated on) where there is
    one, examples a second, seconds that remain."""

    step: int
    steps: int
    loss: float | None
    evaluation: float | None
    per_second: float | None
    remaining: float | None


def noted(run: Path, tell: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Tells also the file in the folder `run`."""

    def both(now: Progress) -> None:
        partial = run / f"{FILE}.{os.getpid()}.part"
        partial.write_text(json.dumps(asdict(now)), encoding="utf-8")
        partial.replace(run / FILE)
        tell(now)

    return both


def drop_torn(run: Path) -> list[str]:
    """Removes states that were being written (or removed) when the training was killed; their names. The newest whole
    one is gone on from."""
    torn = []
    for state in sorted(run.glob("checkpoint-*")):
        try:
            whole = "global_step" in json.loads((state / LAST_WRITTEN).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            whole = False
        if not whole:
            shutil.rmtree(state)
            torn.append(state.name)
    return torn
