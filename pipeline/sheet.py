"""A blank page of a known form, prepared for registration, and how a page fits on it.

Everything here happens at `WORK_DPI`: features for the first guess, then patches of print, each searched near where
the guess puts it. Patches give the final map, the local offsets that no map explains (a feeder pulls unevenly), and
the measure of how well print is met at each place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.doctypes.schema import DocumentType
from pipeline.reading import Pixels

Floats: TypeAlias = npt.NDArray[np.float64]

#: Dots an inch at which pages are compared with blanks: print is still legible, a page is a megapixel.
WORK_DPI = 100.0
PX_PER_MM = WORK_DPI / 25.4

#: Half the side of a patch of print, and how far around its expected place it is searched, in work pixels.
PATCH, SEARCH = 17, 9

#: One patch is chosen in each cell of this many work pixels (20 mm).
CELL = 80

#: A patch counts as found from this correlation on.
FOUND = 0.5

#: Features are taken at this share of the work resolution: word shapes survive noise there, strokes don't. At 50 dpi
#: SIFT found every one of 40 badly scanned forms with 8 times the inliers of ORB, which lost one; at 40 dpi it finds
#: the same for three quarters of the time.
FEATURE_SCALE, FEATURES = 0.4, 800

#: A match counts when the second best is this much less alike (as a share of the angle between descriptors).
RATIO = 0.85

#: How far a patch speaks for its surroundings, in work pixels (20 mm).
REACH = 80.0

#: The voice of the map itself, which every place hears, in patches.
DOUBT = 0.5

#: Times patches are sought again from a better map, and how far (work pixels) it may move without need for that.
ROUNDS, NEAR = 2, 1.5

#: A patch with more than this share of its square in fields will be written over.
WRITTEN = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """SIFT features, strongest first: `points` n × 2 in work pixels, `descriptors` n × 128 of length one, `angles` in
    degrees."""

    points: Floats
    descriptors: npt.NDArray[np.float32]
    angles: npt.NDArray[np.float32]


def features(work: Pixels) -> Features:
    """Features of a page at work resolution (Lowe 2004; descriptors by Arandjelović and Zisserman's RootSIFT, 2012)."""
    small = resized(work, *(max(1, round(side * FEATURE_SCALE)) for side in work.shape[::-1]))
    sift = cv2.SIFT_create(FEATURES)  # type: ignore[attr-defined]
    found, descriptors = sift.detectAndCompute(small, None)
    if descriptors is None or len(found) == 0:
        return Features(np.empty((0, 2)), np.empty((0, 128), np.float32), np.empty(0, np.float32))
    order = np.argsort([-one.response for one in found], kind="stable")[:FEATURES]
    points = np.asarray(cv2.KeyPoint.convert(found), np.float64)[order]
    roots = np.sqrt(descriptors[order] / np.maximum(1e-6, descriptors[order].sum(axis=1, keepdims=True)))
    back = zoom(work.shape[1] / small.shape[1], work.shape[0] / small.shape[0])
    angles = np.array([one.angle for one in found], np.float32)[order]
    return Features(moved(points, back), np.asarray(roots, np.float32), angles)


def zoom(factor_x: float, factor_y: float) -> Floats:
    """The map of pixel centres when an image is resized by these factors."""
    return np.array([[factor_x, 0, (factor_x - 1) / 2], [0, factor_y, (factor_y - 1) / 2], [0, 0, 1]], dtype=np.float64)


def moved(points: npt.NDArray[np.number[Any]], matrix: Floats) -> Floats:
    """Points (n × 2) under a homography."""
    ends = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(ends[:, :2] / ends[:, 2:], np.float64)


def resized(image: Pixels, width: int, height: int) -> Pixels:
    shrinks = width <= image.shape[1]
    return cast(
        Pixels, cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    )


@dataclass(frozen=True, eq=False)
class Fit:
    """How a page fits on a sheet. All places are in the sheet's work pixels.

    `matrix` maps sheet work pixels to page work pixels; `places` (n × 2) are the patches that lie on the page,
    `offsets` (n × 2) how far each was found from where the matrix puts it, `scores` their correlation, `bare` whether
    hardly any of a field lies there, so that only print can be found.
    """

    matrix: Floats
    inliers: int
    places: Floats
    offsets: Floats
    scores: Floats
    bare: npt.NDArray[np.bool_]

    @cached_property
    def strays(self) -> Floats:
        """How far each patch was found from where its neighbours were (work pixels)."""
        return cast(Floats, np.hypot(*(self.offsets - _medians(self.places, self.offsets, self.scores)).T))

    @cached_property
    def held(self) -> npt.NDArray[np.bool_]:
        """Which patches were found, and where the matrix and their neighbours have them."""
        return (self.scores >= FOUND) & (self.strays < 1.0 * PX_PER_MM)

    @cached_property
    def _voices(self) -> tuple[Floats, Floats, Floats]:
        """Places, offsets and scores of the patches that hold."""
        return self.places[self.held], self.offsets[self.held], self.scores[self.held]

    @property
    def share(self) -> float:
        """Share of the patches on the page that hold."""
        return float(self.held.mean()) if len(self.places) else 0.0

    @property
    def residual(self) -> float:
        """How far print strays, root mean square of the patches that hold (work pixels)."""
        return float(np.sqrt((self.strays[self.held] ** 2).mean())) if self.held.any() else float("inf")

    def near(self, place: Floats) -> tuple[Floats, float, float]:
        """Offset at a place, its residual (both in work pixels), and how many patches speak for it."""
        places, offsets, scores = self._voices
        weights = np.exp(((places - place) ** 2).sum(axis=1) / (-2 * REACH**2)) * scores
        voices = float(weights.sum())
        if voices < 0.05:
            return np.zeros(2), float("inf"), voices
        # A few far voices say less than the map does: the offset shrinks to none with them.
        offset = weights @ offsets / (voices + DOUBT)
        spread = float(np.sqrt(weights @ ((offsets - offset) ** 2).sum(axis=1) / voices))
        return np.asarray(offset, np.float64), spread, voices

    def near_all(self, spots: Floats) -> Floats:
        """Offsets at many places (n × 2)."""
        places, offsets, scores = self._voices
        weights = np.exp(((spots[:, None] - places[None]) ** 2).sum(axis=2) / (-2 * REACH**2)) * scores
        return np.asarray(weights @ offsets / (weights.sum(axis=1, keepdims=True) + DOUBT), np.float64)


def _medians(places: Floats, offsets: Floats, scores: Floats) -> Floats:
    """For each patch the median offset of its nearest neighbours that were found."""
    good = np.flatnonzero(scores >= FOUND)
    if len(good) < 3:
        return np.zeros_like(offsets)
    distances = ((places[:, None] - places[None, good]) ** 2).sum(axis=2)
    nearest = good[np.argsort(distances, axis=1, kind="stable")[:, :7]]
    return cast(Floats, np.median(offsets[nearest], axis=1))


def work_image(image: Pixels, dpi: float) -> tuple[Pixels, Floats]:
    """A page at work resolution, and the map from its pixels back to the page's.

    Where the resolution is a wrong guess, the long side still stays between A6 and A3.
    """
    height, width = image.shape
    factor = float(np.clip(WORK_DPI / dpi, 580 / max(height, width), 1660 / max(height, width)))
    small = resized(image, max(1, round(width * factor)), max(1, round(height * factor)))
    soft = cast(Pixels, cv2.GaussianBlur(small, (3, 3), 0))
    return soft, zoom(width / small.shape[1], height / small.shape[0])


def darkness(work: Pixels) -> Pixels:
    """How much darker each pixel is than the paper around it: ink without shading, shadows and large grey areas."""
    side = 2 * round(5.0 * PX_PER_MM) + 1
    return cast(Pixels, cv2.morphologyEx(work, cv2.MORPH_BLACKHAT, np.ones((side, side), np.uint8)))


def blank_image(doctype: DocumentType, form_page: int) -> Pixels:
    """The blank of a form's page as it lies in the type's folder, grey."""
    if doctype.folder is None:
        raise ValueError(f"document type {doctype.key} was not read from a folder, so it has no blank pages")
    path = doctype.folder / doctype.pages[form_page - 1].blank
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError(f"document type {doctype.key}: the blank of page {form_page} ({path.name}) is no picture")
    return cast(Pixels, image)


def likeness(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The cosine of every descriptor of one page with every of another."""
    # Not NumPy's product, whose threads cost several times what they save on matrices of this size.
    return cast("npt.NDArray[np.float32]", cv2.gemm(one, other, 1.0, None, 0.0, flags=cv2.GEMM_2_T))


def clear_matches(alike: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows of a likeness matrix with one column far more alike than any other, and these columns. Spoils the matrix."""
    rows = np.arange(len(alike))
    best = alike.argmax(axis=1)
    first = alike[rows, best].copy()
    alike[rows, best] = -1
    # For unit vectors the squared distance is 2 − 2·likeness.
    clear = np.flatnonzero((1 - first) < RATIO**2 * (1 - alike.max(axis=1)))
    return clear, best[clear]


class Sheet:
    """One page of a document type: its blank at work resolution with features and patches."""

    def __init__(self, doctype: DocumentType, form_page: int) -> None:
        paper = doctype.pages[form_page - 1]
        self.doctype, self.form_page = doctype, form_page
        blank = self.blank = blank_image(doctype, form_page)
        self.width = round(paper.width_mm * PX_PER_MM)
        self.height = round(paper.height_mm * PX_PER_MM)
        #: Blank pixels → work pixels.
        self.to_work = zoom(self.width / blank.shape[1], self.height / blank.shape[0])
        self.work = cast(Pixels, cv2.GaussianBlur(resized(blank, self.width, self.height), (3, 3), 0))
        self.features = features(self.work)
        in_fields = np.zeros((self.height, self.width), np.float32)
        for field in doctype.fields:
            if field.page == form_page:
                x0, y0, x1, y1 = field.where.pixels(self.width, self.height)
                in_fields[y0 : y1 + 1, x0 : x1 + 1] = 1
        #: Where a patch's square lies on fields so far that hands will write into it.
        self.written = cv2.blur(in_fields, (2 * PATCH + 1, 2 * PATCH + 1)) > WRITTEN
        self.places = self._choose()

    @cached_property
    def darkness(self) -> Pixels:
        """The blank's print, by its darkness."""
        return darkness(self.work)

    def _choose(self) -> npt.NDArray[np.int64]:
        """The place most like a corner in each cell that has print: where a patch can slip in no direction."""
        rim = PATCH + 1
        corner = cv2.cornerMinEigenVal(self.work, PATCH, ksize=3)
        corner[:rim], corner[-rim:], corner[:, :rim], corner[:, -rim:] = 0, 0, 0, 0
        # What will be written over is found badly; a weaker corner beside it is better.
        corner[self.written] *= 0.2
        places = []
        for top in range(0, self.height, CELL):
            for left in range(0, self.width, CELL):
                cell = corner[top : top + CELL, left : left + CELL]
                y, x = np.unravel_index(int(cell.argmax()), cell.shape)
                if cell[y, x] > 1e-4:
                    places.append((left + int(x), top + int(y)))
        return np.array(places, dtype=np.int64).reshape(-1, 2)

    def match(self, page: Features) -> tuple[Floats | None, int]:
        """The first guess: a map from this sheet's work pixels to the page's, and how many features agree on it.

        A similarity first, which few wrong matches can imitate; then, among what roughly agrees with it, a homography
        where it explains clearly more (a photograph), else the similarity.
        """
        source, target = self._pairs(page)
        if len(source) < 6:
            return None, 0
        tight, loose = 1.0 * PX_PER_MM, 5.0 * PX_PER_MM
        alike, mask = cv2.estimateAffinePartial2D(
            source, target, method=cv2.RANSAC, ransacReprojThreshold=tight, maxIters=3000, confidence=0.999
        )
        if alike is None or abs(np.linalg.det(alike[:, :2])) < 1e-3:
            return None, 0
        matrix, inliers = np.vstack([alike, [0, 0, 1]]), int(mask.sum())
        roughly = np.hypot(*(moved(source, matrix) - target).T) < loose
        if roughly.sum() > 1.3 * inliers and roughly.sum() >= 12:
            tilted, mask = cv2.findHomography(source[roughly], target[roughly], cv2.RANSAC, tight)
            if tilted is not None and mask.sum() > 1.3 * inliers:
                return np.asarray(tilted, np.float64), int(mask.sum())
        return np.asarray(matrix, np.float64), inliers

    def _pairs(self, page: Features) -> tuple[Floats, Floats]:
        """Matched points: each page feature with its nearest on the blank, where no other is nearly as near."""
        mine = self.features
        if len(page.points) < 2 or len(mine.points) < 2:
            return np.empty((0, 2)), np.empty((0, 2))
        clear, best = clear_matches(likeness(page.descriptors, mine.descriptors))
        return mine.points[best], page.points[clear]

    def fit(self, page: Pixels, matrix: Floats, inliers: int) -> Fit:
        """Refines a first guess by the patches; they are sought again where the first guess was a millimetre off."""
        fit = self._patches(page, matrix, inliers)
        for _ in range(ROUNDS):
            good = fit.scores >= FOUND
            if good.sum() < 6:
                break
            there = moved(fit.places + fit.offsets, fit.matrix)
            better, _mask = cv2.findHomography(fit.places[good], there[good], cv2.RANSAC, 0.8 * PX_PER_MM)
            if better is None or abs(np.linalg.det(better)) < 1e-9:
                break
            shift = np.abs(moved(fit.places, better) - moved(fit.places, fit.matrix)).max()
            if shift < NEAR:
                # The patches look the same from here: only what their offsets count from has moved.
                offsets = moved(there, np.linalg.inv(better)) - fit.places
                return replace(fit, matrix=np.asarray(better, np.float64), offsets=offsets)
            fit = self._patches(page, np.asarray(better, np.float64), inliers)
        return fit

    def upright(self, page: Pixels, matrix: Floats) -> Pixels:
        """The page (work resolution) in this sheet's frame; off the page it is white."""
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cast(Pixels, cv2.warpPerspective(page, matrix, (self.width, self.height), flags=flags, borderValue=255))

    def _patches(self, page: Pixels, matrix: Floats, inliers: int) -> Fit:
        upright = self.upright(page, matrix)
        height, width = page.shape
        there = moved(self.places, matrix)
        on_page = ((there > PATCH) & (there < (width - PATCH, height - PATCH))).all(axis=1)
        places = self.places[on_page]
        offsets, scores = np.zeros((len(places), 2)), np.zeros(len(places))
        for row, (x, y) in enumerate(places):
            offsets[row], scores[row] = seek(upright, self.work, int(x), int(y))
        bare = ~self.written[places[:, 1], places[:, 0]]
        return Fit(matrix, inliers, places.astype(np.float64), offsets, scores, bare)


def seek(image: Pixels, blank: Pixels, x: int, y: int, half: int = PATCH, search: int = SEARCH) -> tuple[Floats, float]:
    """Where the blank's patch around (x, y) stands in the image: its offset, to a fraction of a pixel, and the
    normalised correlation there."""
    template = blank[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1]
    top, left = max(0, y - half - search), max(0, x - half - search)
    window = image[top : y + half + search + 1, left : x + half + search + 1]
    if window.shape[0] < template.shape[0] or window.shape[1] < template.shape[1]:
        return np.zeros(2), 0.0
    surface = cv2.matchTemplate(window, template, cv2.TM_CCOEFF_NORMED)
    _low, score, _where, (column, row) = cv2.minMaxLoc(surface)
    if not np.isfinite(score):
        return np.zeros(2), 0.0
    dx = column + left + _peak(surface[row], column) - max(0, x - half)
    dy = row + top + _peak(surface[:, column], row) - max(0, y - half)
    return np.array([dx, dy]), float(score)


def _peak(values: npt.NDArray[np.float32], at: int) -> float:
    """How far the top of a parabola through three values lies from the middle one."""
    if at == 0 or at == len(values) - 1:
        return 0.0
    before, here, after = (float(value) for value in values[at - 1 : at + 2])
    bend = before - 2 * here + after
    return 0.0 if bend >= 0 else 0.5 * (before - after) / bend
