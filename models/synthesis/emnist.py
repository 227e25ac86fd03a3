"""Makes the letters and digits of EMNIST ready for drawing: `python -m models.synthesis.emnist FOLDER MNIST FILE.npz`.

FOLDER holds `emnist-byclass-test-images-idx3-ubyte.gz` and the labels beside it (Cohen et al., "EMNIST: Extending MNIST
to handwritten letters", IJCNN 2017; made of NIST's Special Database 19, 3,600 writers): a seventh of the collection,
116,323 pictures. MNIST (`mnist.npz`) is of the same forms, so of each of its pictures for testing the two samples that
are most like it are left out. The same people may have written on both sides.

So are samples of which hardly any of the nearest ones is the same letter (as in `unipen.py`): a bar may be a capital or
a small letter or a digit, and nobody could tell.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from models.synthesis.pictures import SIDE, inked

#: The files, without what names their kind.
NAME = "emnist-byclass-test"

#: Letters of the classes, in their order.
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

#: A sample stays if this many of so many nearest ones are the same letter.
AGREEING, NEAREST = 2, 12

#: Samples left out for each picture for testing.
LEFT_OUT = 2

#: Side of the pictures that are compared, and how much is left free around them.
SMALL, FREE = 20, 2

#: Samples compared at once.
ONCE = 1000

Images: TypeAlias = npt.NDArray[np.uint8]


def read(folder: Path) -> tuple[Images, npt.NDArray[np.uint8]]:
    """Pictures (upright) and the code points of their letters. Raises `OSError` where a file is missing, and
    `ValueError` where it holds something else."""
    images = _values(folder / f"{NAME}-images-idx3-ubyte.gz", 3).reshape(-1, SIDE, SIDE)
    classes = _values(folder / f"{NAME}-labels-idx1-ubyte.gz", 1)
    if len(images) != len(classes):
        raise ValueError(
            f"{folder} holds {len(images):,} pictures and {len(classes):,} labels; take both of one archive"
        )
    # The collection lays its pictures on their side.
    upright = np.ascontiguousarray(images.transpose(0, 2, 1))
    return upright, np.array([ord(LETTERS[one]) for one in classes], np.uint8)


def _values(path: Path, dimensions: int) -> npt.NDArray[np.uint8]:
    """What an IDX file of bytes holds."""
    data = gzip.decompress(path.read_bytes())
    if data[:4] != bytes((0, 0, 8, dimensions)):
        raise ValueError(f"{path} is no IDX file of {dimensions} dimensions")
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions)


def kept(images: Images, letters: npt.NDArray[np.uint8], tested: Images) -> npt.NDArray[np.bool_]:
    """Of each sample whether it may be drawn with: it is none of those for testing and looks like its letter."""
    compared = _compared(images)
    same = np.char.lower(letters.view("S1"))
    keep = np.zeros(len(images), np.bool_)
    for start in range(0, len(images), ONCE):
        likeness = compared[start : start + ONCE] @ compared.T
        np.put_along_axis(likeness, np.arange(start, start + len(likeness))[:, None], -1, axis=1)
        alike = same[_nearest(likeness, NEAREST)] == same[start : start + ONCE, None]
        keep[start : start + ONCE] = alike.sum(axis=1) >= AGREEING
    for start in range(0, len(tested), ONCE):
        keep[_nearest(_compared(tested[start : start + ONCE]) @ compared.T, LEFT_OUT)] = False
    return keep


def _nearest(likeness: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.intp]:
    """The places of the largest of each row."""
    return np.argpartition(-likeness, min(count, likeness.shape[1] - 1), axis=1)[:, :count]


def _compared(images: Images) -> npt.NDArray[np.float32]:
    """Small soft pictures of unit length, each as large as fits."""
    found = np.zeros((len(images), SMALL * SMALL), np.float32)
    for place, image in enumerate(images):
        if not (image > 127).any():
            continue
        ink = inked(image)
        scale = (SMALL - 2 * FREE) / max(ink.shape)
        size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
        small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
        top, left = (SMALL - size[1]) // 2, (SMALL - size[0]) // 2
        canvas = np.zeros((SMALL, SMALL), np.float32)
        canvas[top : top + size[1], left : left + size[0]] = small
        soft = cv2.GaussianBlur(canvas, (0, 0), 0.8).ravel()
        found[place] = soft / max(float(np.linalg.norm(soft)), 1e-6)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help=f"where {NAME}-images-idx3-ubyte.gz and its labels are")
    parser.add_argument("mnist", type=Path, help="mnist.npz, what is like its pictures for testing is left out")
    parser.add_argument("file", type=Path, help="where to write, .npz")
    given = parser.parse_args()
    try:
        images, letters = read(given.folder)
        with np.load(given.mnist) as data:
            tested = data["x_test"]
    except (OSError, EOFError, ValueError, KeyError) as wrong:
        raise SystemExit(f"{wrong}") from wrong
    keep = kept(images, letters, tested)
    np.savez_compressed(given.file, images=images[keep], letters=letters[keep])
    print(f"{len(images):,} samples, {int(keep.sum()):,} kept")


if __name__ == "__main__":
    main()
