"""Ways in which paper reaches us beyond a good scanner: turned, cropped, faxed, photographed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.pages import Page

Image8: TypeAlias = npt.NDArray[np.uint8]
Change: TypeAlias = Callable[[Page, np.random.Generator], tuple[Image8, npt.NDArray[np.float64]]]
"""A page's new picture, and the map from its old pixels to the new ones."""

Saved: TypeAlias = Callable[[Sequence[Image8], float, Path], Path]


def turned(page: Page, rng: np.random.Generator) -> tuple[Image8, npt.NDArray[np.float64]]:
    """A quarter, half or three quarters of a turn."""
    image, matrix = _picture(page), np.eye(3)
    for _ in range(int(rng.integers(1, 4))):
        matrix = np.array([[0, -1, image.shape[0] - 1], [1, 0, 0], [0, 0, 1.0]]) @ matrix
        image = np.ascontiguousarray(np.rot90(image, -1))
    return image, matrix


def cropped(page: Page, rng: np.random.Generator) -> tuple[Image8, npt.NDArray[np.float64]]:
    """Up to 8 mm of bare margin cut off each side, where nothing of the form stands."""
    image = _picture(page)
    left, top, right, bottom = (round(side) for side in rng.uniform(0, 8, 4) / 25.4 * page.dpi)
    kept = np.ascontiguousarray(image[top : image.shape[0] - bottom, left : image.shape[1] - right])
    return kept, np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])


def faxed(page: Page, rng: np.random.Generator) -> tuple[Image8, npt.NDArray[np.float64]]:
    """Black and white, with specks, streaks and ragged edges; 204 × 196 dots an inch, as a fax machine sends it."""
    height, width = page.image.shape
    across, down = 204 / page.dpi, 196 / page.dpi
    size = round(width * across), round(height * down)
    small = np.asarray(cv2.resize(page.image, size, interpolation=cv2.INTER_AREA), np.float32)
    paper = float(np.percentile(small[::4, ::4], 80))
    small += rng.normal(0, 14, small.shape).astype(np.float32)
    black = np.where(small < paper - rng.uniform(55, 85), 0, 255).astype(np.uint8)
    specks = rng.random(black.shape) < 0.0006
    black[specks] = 0
    if rng.random() < 0.4:
        column = int(rng.integers(20, size[0] - 20))
        black[:, column : column + 2] = 0
    return black, np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1.0]])


def photographed(page: Page, rng: np.random.Generator) -> tuple[Image8, npt.NDArray[np.float64]]:
    """By a telephone's camera from a little aside, on a dark table, under a lamp at one side."""
    image = _picture(page)
    height, width = image.shape[:2]
    margin = 0.06 * width
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    ends = corners + margin + rng.uniform(-0.028, 0.028, (4, 2)).astype(np.float32) * width
    matrix = cv2.getPerspectiveTransform(corners, ends.astype(np.float32))
    size = round(width + 2 * margin), round(height + 2 * margin)
    table = tuple(float(one) for one in rng.uniform(40, 110, 3))
    seen = cv2.warpPerspective(image, matrix, size, borderValue=table)
    lamp = np.linspace(1.0, rng.uniform(0.6, 0.85), size[0], dtype=np.float32)[None]
    lamp = lamp * np.linspace(1.0, rng.uniform(0.8, 0.95), size[1], dtype=np.float32)[:, None]
    lit = seen * (lamp[:, :, None] if seen.ndim == 3 else lamp)
    lit = cv2.GaussianBlur(lit, (0, 0), 0.8) + rng.normal(0, 3, seen.shape).astype(np.float32)
    return np.clip(lit, 0, 255).astype(np.uint8), np.asarray(matrix, np.float64)


def as_jpeg_tiff(images: Sequence[Image8], dpi: float, folder: Path) -> Path:
    """One file of several pages, as a scanner writes it."""
    return _tiff(images, folder, compression="jpeg", quality=80, dpi=(dpi, dpi))


def as_fax(images: Sequence[Image8], _dpi: float, folder: Path) -> Path:
    """TIFF G4, the pixels not square."""
    return _tiff(images, folder, compression="group4", dpi=(204, 196))


def as_photographs(images: Sequence[Image8], _dpi: float, folder: Path) -> Path:
    """No word about the resolution."""
    return _tiff(images, folder, compression="jpeg", quality=75)


#: name → how a page is changed, and how its file is saved.
MANNERS: dict[str, tuple[Change, Saved]] = {
    "turned": (turned, as_jpeg_tiff),
    "cropped": (cropped, as_jpeg_tiff),
    "faxed": (faxed, as_fax),
    "photographed": (photographed, as_photographs),
}


def _picture(page: Page) -> Image8:
    return page.image if page.colour is None else page.colour


def _tiff(images: Sequence[Image8], folder: Path, **how: object) -> Path:
    path = folder / "changed.tif"
    pictures = [Image.fromarray(one) for one in images]
    if how["compression"] == "group4":
        pictures = [one.convert("1", dither=Image.Dither.NONE) for one in pictures]
    pictures[0].save(path, "TIFF", save_all=True, append_images=pictures[1:], **how)
    return path
