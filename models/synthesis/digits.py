"""Real handwritten digits (MNIST, as the four arrays of `mnist.npz`), each side of the data set for its own split."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.synthesis.split import Split


@dataclass(frozen=True, slots=True, eq=False)
class Digits:
    """28 × 28 pictures, 0 paper to 255 ink, and for each digit the places where it stands."""

    split: Split
    images: npt.NDArray[np.uint8]
    places: tuple[npt.NDArray[np.intp], ...]

    def one(self, digit: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        """Somebody's digit, cut to its ink."""
        image = self.images[self.places[digit][rng.integers(len(self.places[digit]))]]
        rows, columns = np.nonzero(image > 40)
        cut: npt.NDArray[np.uint8] = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        return cut


@functools.lru_cache(4)
def digits(path: Path, split: Split) -> Digits:
    """The digits of a split. Raises `ValueError` for a file that holds no such arrays, and `OSError` for none."""
    with np.load(path) as data:
        try:
            images, labels = data[f"x_{split}"], data[f"y_{split}"]
        except KeyError as missing:
            raise ValueError(
                f"{path}: there is no array {missing}; mnist.npz has x_train, y_train, x_test, y_test"
            ) from None
    return Digits(split, images, tuple(np.flatnonzero(labels == digit) for digit in range(10)))
