"""A filled page as a scanner gives it, and files of such pages: PDF, TIFF, JPEG."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from models.synthesis.paper import DPI
from pipeline.geometry import Box
from pipeline.pages import Colour
from pipeline.reading import Pixels

Format: TypeAlias = Literal["pdf", "tiff", "jpeg"]

#: Resolutions of scanners and how many use them.
RESOLUTIONS, SHARES = (150, 200, 240, 300), (0.2, 0.45, 0.15, 0.2)

#: Skew in degrees, shift and stretch (shares of the page), the feeder's uneven pull (mm): what happens at most.
SKEW, SHIFT, STRETCH, PULL_MM = 5.0, 0.008, 0.006, 0.3

#: The day that files say they were made: bytes must not tell when.
MADE = time.struct_time((2000, 1, 1, 0, 0, 0, 5, 1, 0))

#: How wide a sheet of A4 is.
A4_INCHES = 210 / 25.4

#: Side of the square of noise that is laid over a page again and again.
NOISE = 509


@dataclass(frozen=True, slots=True)
class Manner:
    """How one document is scanned: all its pages at one resolution, grey or in colour."""

    dpi: int
    colour: bool
    quality: int
    brightness: float
    contrast: float
    noise: float
    blur: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Manner:
        return cls(
            dpi=int(rng.choice(RESOLUTIONS, p=SHARES)),
            colour=bool(rng.random() < 0.4),
            quality=int(rng.integers(55, 90)),
            brightness=float(rng.uniform(-14, 4)),
            contrast=float(rng.uniform(0.82, 1.05)),
            noise=float(rng.uniform(0, 5)),
            blur=float(rng.uniform(0, 0.09)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A scanned page: RGB or grey, and the projective map from pixels of the paper to pixels of the scan. `size` is the
    paper's, `dpi` what the file says (across, down; None: nothing); `bilevel` pages are black or white."""

    image: Colour | Pixels
    matrix: npt.NDArray[np.float64]
    size: tuple[int, int]
    dpi: tuple[float, float] | None
    bilevel: bool = False

    def box(self, box: Box) -> Box:
        """Where a box of the paper (in fractions) lies on the scan, in fractions."""
        width, height = self.size
        corners = np.array([(x * width, y * height, 1) for x in (box.x0, box.x1) for y in (box.y0, box.y1)])
        projected = corners @ self.matrix.T
        ends = projected[:, :2] / projected[:, 2:] / (self.image.shape[1], self.image.shape[0])
        low, high = np.clip(ends.min(axis=0), 0, 0.9999), np.clip(ends.max(axis=0), 0.0001, 1)
        return Box(float(low[0]), float(low[1]), float(max(high[0], low[0] + 1e-4)), float(max(high[1], low[1] + 1e-4)))


def scan(paper: Colour, manner: Manner, rng: np.random.Generator) -> Scan:
    """The paper on a scanner's bed: turned a little, moved, stretched, pulled unevenly, bright or dull, noisy."""
    height, width = paper.shape[:2]
    factor = manner.dpi / DPI
    out_w, out_h = round(width * factor), round(height * factor)
    skew = np.deg2rad(float(np.clip(rng.normal(0, 1.6), -SKEW, SKEW)))
    stretch = factor * (1 + rng.uniform(-STRETCH, STRETCH, 2))
    # A turned sheet is fed whole, so the picture of it is smaller by what its corners need.
    room = 1 - 0.6 * abs(np.sin(skew))
    turn = np.array([[np.cos(skew), -np.sin(skew)], [np.sin(skew), np.cos(skew)]]) * stretch * room
    shift = rng.uniform(-SHIFT, SHIFT, 2) * (out_w, out_h)
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = np.array([out_w / 2, out_h / 2]) + shift - turn @ (width / 2, height / 2)
    page: npt.NDArray[np.uint8] = paper if manner.colour else cv2.cvtColor(paper, cv2.COLOR_RGB2GRAY)
    blur = manner.blur * DPI / 25.4 + (0.35 / factor if factor < 1 else 0)
    if blur > 0.3:
        page = cv2.GaussianBlur(page, (0, 0), blur)
    inverse = np.linalg.inv(matrix)
    across, down = np.arange(out_w, dtype=np.float32), np.arange(out_h, dtype=np.float32)
    waves = rng.uniform(0.6, 2.2), rng.uniform(0, 6.3)
    pull = (rng.uniform(0, PULL_MM) / 25.4 * DPI * np.sin(down / out_h * 6.3 * waves[0] + waves[1])).astype(np.float32)
    i = inverse.astype(np.float32)
    map_x = i[0, 0] * across + (i[0, 1] * down + i[0, 2])[:, None]
    map_y = i[1, 0] * across + (i[1, 1] * down + i[1, 2] + pull)[:, None]
    bed = int(rng.integers(235, 256))
    page = cv2.remap(page, map_x, map_y, cv2.INTER_LINEAR, borderValue=(bed, bed, bed))
    return Scan(_exposed(page, manner, rng), matrix, (width, height), (manner.dpi, manner.dpi))


