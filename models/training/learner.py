"""A small network while it learns: the steps that every training of one takes alike."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

#: Steps in which the rate rises, the share of it that is left at the end, and how long a gradient may be.
WARM_UP, LEAST_RATE, LONGEST = 100, 0.02, 2.0

#: How much of the loss that is told comes from before the last step.
TOLD = 0.98


class Learner:
    """AdamW whose rate falls by a cosine. `mean` is the running mean of the weights, which is steadier than the last
    step's (Polyak and Juditsky, 1992); `kept` of it stays at each step, less at first. `loss` is a running mean too."""

    def __init__(self, net: nn.Module, rate: float, *, decay: float, kept: float) -> None:
        self.net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.mean: nn.Module = copy.deepcopy(self.net)
        self.steps, self.loss = 0, 0.0
        self._rate, self._kept = rate, kept
        self._optimiser = torch.optim.AdamW(self.net.parameters(), lr=rate, weight_decay=decay)

    def learn(self, loss: Any, done: float) -> None:
        """One step down a loss; `done` is the share of the training that lies behind."""
        descent = LEAST_RATE + (1 - LEAST_RATE) * (1 + math.cos(math.pi * done)) / 2
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate * min(1.0, (self.steps + 1) / WARM_UP) * descent
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), LONGEST)
        self._optimiser.step()
        self._follow(min(self._kept, self.steps / (self.steps + 20)))
        now = float(loss.detach())
        self.loss = now if self.steps == 0 else TOLD * self.loss + (1 - TOLD) * now
        self.steps += 1

    @torch.no_grad()
    def _follow(self, kept: float) -> None:
        """Moves the running mean a little towards the weights of now."""
        weights: list[tuple[Tensor, Tensor]] = list(
            zip(self.mean.state_dict().values(), self.net.state_dict().values(), strict=True)
        )
        for usual, now in weights:
            if usual.is_floating_point():
                usual.lerp_(now, 1 - kept)
            else:
                usual.copy_(now)
