"""The running mean of a network's weights, which is steadier than the last step's (Polyak and Juditsky, 1992)."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def followed(mean: nn.Module, net: nn.Module, kept: float) -> None:
    """Moves the running mean of all weights a little towards those of now."""
    for usual, now in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if usual.is_floating_point():
            usual.lerp_(now, 1 - kept)
        else:
            usual.copy_(now)