def _exposed(page: npt.NDArray[np.uint8], manner: Manner, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Brightness, contrast, the paper's tint and noise."""
    levels = np.arange(256, dtype=np.float32)
    curve = levels * manner.contrast + (1 - manner.contrast) * 60 + manner.brightness
    tint = rng.uniform(0.97, 1.0, 3) if page.ndim == 3 else np.ones(1)
    table = np.clip(curve[:, None] * tint, 0, 255).astype(np.uint8)
    page = np.asarray(cv2.LUT(page, table[None] if page.ndim == 3 else table[:, 0]), np.uint8)
    if manner.noise < 0.5:
        return page
    noise = rng.normal(0, manner.noise, (NOISE, NOISE)).astype(np.int8)
    repeats = (page.shape[0] // NOISE + 1, page.shape[1] // NOISE + 1)
    for sign, change in ((1, cv2.add), (-1, cv2.subtract)):
        tile = np.tile(np.maximum(noise * sign, 0).astype(np.uint8), repeats)[: page.shape[0], : page.shape[1]]
        page = change(page, cv2.merge([tile] * 3) if page.ndim == 3 else tile)
    return page


def save(path: Path, pages: Sequence[Scan], manner: Manner, format: Format) -> None:
    """Writes pages as one file; the same pages give the same bytes. Raises `ValueError` for a JPEG of several."""
    if format == "jpeg" and len(pages) != 1:
        raise ValueError(f"a JPEG holds one page, not {len(pages)}")
    images = [Image.fromarray(page.image) for page in pages]
    dpi, file = pages[0].dpi, io.BytesIO()
    said = {} if dpi is None else {"dpi": dpi}
    if format == "jpeg":
        images[0].save(file, "JPEG", quality=manner.quality, **said)
    elif format == "tiff":
        packed = {"compression": "jpeg", "quality": manner.quality}
        if pages[0].bilevel:
            images, packed = [_black(one) for one in images], {"compression": "group4"}
        images[0].save(file, "TIFF", save_all=True, append_images=images[1:], **packed, **said)
    else:
        # A PDF has a size in any case: pictures that don't tell theirs are fitted to A4.
        across = images[0].width / A4_INCHES if dpi is None else dpi[0]
        if dpi is not None and dpi[0] != dpi[1]:
            images = [one.resize((one.width, round(one.height * dpi[0] / dpi[1]))) for one in images]
        packed = {"quality": manner.quality}
        if pages[0].bilevel:
            images, packed = [_black(one) for one in images], {}
        images[0].save(
            file,
            "PDF",
            save_all=True,
            append_images=images[1:],
            resolution=across,
            title="scan",
            creationDate=MADE,
            modDate=MADE,
            **packed,
        )
    path.write_bytes(file.getvalue())


def _black(image: Image.Image) -> Image.Image:
    return image.convert("1", dither=Image.Dither.NONE)
