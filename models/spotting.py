"""The detector of signatures on pages of free layout: a small fully convolutional network at 100 dots an inch.

It sees a page's ink and answers for each patch of 8 × 8 pixels: nothing, print, handwriting or signature. Blocks at a
sixteenth of the resolution look far around, since what stands about a mark tells as much as the mark.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from models.checkpoint import bundled
from models.halves import weights
from pipeline.marks import FEATURES, Scales
from pipeline.patches import PATCH, Chances
from pipeline.reading import Pixels

#: The weights that ship, and how marks are weighed.
WEIGHTS, SCALES = "spotting.safetensors", "spotting.json"

#: Channels at half, a quarter, an eighth and a sixteenth of the resolution.
CHANNELS = (16, 24, 64, 96)

#: How far apart the taps of the blocks at a sixteenth are: they reach 44 patches (9 cm) around. Weights that were
#: learned with fewer blocks have the first of these.
DILATIONS = (1, 2, 4, 2, 1, 2, 4, 2, 1)


def _layer(source: int, target: int, size: int = 3, stride: int = 1, dilation: int = 1, groups: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(source, target, size, stride, dilation * (size // 2), dilation, groups, bias=False),
        nn.BatchNorm2d(target),
        nn.ReLU(),
    )


class Block(nn.Module):
    """A residual block: each channel looks around for itself, then they mix."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.around = _layer(channels, channels, 5 if dilation == 1 else 3, 1, dilation, channels)
        self.mix = nn.Sequential(_layer(channels, 2 * channels, 1), nn.Conv2d(2 * channels, channels, 1))

    def forward(self, seen: Tensor) -> Tensor:
        mixed: Tensor = seen + self.mix(self.around(seen))
        return mixed


class SpottingNet(nn.Module):
    """Ink (batch × 1 × height × width, 0 to 1, both multiples of 16) → logits (batch × 4 × height/8 × width/8)."""

    def __init__(self, blocks: int = len(DILATIONS)) -> None:
        super().__init__()
        half, quarter, eighth, sixteenth = CHANNELS
        self.stem = nn.Sequential(_layer(1, half, 5, 2), _layer(half, quarter, 3, 2), _layer(quarter, quarter))
        self.fine = nn.Sequential(_layer(quarter, eighth, 3, 2), Block(eighth), Block(eighth))
        self.wide = nn.Sequential(
            _layer(eighth, sixteenth, 3, 2), *(Block(sixteenth, each) for each in DILATIONS[:blocks])
        )
        self.back = nn.Conv2d(sixteenth, eighth, 1)
        self.head = nn.Sequential(_layer(eighth, eighth), nn.Conv2d(eighth, 4, 1))

    def forward(self, ink: Tensor) -> Tensor:
        fine = self.fine(self.stem(ink))
        wide = nn.functional.interpolate(self.back(self.wide(fine)), scale_factor=2.0, mode="bilinear")
        logits: Tensor = self.head(fine + wide)
        return logits


def restored(file: Path) -> SpottingNet:
    """The network whose weights a file holds, with as many blocks as it was learned with.

    Raises FileNotFoundError where there is none and RuntimeError for weights of something else.
    """
    stored = weights(file)
    blocks = {name.split(".")[1] for name in stored if name.startswith("wide.")} - {"0"}
    net = SpottingNet(len(blocks))
    net.load_state_dict(stored)
    return net


def grown(net: SpottingNet) -> SpottingNet:
    """The same function of a page with all the blocks there may be: those that are new add nothing until they learn."""
    larger = SpottingNet()
    known = net.state_dict()
    larger.load_state_dict(known, strict=False)
    with torch.no_grad():
        for block in list(larger.wide)[len(net.wide) :]:
            last = cast(Block, block).mix[1]
            for each in last.parameters():
                each.zero_()
    return larger


class Spotter:
    """The network as a detector; `scales` say how the marks it finds are weighed."""

    def __init__(self, net: SpottingNet, scales: Scales | None = None) -> None:
        self.scales = scales or Scales()
        self._net = net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def from_folder(cls, folder: Path | None = None) -> Self:
        """The detector in a folder, the one that ships if none is given.

        Raises FileNotFoundError or RuntimeError where there is none.
        """
        chosen = folder or bundled()
        net = restored(chosen / WEIGHTS)
        return cls(net, _scales(chosen / SCALES))

    @classmethod
    def random(cls, seed: int = 0) -> Self:
        """The same network with random weights, which knows nothing."""
        torch.manual_seed(seed)
        return cls(SpottingNet())

    @torch.inference_mode()
    def patches(self, ink: Pixels) -> Chances:
        """The chances of each kind (patches down × across × 4) of a page's ink."""
        height, width = ink.shape
        padded = np.pad(ink, ((0, -height % 16), (0, -width % 16)))
        given = torch.from_numpy(padded)[None, None].float() / 255
        chances = self._net(given.to(memory_format=torch.channels_last)).softmax(1)[0]
        rows, columns = -(-height // PATCH), -(-width // PATCH)
        found: Chances = chances[:, :rows, :columns].permute(1, 2, 0).contiguous().numpy()
        return found


def _scales(file: Path) -> Scales | None:
    """How marks are weighed, None without a file: what it was not fitted to counts nothing."""
    if not file.exists():
        return None
    told = json.loads(file.read_text(encoding="utf-8"))
    known = dict(zip(told["features"], told["scales"]["weights"], strict=True))
    return Scales(tuple(known.get(name, 0.0) for name in FEATURES), told["scales"]["bias"])
