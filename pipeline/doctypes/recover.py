"""A form's blank out of what people have: one scan of the blank, or filled samples of a form nobody has blank.

Samples are registered on one of them, then on what that gives. Print stands at the same place in all of them, and
writing seldom does: of each place the brightness is kept that most samples reach, which is the blank's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import cv2
import numpy as np

from pipeline.doctypes.rules import BLANK_DPI, PX_PER_MM, rules
from pipeline.doctypes.schema import DocumentType, FieldKind, FormField, FormPage
from pipeline.locate import LEAST_INLIERS
from pipeline.pages import Page
from pipeline.quality import assess
from pipeline.reading import Pixels
from pipeline.sheet import Fit, Floats, Sheet, features, moved

#: Samples from which a blank is recovered, at least and at most: more only cost time.
LEAST_SAMPLES, MOST_SAMPLES = 5, 60

#: Share of the samples that may be brighter than the blank at any place: cropped, torn, or moved a little. Of the
#: others all must be written on at one place for writing to stay.
BRIGHTER = 0.2

#: A rule that is so much brighter (grey levels) in half of the samples than in nearly all within a pixel is elsewhere
#: in each.
LOST = 20

#: Paper is at least so bright; a rule may be as faint as this.
PAPER_WHITE, FAINT = 232.0, 250.0

#: Times the samples are laid on what they gave before: the second time on sharper print.
ROUNDS = 2

#: A sample of which less print than this is where the others have it is another form, or too poor.
LEAST_SHARE = 0.5

#: Writing is darker than the blank by so many grey levels, keeps off print by so many pixels, and is taken to reach so
#: far (mm) around its strokes.
DARKER, OFF_PRINT, REACH_MM = 45, 5, 1.5

#: Sizes of paper (mm) that a size within this share is taken for.
PAPERS = ((210.0, 297.0), (215.9, 279.4), (215.9, 355.6), (148.0, 210.0), (210.0, 148.5), (297.0, 420.0), (203.0, 92.0))
SAME_PAPER = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Blank:
    """A blank at `BLANK_DPI` and the size of its paper. `used` counts the pages it was made of; of filled samples
    `written` says for each pixel how many have writing near it (0 none to 255 all of them)."""

    image: Pixels
    width_mm: float
    height_mm: float
    used: int = 1
    written: Pixels | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Laid:
    """A page registered on a sheet."""

    page: Page
    fit: Fit
    to_page: Floats

    @property
    def matrix(self) -> Floats:
        """Work pixels of the sheet → pixels of the page."""
        return self.to_page @ self.fit.matrix


def straightened(page: Page) -> Blank:
    """The blank that one page is: turned straight, on white paper of a usual size where it is near one."""
    height, width = page.image.shape
    size = paper(width / page.dpi * 25.4, height / page.dpi * 25.4)
    frame = _turn(-_skew(page.image, page.dpi)) @ _centred(page)
    return Blank(_levelled(_bright(_laid_flat(page, frame, size))), *size)


def recovered(pages: Sequence[Page]) -> Blank:
    """The blank of which these are filled samples, in any order, skewed or turned as they may be.

    Raises `ValueError` where fewer than `LEAST_SAMPLES` of them are the same page of the same form.
    """
    pages = pages[:MOST_SAMPLES]
    laid, first = _on_one_of(pages)
    frame, size = _mean_frame(first, laid)
    rough = _merged([_bright(_laid_flat(one.page, frame @ np.linalg.inv(one.matrix), size)) for one in laid])
    # Turning is what print shows better than the samples' edges do.
    skew = _skew(rough, BLANK_DPI)
    if abs(skew) > 0.01:
        frame = _turn(-skew) @ frame
        rough = _merged([_bright(_laid_flat(one.page, frame @ np.linalg.inv(one.matrix), size)) for one in laid])

    merged, again = rough, laid
    for _ in range(ROUNDS):
        sheet = draft(Blank(merged, *size))
        again = [one for one in _lay(sheet, [one.page for one in again]) if one.fit.share >= LEAST_SHARE]
        if len(again) < LEAST_SAMPLES:
            raise ValueError(_too_few(len(again), len(pages)))
        images = [_bright(_pulled_flat(sheet, one)) for one in again]
        merged = _merged(images)
    return Blank(_levelled(merged), *size, used=len(again), written=_written(images, merged))


def draft(blank: Blank) -> Sheet:
    """A sheet to register pages on, made of a blank whose fields nobody knows yet."""
    with TemporaryDirectory() as folder:
        cv2.imwrite(str(Path(folder) / "page-1.png"), blank.image)
        corner = FormField(name="corner", label="", kind=FieldKind.TEXT, box=[0.0, 0.0, 0.001, 0.001])
        page = FormPage(blank="page-1.png", width_mm=blank.width_mm, height_mm=blank.height_mm)
        doctype = DocumentType(name="draft", title="", pages=(page,), fields=(corner,), folder=Path(folder))
        return Sheet(doctype, 1)


def paper(width_mm: float, height_mm: float) -> tuple[float, float]:
    """The usual size of paper nearest to this one, or this one where none is near."""
    for short, long in PAPERS:
        for size in ((short, long), (long, short)):
            if abs(width_mm / size[0] - 1) < SAME_PAPER and abs(height_mm / size[1] - 1) < SAME_PAPER:
                return size
    return round(width_mm, 1), round(height_mm, 1)


def _on_one_of(pages: Sequence[Page]) -> tuple[list[_Laid], Page]:
    """The pages registered on the one of them that most of them fit on; that one comes with them."""
    if len(pages) < LEAST_SAMPLES:
        raise ValueError(_too_few(len(pages), len(pages)))
    best: tuple[list[_Laid], Page] = ([], pages[0])
    # The straightest and sharpest first; a form that is hardly like the others is seldom so three times.
    for first in sorted(pages, key=_roughness)[:3]:
        blank = Blank(first.image, *(side / first.dpi * 25.4 for side in reversed(first.image.shape)))
        laid = _lay(draft(blank), pages)
        if len(laid) > len(best[0]):
            best = laid, first
        if len(laid) > 0.7 * len(pages):
            break
    if len(best[0]) < LEAST_SAMPLES:
        raise ValueError(_too_few(len(best[0]), len(pages)))
    return best


def _roughness(page: Page) -> float:
    quality = assess(page)
    return abs(quality.skew_degrees) + 10 * quality.blur + 100 * len(quality.faults)


def _too_few(count: int, of: int) -> str:
    return (
        f"only {count} of {of} samples are the same page of the same form; a blank is recovered from at least "
        f"{LEAST_SAMPLES}. Add samples, or take out those of other forms and editions"
    )


def _lay(sheet: Sheet, pages: Sequence[Page]) -> list[_Laid]:
    """Those of the pages that fit on a sheet."""
    laid = []
    for page in pages:
        work, to_page = page.work
        matrix, inliers = sheet.match(features(work))
        if matrix is not None and inliers >= LEAST_INLIERS:
            laid.append(_Laid(page, sheet.fit(work, matrix, inliers), to_page))
    return laid


def _mean_frame(first: Page, laid: Sequence[_Laid]) -> tuple[Floats, tuple[float, float]]:
    """The map from the first page's sheet to a frame (pixels of the blank) that is the mean of all pages' own, and
    the size of the paper: skew, shift and stretch of single scans cancel out. Most of the pages lie upright in it."""
    width, height = (side / first.dpi * 100.0 for side in reversed(first.image.shape))
    grid = np.stack(np.meshgrid(np.linspace(0, width, 9), np.linspace(0, height, 9)), -1).reshape(-1, 2)
    ends, sizes, turns = [], [], []
    for one in laid:
        there = moved(moved(grid, one.matrix), _centred(one.page))
        across = there[8] - there[0]
        quarters = round(float(np.degrees(np.arctan2(across[1], across[0]))) / 90) % 4
        ends.append(moved(there, _turn(-90.0 * quarters)))
        sides = [side / one.page.dpi * 25.4 for side in reversed(one.page.image.shape)]
        sizes.append(sides[::-1] if quarters % 2 else sides)
        turns.append(quarters)
    wide, high = (float(side) for side in np.median(sizes, axis=0))
    affine, _inliers = cv2.estimateAffine2D(grid, np.median(ends, axis=0), method=cv2.LMEDS)
    upright = int(np.bincount(turns).argmax())
    frame = _turn(90.0 * upright) @ np.vstack([affine, [0, 0, 1]])
    return frame.astype(np.float64), paper(high, wide) if upright % 2 else paper(wide, high)


def _centred(page: Page) -> Floats:
    """Pixels of a page → pixels of a blank whose origin is the paper's middle."""
    height, width = page.image.shape
    zoom = BLANK_DPI / page.dpi
    return np.array([[zoom, 0, -zoom * (width - 1) / 2], [0, zoom, -zoom * (height - 1) / 2], [0, 0, 1]])


