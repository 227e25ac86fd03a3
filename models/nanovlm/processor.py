"""Evidence as the model takes it: one size, its own aspect, paper around it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from pipeline.reading import Pixels

#: The share of pixels darker than the paper's own grey, which fills what the evidence leaves free.
PAPER_PERCENTILE = 90


def fitted(image: Pixels, height: int = 48, width: int = 384) -> Pixels:
    """Grey of any size → `height` × `width`: aspect kept, at the left edge, filled up with the paper's grey."""
    small = shrunk(image, height, width)
    rows, columns = small.shape
    paper = np.full((height, width), np.percentile(small, PAPER_PERCENTILE), np.uint8)
    top = (height - rows) // 2
    paper[top : top + rows, :columns] = small
    return paper


def shrunk(image: Pixels, height: int = 48, width: int = 384) -> Pixels:
    """The same before it is filled up: at most `height` × `width`, one of the two reached."""
    rows, columns = image.shape
    scale = min(height / rows, width / columns)
    size = (max(1, min(width, round(columns * scale))), max(1, min(height, round(rows * scale))))
    return np.asarray(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
    )


def unfilled(image: Pixels, rows: int, columns: int) -> Pixels:
    """A fitted image without what it was filled up with: `rows` × `columns` of it."""
    top = (image.shape[0] - rows) // 2
    return image[top : top + rows, :columns]


def tensor(images: Sequence[Pixels]) -> Tensor:
    """Fitted images → batch × 1 × height × width in [-1, 1]."""
    return (torch.from_numpy(np.stack(images)).float() / 127.5 - 1).unsqueeze(1)
