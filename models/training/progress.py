"""How far a training is, and that it was stopped. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass


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
