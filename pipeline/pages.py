"""Files → page images: PDF, TIFF, PNG, JPEG and WebP, one page at a time.

Invariants: the format is decided by content, never by the name; at most one page is in memory; every page comes out
upright as its file says, on white paper, with square pixels, at `limits.dpi` or less; whatever is wrong with a file
is a `BadFile` with a stable reason. Decoders are C code fed with strangers' bytes: the process that renders has hard
limits of time and memory beside the ones kept here.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt
import pypdfium2
from PIL import Image, ImageFile, ImageOps, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_PAGEOBJ_IMAGE, FPDF_LoadMemDocument

from pipeline.formats import sniff
from pipeline.reading import Pixels
from pipeline.sheet import Floats, work_image

Colour: TypeAlias = npt.NDArray[np.uint8]
"""An RGB image, height × width × 3."""

#: Inches of the long side of A4: what a page without a credible resolution is taken to be.
A4_INCHES = 11.69

#: Resolutions that software writes when it knows none; they say nothing about the paper.
HOLLOW_DPI = (0, 1, 72, 96)

#: A page rendered below this many dots an inch (a wall poster's declared size) is no scan of a document.
LEAST_DPI = 50.0

#: Seconds that each page adds to what a file may take, so that a long file isn't refused for its length.
PAGE_SECONDS = 1.0

#: The EXIF tag that says which way is up.
ORIENTATION = 0x0112

#: Sheets that are scanned (long and short side, mm): A4, letter, legal, A5, cheques and slips; resolutions of scanners,
#: and how far from both together a file may be.
SHEETS_MM = ((297.0, 210.0), (279.4, 215.9), (355.6, 215.9), (210.0, 148.5), (203.0, 92.0))
USUAL_DPI = (100.0, 150.0, 200.0, 240.0, 300.0, 400.0, 600.0)
SAME_SHEET = 0.025

#: Pixels are kept as scanned up to this share above `Limits.dpi`: resampling would cost more than it saves.
SLACK = 1.2


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may ask of us. A file may take `render_seconds`, and `PAGE_SECONDS` more for each of its pages."""

    max_bytes: int = 200 * 2**20
    max_pixels: int = 100_000_000
    max_pages: int = 500
    render_seconds: float = 60.0
    dpi: float = 200.0


class BadFile(ValueError):
    """A file that gives no pages. `reason` is a stable code; the text is a sentence for a person.

    Reasons: empty, truncated, encrypted, no_pages, too_large, too_many_pixels, too_many_pages, timeout,
    unknown_format, corrupt.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True, eq=False)
class Page:
    """One rendered page. `number` counts from 1 in the file; `image` is grey; `colour` is None for a grey page;
    `dpi` is an estimate: from the file where credible, else as if the page were a usual sheet."""

    number: int
    image: Pixels
    colour: Colour | None
    dpi: float

    @cached_property
    def work(self) -> tuple[Pixels, Floats]:
        """The page at work resolution, and the map from its pixels back to the page's; nobody may write on it."""
        return work_image(self.image, self.dpi)


def render(path: Path, limits: Limits) -> Iterator[Page]:
    """The pages of a file, one at a time.

    Raises `BadFile`, possibly after some pages (a file may be sound up to its tenth page), and `OSError` where the
    file can't be read at all.
    """
    spent = 0.0
    with path.open("rb") as file:
        started = time.monotonic()
        for page in _pages(file, limits):
            spent += time.monotonic() - started
            allowed = limits.render_seconds + PAGE_SECONDS * page.number
            if spent > allowed:
                raise BadFile(
                    "timeout",
                    f"Rendering took {spent:.0f} s by page {page.number}; {allowed:.0f} s are allowed. "
                    "Scan it again at a lower resolution or in parts.",
                )
            yield page
            # The time the consumer spends on a page is not the file's fault.
            started = time.monotonic()


def _pages(file: IO[bytes], limits: Limits) -> Iterator[Page]:
    size = file.seek(0, 2)
    file.seek(0)
    if size == 0:
        raise BadFile("empty", "The file is empty (0 bytes). Scan or copy it again.")
    if size > limits.max_bytes:
        raise BadFile(
            "too_large",
            f"The file has {size / 2**20:.0f} MiB; at most {limits.max_bytes / 2**20:.0f} MiB are taken. "
            "Scan it at a lower resolution or in parts.",
        )
    kind = sniff(file.read(1024))
    file.seek(0)
    if kind is None:
        raise BadFile(
            "unknown_format", "The content is no PDF, TIFF, PNG, JPEG or WebP, whatever the name says. Scan it to one."
        )
    yield from _pdf(file, limits) if kind == "pdf" else _pictures(file, kind, limits)


