"""Strings read from the left to the right, column by column: a small convolutional network that says which character
each narrow column of the evidence shows, or none (connectionist temporal classification; Graves et al., ICML 2006).

It writes nothing from memory, as a language model does, so it errs elsewhere than the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional

from models.checkpoint import COLUMNS
from models.halves import weights
from models.nanovlm.processor import fitted, tensor
from models.nanovlm.tokens import CHARACTERS
from pipeline.reading import Pixels

#: What a column may show: none (nothing new, between two characters or still in one), or one of these.
NONE = ""
CLASSES = (NONE, *CHARACTERS)
NUMBER = {name: number for number, name in enumerate(CLASSES)}

#: The logarithm of a chance that is as good as none.
IMPOSSIBLE = -30.0

Chances: TypeAlias = npt.NDArray[np.float32]
"""Logarithms of probabilities, columns × classes."""

#: Channels of the layers that see the picture, each with the step (down, across) it goes at.
LAYERS = (
    (32, (2, 2)),
    (64, (2, 2)),
    (64, (1, 1)),
    (96, (2, 1)),
    (96, (1, 1)),
    (128, (2, 1)),
)

#: Channels, and reach of each of the layers that look along the line.
ALONG, REACHES = 192, (1, 2, 4, 1)

#: Rows that are left of a picture 48 high, and pixels of it across that make up a column.
ROWS, ACROSS = 3, 4


class _Along(nn.Module):
    """What stands beside a column is taken into account (batch × channels × columns, the same)."""

    def __init__(self, reach: int) -> None:
        super().__init__()
        self.beside = nn.Conv1d(ALONG, ALONG, 5, padding=2 * reach, dilation=reach, bias=False)
        self.even = nn.BatchNorm1d(ALONG)

    def forward(self, columns: Tensor) -> Tensor:
        return columns + torch.relu(self.even(self.beside(columns)))


class ColumnNet(nn.Module):
    """Evidence (batch × 1 × 48 × width, -1 to 1) → logits (batch × width / 4 × classes), and of what is trained beside
    it, which character stands at a column, the same."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        source = 1
        for target, step in LAYERS:
            layers += [nn.Conv2d(source, target, 3, step, 1, bias=False), nn.BatchNorm2d(target), nn.ReLU()]
            source = target
        self.seen = nn.Sequential(*layers)
        self.joined = nn.Conv1d(source * ROWS, ALONG, 1)
        self.along = nn.Sequential(*(_Along(reach) for reach in REACHES))
        self.said = nn.Linear(ALONG, len(CLASSES))
        self.stands = nn.Linear(ALONG, len(CLASSES))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        columns = self.along(torch.relu(self.joined(self.seen(images).flatten(1, 2))))
        every = columns.transpose(1, 2)
        return self.said(every), self.stands(every)


class ColumnReader:
    """Safe to share between threads."""

    def __init__(self, net: ColumnNet) -> None:
        self._net = net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """The network in a checkpoint's folder. Raises FileNotFoundError where there is none, and ValueError with a
        sentence for one that is broken."""
        net = ColumnNet()
        try:
            net.load_state_dict(weights(folder / COLUMNS))
        except (SafetensorError, RuntimeError) as wrong:
            raise ValueError(
                f"{folder / COLUMNS} is damaged or no reader of columns; copy it again from the checkpoint it is of"
            ) from wrong
        return cls(net)

    @classmethod
    def beside(cls, folder: Path) -> Self | None:
        """The same; None where the checkpoint has none."""
        return cls.from_folder(folder) if (folder / COLUMNS).is_file() else None

    @torch.inference_mode()
    def chances(self, image: Pixels) -> Chances:
        """How likely each class is at each column of the evidence."""
        logits, _ = self._net(tensor([fitted(image)]).contiguous(memory_format=torch.channels_last))
        return np.asarray(logits[0].log_softmax(-1).numpy(), np.float32)


def limited(chances: Chances, alphabet: str | None) -> Chances:
    """The same where only letters of an alphabet may stand."""
    if alphabet is None:
        return chances
    known = [number for number, name in enumerate(CLASSES) if name == NONE or name in alphabet]
    found = np.full_like(chances, IMPOSSIBLE)
    some = chances[:, known].astype(np.float64)
    found[:, known] = some - np.logaddexp.reduce(some, axis=1, keepdims=True)
    return found


def best(chances: Chances) -> str:
    """What the columns say, each its likeliest: what is said again at the next is said once."""
    said = [CLASSES[number] for number in chances.argmax(axis=1)]
    return "".join(one for one, before in zip(said, [NONE, *said], strict=False) if one != before).strip()


def likelihoods(chances: Chances, values: Sequence[str]) -> list[float]:
    """How likely the columns make each string, over all the ways they may spell it, as logarithms. Raises KeyError for
    a character that is none of the classes."""
    spelled = [NUMBER[letter] for value in values for letter in value]
    given = torch.from_numpy(chances)[:, None].expand(-1, len(values), -1)
    lengths = torch.tensor([len(value) for value in values])
    columns = torch.full_like(lengths, len(chances))
    losses: list[float] = functional.ctc_loss(given, torch.tensor(spelled), columns, lengths, reduction="none").tolist()
    return [-one for one in losses]