def _turn(degrees: float) -> Floats:
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def _laid_flat(page: Page, frame: Floats, size: tuple[float, float]) -> Pixels:
    """A page warped by a map from its pixels to those of the blank, the origin in the paper's middle. Black where the
    page ends, which is never the brightest."""
    width, height = (round(side * PX_PER_MM) for side in size)
    middle = np.array([[1, 0, (width - 1) / 2], [0, 1, (height - 1) / 2], [0, 0, 1]])
    return cast(Pixels, cv2.warpPerspective(page.image, middle @ frame, (width, height), borderValue=0))


def _pulled_flat(sheet: Sheet, one: _Laid) -> Pixels:
    """A page in the sheet's own frame, the pull of a feeder taken out by the print around each place."""
    height, width = sheet.blank.shape
    step = 32
    rows, columns = height // step + 2, width // step + 2
    ys, xs = np.mgrid[0:rows, 0:columns] * float(step)
    grid = moved(np.stack([xs.ravel(), ys.ravel()], axis=1), sheet.to_work)
    ends = moved(grid + one.fit.near_all(grid), one.matrix).astype(np.float32).reshape(rows, columns, 2)
    across, down = np.meshgrid(np.arange(width, dtype=np.float32) / step, np.arange(height, dtype=np.float32) / step)
    places = cv2.remap(ends, across, down, cv2.INTER_LINEAR)
    return cast(Pixels, cv2.remap(one.page.image, places, None, cv2.INTER_LINEAR, borderValue=0))