# PDF


def _pdf(file: IO[bytes], limits: Limits) -> Iterator[Page]:
    file.seek(max(0, file.seek(0, 2) - 2048))
    whole = b"%%EOF" in file.read()
    file.seek(0)
    # PDFium reports the last error that anything had; opening nothing puts a known one in place of an older file's.
    FPDF_LoadMemDocument(b"", 0, None)
    try:
        document = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        if error.err_code == FPDF_ERR_PASSWORD:
            raise BadFile("encrypted", "The PDF needs a password. Save it without one and send it again.") from error
        file.seek(0)
        # PDFium refuses a PDF without pages, but doesn't say that this is why.
        if whole and re.search(rb"/Count\s+0\b", file.read(2**20)):
            raise BadFile("no_pages", "The PDF has no pages. Scan it again.") from error
        raise _damaged(whole, "The PDF can't be opened") from error
    with closing(document):
        # Without its end a PDF can often be pieced together, but nobody knows which pages are then missing.
        if not whole:
            raise _damaged(whole, "The PDF has no end")
        try:
            document.init_forms()
            count = len(document)
        except pypdfium2.PdfiumError as error:
            raise _damaged(whole, "The PDF's form can't be opened") from error
        if count == 0:
            raise BadFile("no_pages", "The PDF has no pages. Scan it again.")
        _within_pages(count, limits)
        for index in range(count):
            try:
                page = document[index]
                with closing(page):
                    yield _pdf_page(page, index + 1, limits)
            except pypdfium2.PdfiumError as error:
                raise _damaged(whole, f"Page {index + 1} of the PDF can't be drawn") from error


def _pdf_page(page: pypdfium2.PdfPage, number: int, limits: Limits) -> Page:
    width, height = (max(1.0, side) / 72 for side in page.get_size())
    dpi = limits.dpi
    for image in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE], max_depth=3):
        across, down = cast("pypdfium2.PdfImage", image).get_px_size()
        _within_pixels(across, down, number, limits)
        left, bottom, right, top = (value / 72 for value in image.get_bounds())
        if (right - left) * (top - bottom) > 0.7 * width * height:
            # The page is a scan: drawing it finer than it was scanned adds pixels, not knowledge.
            dpi = min(dpi, max(LEAST_DPI, max(across, down) / max(right - left, top - bottom)))
    dpi = min(dpi, (limits.max_pixels / (width * height)) ** 0.5)
    if dpi < LEAST_DPI:
        raise BadFile(
            "too_many_pixels",
            f"Page {number} is declared {width:.0f} × {height:.0f} inches; that is no document on paper. "
            "Print it to A4 and send it again.",
        )
    bitmap = page.render(scale=dpi / 72, rev_byteorder=True)
    with closing(bitmap):
        pixels: npt.NDArray[np.uint8] = np.array(bitmap.to_numpy())
    return _page(pixels, number, dpi)


# TIFF, PNG, JPEG, WebP

_Plugin: TypeAlias = type[ImageFile.ImageFile]

_PLUGINS: dict[str, _Plugin] = {
    "tiff": TiffImagePlugin.TiffImageFile,
    "png": PngImagePlugin.PngImageFile,
    "jpeg": JpegImagePlugin.JpegImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
}


def _pictures(file: IO[bytes], kind: str, limits: Limits) -> Iterator[Page]:
    # The plugins are opened directly: `Image.open` would judge size by a global of Pillow's instead of our limits.
    image = _decode(1, lambda: cast(Any, _PLUGINS[kind])(file))
    if kind != "tiff":
        if getattr(image, "n_frames", 1) > 1:
            raise BadFile("unknown_format", "The file is an animated picture, not a scan. Save it as a PDF or TIFF.")
        yield _picture(image, 1, limits)
        return
    count = _decode(1, lambda: image.n_frames)
    _within_pages(count, limits)
    number = 0
    for frame in range(count):
        _decode(frame + 1, lambda frame=frame: image.seek(frame))
        # Scanners put reduced copies of a page beside it (NewSubfileType, bit 0); they are no pages.
        if not int(image.tag_v2.get(254, 0)) & 1:
            number += 1
            yield _picture(image, number, limits)
    if number == 0:
        raise BadFile("no_pages", "The TIFF has no pages, only previews.")


