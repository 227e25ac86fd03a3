"""Letters in comb boxes, one by one: a small convolutional network that sees a box and a little of its neighbours.

It knows nothing of what is usually written, so it errs elsewhere than the model, which reads a string as a whole
(`models.boxes` weighs the two).
"""

from __future__ import annotations

from pathlib import Path
from typing import Self, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from models.checkpoint import CELLS
from models.halves import weights
from models.nanovlm.processor import PAPER_PERCENTILE, shrunk
from pipeline.reading import Pixels, Row

#: What may stand in a box: nothing, or one of these.
EMPTY = ""
CLASSES = (EMPTY, *"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")

#: Side of what the network sees of a box (pixels), and how much of the row, in widths of a box.
SIDE, WIDE = 40, 1.6

#: Channels of its layers, each with the step it goes at.
LAYERS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1))

#: The darkest ink of a picture differs from its paper by this much (grey levels) at least, or there is none.
LEAST_DARK = 40.0

Chances: TypeAlias = npt.NDArray[np.float32]
"""Logarithms of probabilities, boxes × classes."""


class CellNet(nn.Module):
    """Ink (batch × 1 × SIDE × SIDE, 0 to 1) → logits (batch × classes)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        source, side = 1, SIDE
        for target, step in LAYERS:
            layers += [nn.Conv2d(source, target, 3, step, 1, bias=False), nn.BatchNorm2d(target), nn.ReLU()]
            source, side = target, -(-side // step)
        self.seen = nn.Sequential(*layers)
        self.named = nn.Linear(source * side * side, len(CLASSES))

    def forward(self, ink: Tensor) -> Tensor:
        logits: Tensor = self.named(self.seen(ink).flatten(1))
        return logits


class CellReader:
    """Safe to share between threads."""

    def __init__(self, net: CellNet) -> None:
        self._net = net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """The network in a checkpoint's folder. Raises FileNotFoundError where there is none, and ValueError with a
        sentence for one that is broken."""
        net = CellNet()
        try:
            net.load_state_dict(weights(folder / CELLS))
        except (SafetensorError, RuntimeError) as wrong:
            raise ValueError(
                f"{folder / CELLS} is damaged or no reader of boxes; copy it again from the checkpoint it is of"
            ) from wrong
        return cls(net)

    @classmethod
    def beside(cls, folder: Path) -> Self | None:
        """The same; None where the checkpoint has none."""
        return cls.from_folder(folder) if (folder / CELLS).is_file() else None

    @torch.inference_mode()
    def chances(self, image: Pixels, row: Row) -> Chances:
        """How likely each class is in each box of a row."""
        ink = torch.from_numpy(windows(image, row)).float().unsqueeze(1) / 255
        logits = self._net(ink.to(memory_format=torch.channels_last))
        return np.asarray(logits.log_softmax(-1).numpy(), np.float32)


def windows(image: Pixels, row: Row, shift: float = 0.0, stretch: float = 1.0) -> npt.NDArray[np.uint8]:
    """What the network sees of each box (boxes × SIDE × SIDE, ink from 0 to 255), `shift` (widths of a box) to the
    right of where it should be and `stretch` times as wide."""
    small = shrunk(image)
    height, width = small.shape
    paper, dark = np.percentile(small, (PAPER_PERCENTILE, 1))
    ink = (paper - small.astype(np.float32)) * np.float32(255 / max(float(paper - dark), LEAST_DARK))
    ink = np.clip(ink, 0, 255)
    step = row.step * width
    across, down = SIDE / (WIDE * step * stretch), SIDE / height
    found = np.zeros((row.cells, SIDE, SIDE), np.uint8)
    for place in range(row.cells):
        middle = row.middle(place) * width + shift * step
        matrix = np.array([[across, 0, SIDE / 2 - middle * across], [0, down, 0]], np.float32)
        found[place] = cv2.warpAffine(ink, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderValue=0.0)
    return found