def _bright(image: Pixels) -> Pixels:
    """The image on evenly white paper: shading and yellowed paper divided out. What is quite black stays so."""
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    side = 2 * round(7.5 * PX_PER_MM / 4) + 1
    ground = cv2.morphologyEx(cv2.medianBlur(small, 5), cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    ground = cv2.GaussianBlur(ground, (0, 0), side / 3)
    ground = cv2.resize(ground, image.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cast(Pixels, cv2.divide(image, np.maximum(ground, 40), scale=250))


def _merged(images: Sequence[Pixels]) -> Pixels:
    """Of each pixel the brightness that all but a few of the images stay below. A rule is seldom in the very same
    pixels of all of them: it is as dark as in half of them, or else as in nearly all of them within a pixel."""
    rank = len(images) - 1 - int(BRIGHTER * len(images))
    merged = _ranked(images, rank)
    near = np.ones((3, 3), np.uint8)
    wide = _ranked([cast(Pixels, cv2.erode(image, near)) for image in images], rank)
    across, down = rules(wide)
    half = np.minimum(merged, _ranked(images, len(images) // 2))
    dark = np.where(cv2.subtract(cv2.erode(half, near), wide) > LOST, wide, half)
    return np.where(cv2.bitwise_or(across, down) > 0, dark, merged).astype(np.uint8)


def _ranked(images: Sequence[Pixels], rank: int) -> Pixels:
    """Of each pixel the brightness of that rank among the images."""
    found = np.empty_like(images[0])
    for top in range(0, len(found), 200):
        band = np.stack([image[top : top + 200] for image in images])
        found[top : top + 200] = np.partition(band, rank, axis=0)[rank]
    return found


def _written(images: Sequence[Pixels], blank: Pixels) -> Pixels:
    """How many of the samples have writing near each pixel. Beside print nothing can be told: it is never quite where
    it was in another sample."""
    bare = cv2.erode(blank, np.ones((OFF_PRINT, OFF_PRINT), np.uint8)) > 170
    reach = 2 * round(REACH_MM * PX_PER_MM) + 1
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    total = np.zeros(blank.shape, np.float32)
    for image in images:
        # Where a page ends it is black all over.
        ink = (cv2.subtract(blank, image) > DARKER) & bare & (image > 0)
        total += cv2.dilate(cv2.medianBlur(ink.astype(np.uint8), 3), near)
    return cast(Pixels, np.asarray(total * (255 / len(images)), np.uint8))


def _levelled(image: Pixels) -> Pixels:
    """Paper white and print black, in 16 steps, as scanners' noise is no part of a blank; white, too, what the page's
    edge darkens. Rules stay however faint they are."""
    across, down = rules(image)
    _count, labels = cv2.connectedComponents(np.where(image < 150, 255, 0).astype(np.uint8))
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    image = np.where(np.isin(labels, rim[rim > 0]), 255, image).astype(np.uint8)
    ink = min(120.0, float(np.percentile(image, 0.5)))
    white = np.where(cv2.bitwise_or(across, down) > 0, FAINT, PAPER_WHITE).astype(np.float32)
    share = np.clip((image.astype(np.float32) - ink) / (white - ink), 0, 1)
    levels = np.asarray(np.round(share * 15) * 17, np.uint8)
    return cast(Pixels, cv2.copyMakeBorder(levels[2:-2, 2:-2], 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=255))


def _skew(image: Pixels, dpi: float) -> float:
    """The angle of rules and text in degrees, positive clockwise, −45 to 45: that under which the page's rows of ink
    are most unevenly filled (projection profiles, after Postl 1986)."""
    angle = assess(Page(1, image, None, dpi)).skew_degrees
    dark = cv2.threshold(image, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)[1]
    ys, xs = np.nonzero(dark)
    ys, xs = ys[:: len(ys) // 60_000 + 1], xs[:: len(xs) // 60_000 + 1]
    for reach, step in ((0.6, 0.1), (0.1, 0.02)):
        angles = angle + np.arange(-reach, reach + step / 2, step)
        unevenness = []
        for one in np.deg2rad(angles):
            rows = np.round((ys * np.cos(one) - xs * np.sin(one)) * 2).astype(np.int64)
            # Smoothed, since whole pixels fill every second of the half rows when the page is not turned at all.
            filled = np.convolve(np.bincount(rows - rows.min()), np.hanning(7))
            unevenness.append(float((filled**2).sum()))
        angle = float(angles[int(np.argmax(unevenness))])
    return angle
