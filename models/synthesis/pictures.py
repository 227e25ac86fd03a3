"""Pictures of letters and digits that people really wrote: MNIST's digits, each side of the data set for its own split,
and the letters and digits of EMNIST (made ready by `emnist.py`), which are for training alone."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.synthesis.split import Split

#: How dark (0 to 255) ink is at least.
INK = 40

SIDE = 28
"""Width and height of a picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """28 × 28 pictures, 0 paper to 255 ink, and for each letter the places where it stands."""

    split: Split
    images: npt.NDArray[np.uint8]
    places: dict[str, npt.NDArray[np.intp]]

    def one(self, letter: str, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        """Somebody's letter, cut to its ink. Raises KeyError for a letter that nobody wrote."""
        places = self.places[letter]
        return inked(self.images[places[rng.integers(len(places))]])


def inked(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What of a picture has ink."""
    rows, columns = np.nonzero(image > INK)
    return image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


@functools.lru_cache(4)
def digits(path: Path, split: Split) -> Pictures:
    """The digits of a split, of the four arrays of `mnist.npz`. Raises `ValueError` for a file that holds no such
    arrays, and `OSError` for none."""
    with np.load(path) as data:
        try:
            images, labels = data[f"x_{split}"], data[f"y_{split}"]
        except KeyError as missing:
            raise ValueError(
                f"{path}: there is no array {missing}; mnist.npz has x_train, y_train, x_test, y_test"
            ) from None
    return Pictures(split, images, {str(digit): np.flatnonzero(labels == digit) for digit in range(10)})


@functools.lru_cache(1)
def characters(path: Path) -> Pictures:
    """The letters and digits of a file that `emnist.py` made. Raises `ValueError` for another file, and `OSError` for
    none."""
    with np.load(path) as data:
        try:
            images, letters = data["images"], data["letters"]
        except KeyError as missing:
            raise ValueError(
                f"{path}: there is no array {missing}; make the file by python -m models.synthesis.emnist"
            ) from None
    return Pictures("train", images, {chr(one): np.flatnonzero(letters == one) for one in np.unique(letters)})