def _picture(image: ImageFile.ImageFile, number: int, limits: Limits) -> Page:
    _within_pixels(*image.size, number, limits)

    def decode() -> tuple[npt.NDArray[np.uint8], float, float]:
        # A TIFF loses its orientation tag as it is loaded; a PNG may have it behind the pixels.
        stored = image.tag_v2.get(ORIENTATION, 1) if isinstance(image, TiffImagePlugin.TiffImageFile) else None
        image.load()
        orientation = image.getexif().get(ORIENTATION, 1) if stored is None else stored
        across, down = _density(image)
        upright = ImageOps.exif_transpose(image)
        return _on_white(upright), *((down, across) if orientation in (5, 6, 7, 8) else (across, down))

    pixels, across, down = _decode(number, decode)
    target = min(limits.dpi, max(across, down))
    if abs(across - down) > 0.01 * down or across > SLACK * target:
        size = max(1, round(pixels.shape[1] * target / across)), max(1, round(pixels.shape[0] * target / down))
        _within_pixels(*size, number, limits)
        shrinks = size[0] <= pixels.shape[1] and size[1] <= pixels.shape[0]
        pixels = cast(Pixels, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))
        return _page(pixels, number, target)
    return _page(pixels, number, across)


def _density(image: Image.Image) -> tuple[float, float]:
    """Dots an inch across and down: the file's word where it is credible, else what makes it a usual sheet."""
    across, down = (float(value) for value in image.info.get("dpi", (0, 0)))
    if all(np.isfinite((across, down))) and min(across, down) > 0 and round(across) not in HOLLOW_DPI:
        inches = max(image.width / across, image.height / down)
        if 2 <= inches <= 24 and 1 / 3 < across / down < 3:
            return across, down
    guess = _usual(*image.size)
    return guess, guess


def _usual(width: int, height: int) -> float:
    """The resolution at which so many pixels are a usual sheet, scanned as scanners do; else as if the page were A4."""
    long, short = max(width, height), min(width, height)
    fits = [
        (max(abs(long / (paper[0] / 25.4 * dpi) - 1), abs(short / (paper[1] / 25.4 * dpi) - 1)), dpi)
        for paper in SHEETS_MM
        for dpi in USUAL_DPI
    ]
    off, dpi = min(fits)
    return dpi if off < SAME_SHEET else long / A4_INCHES


def _on_white(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Any of Pillow's modes as grey or RGB pixels, transparency laid on white paper."""
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        values = np.asarray(image, dtype=np.float32)
        # 16-bit grey, or floats from 0 to 1.
        top = 1.0 if mode == "F" and float(values.max(initial=0)) <= 1 else 65535.0 if mode != "F" else 255.0
        return cast(Pixels, (np.clip(values / top, 0, 1) * 255).astype(np.uint8))
    if image.has_transparency_data or mode in ("La", "RGBa"):
        paper = Image.new("RGBA", image.size, "white")
        return np.asarray(Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB"))
    if mode == "LAB":
        return np.asarray(image.getchannel(0))
    return np.asarray(image.convert("L" if mode in ("1", "L") else "RGB"))


def _decode(number: int, work: Any) -> Any:
    """Runs a decoder's step and gives its failures a name."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd tags that scanners write; pages that decode are judged by their pixels.
            warnings.simplefilter("ignore")
            return work()
    except MemoryError:
        raise
    except Exception as error:
        cut = any(word in str(error).lower() for word in ("truncated", "premature", "broken data stream", "unpack"))
        raise _damaged(not cut, f"Page {number} can't be decoded") from error


# Limits and the page itself


def _within_pages(count: int, limits: Limits) -> None:
    if count > limits.max_pages:
        raise BadFile(
            "too_many_pages", f"The file has {count} pages; at most {limits.max_pages} are taken. Send it in parts."
        )


def _within_pixels(across: int, down: int, number: int, limits: Limits) -> None:
    if across * down > limits.max_pixels:
        raise BadFile(
            "too_many_pixels",
            f"Page {number} has {across} × {down} pixels; at most {limits.max_pixels / 1e6:g} million are taken. "
            "Scan it at 200 to 300 dpi.",
        )


def _damaged(whole: bool, what: str) -> BadFile:
    if whole:
        return BadFile("corrupt", f"{what}: its content is damaged. Scan or save it again.")
    return BadFile("truncated", f"{what}: the file breaks off before its end. Copy it again.")


def _page(pixels: npt.NDArray[np.uint8], number: int, dpi: float) -> Page:
    if pixels.ndim == 2:
        return Page(number, np.ascontiguousarray(pixels), None, dpi)
    grey = cast(Pixels, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    small = pixels[::4, ::4].astype(np.int16)
    coloured = bool((small.max(axis=2) - small.min(axis=2) > 16).any())
    return Page(number, grey, np.ascontiguousarray(pixels) if coloured else None, dpi)
