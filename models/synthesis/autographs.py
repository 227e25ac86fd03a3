"""Signatures and initials as they stand on letters: drawn by a signer, or a name in a hand with a flourish."""

from __future__ import annotations

import cv2
import numpy as np

from models.synthesis.faces import Face, Materials, WrittenFace, drawn
from models.synthesis.leaf import PX_PER_MM
from models.synthesis.people import MEN, SURNAMES, WOMEN
from models.synthesis.signatures import signature
from models.synthesis.strokes import Mask, stroke

#: Height of a signature and of initials (mm).
HEIGHT_MM, INITIALS_MM = (8.0, 38.0), (5.0, 17.0)

#: How often somebody just writes their name as they write anything, how high capitals are then (mm), and how often the
#: pen goes on.
PLAIN, PLAIN_MM, PLAIN_FLOURISH = 0.3, (2.8, 7.5), 0.2

#: How often letters, and names in running hands, are those of people where there are any.
WRITTEN, RUNNING = 0.4, 0.45

#: Width of a pen's point (mm): fountain pens and ballpoints to felt pens.
POINT_MM = (0.2, 0.75)


def autograph(rng: np.random.Generator, materials: Materials, *, initials: bool = False) -> Mask:
    """A signature or initials as ink, cut tight."""
    least, most = INITIALS_MM if initials else HEIGHT_MM
    height = (least + (most - least) * rng.beta(1.4, 2.2)) * PX_PER_MM
    point = rng.uniform(*POINT_MM) * PX_PER_MM
    plain = not initials and rng.random() < PLAIN
    for _ in range(4):
        if plain:
            mask = _plain(rng, materials, point)
        elif rng.random() < (0.6 if initials else 0.5):
            mask = _written(rng, materials, height * rng.uniform(0.35, 0.8), point, initials)
        else:
            mask = _drawn(rng, materials, height, point, initials)
        mask = tight(mask)
        if mask.shape[0] > 10 and mask.shape[1] > 10:
            break
    return mask


def tight(mask: Mask) -> Mask:
    """Ink without the bare rows and columns around it."""
    rows, columns = np.flatnonzero(mask.max(axis=1) > 0.1), np.flatnonzero(mask.max(axis=0) > 0.1)
    if not len(rows):
        return mask
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def hand(rng: np.random.Generator, materials: Materials) -> Face:
    """Somebody's letters."""
    if materials.writers is not None and rng.random() < WRITTEN:
        return WrittenFace(materials.writers.writer(rng), rng)
    faces: tuple[Face, ...] = materials.hands or materials.strokes
    return faces[int(rng.integers(len(faces)))]


def running(rng: np.random.Generator, materials: Materials, px: float, point: float, words: int) -> Mask | None:
    """Words in a running hand, about `px` high, as ink; None where nobody's are there."""
    there = [materials.writers.word(rng) for _ in range(words)] if materials.writers is not None else []
    placed, x = [], 0.0
    for strokes in filter(None, there):
        # Names are not all of one height, nor does a second one begin on the first one's line.
        size, drop = rng.uniform(0.75, 1.0), rng.normal(0, 0.08)
        placed += [one * np.float32(size) + np.array([x, drop], np.float32) for one in strokes]
        x = max(float(one[:, 0].max()) for one in placed) + rng.uniform(-0.1, 0.6)
    if not placed:
        return None
    low = np.concatenate(placed).min(axis=0)
    lifted = [np.asarray(one - [min(0.0, low[0]), min(0.0, low[1] + 1)], np.float32) for one in placed]
    return tight(drawn(lifted, max(12.0, px), max(1, round(point))).mask)


def bent(rng: np.random.Generator, mask: Mask, much: float) -> Mask:
    """Ink as if written on another day: leaned, sloped and warped by long waves; `much` in shares of its height."""
    height, width = mask.shape
    side = int(0.5 * height) + 4
    mask = np.pad(mask, ((side, side), (side, side)))
    y, x = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]].astype(np.float32)
    lean, slope = rng.normal(0.0, 0.22), rng.normal(0.02, 0.05)
    for _ in range(2):
        long = height * rng.uniform(1.0, 5.0)
        x = x + np.float32(much * height * rng.normal()) * np.sin(y / np.float32(long) * 6.3 + rng.uniform(0, 6))
        y = y + np.float32(much * height * rng.normal()) * np.sin(x / np.float32(long) * 6.3 + rng.uniform(0, 6))
    map_x = x + np.float32(lean) * (y - mask.shape[0] / 2)
    map_y = y + np.float32(slope) * (x - width / 2)
    return np.asarray(cv2.remap(mask, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR), np.float32)


def _drawn(rng: np.random.Generator, materials: Materials, height: float, point: float, initials: bool) -> Mask:
    size = max(12, int(height)), max(24, int(height * (1.6 if initials else rng.uniform(1.6, 4.0))))
    # The signer's own point is about a fortieth of the height.
    bold = float(np.clip(point / (height / 38), 0.35, 1.6))
    mask = signature(rng, materials, *size, initials=initials, bold=bold)
    for _ in range(2):
        edges = mask[[0, -1]].max() + mask[:, [0, -1]].max()
        if edges < 0.5:
            break
        # Ink that leaves the canvas would end in straight cuts, which no pen makes.
        mask = signature(rng, materials, *size, initials=initials, bold=bold)
    return mask


def _written(rng: np.random.Generator, materials: Materials, px: float, point: float, initials: bool) -> Mask:
    """A name in a hand, the pen going on through or under it."""
    mask = None if initials or rng.random() > RUNNING else running(rng, materials, px, point, int(rng.integers(1, 3)))
    if mask is None:
        mask = hand(rng, materials).word(_name(rng, initials), max(12.0, px)).mask
    mask = bent(rng, mask, 0.01 if initials else rng.uniform(0.0, 0.06))
    # Large letters of a font are as if written with a brush; a pen's point doesn't grow with them.
    thinner = round(0.085 * px - point)
    if thinner > 0 and rng.random() < 0.7:
        thinned = cv2.erode(mask, np.ones((min(4, thinner + 1),) * 2))
        mask = np.asarray(thinned if thinned.sum() > 0.25 * mask.sum() else mask, np.float32)
    if rng.random() < (0.25 if initials else 0.6):
        mask = _flourished(rng, mask, point)
    return mask


def _plain(rng: np.random.Generator, materials: Materials, point: float) -> Mask:
    """A name that can be read, no larger than other handwriting: only its place says that somebody signed."""
    px, thin = rng.uniform(*PLAIN_MM) * PX_PER_MM, min(point, 0.45 * PX_PER_MM)
    mask = None if rng.random() > RUNNING else running(rng, materials, px * 1.5, thin, int(rng.integers(1, 4)))
    if mask is None:
        mask = hand(rng, materials).word(_name(rng, initials=False), max(12.0, px)).mask
    mask = bent(rng, mask, rng.uniform(0.0, 0.04))
    return _flourished(rng, mask, thin) if rng.random() < PLAIN_FLOURISH else mask


def _name(rng: np.random.Generator, initials: bool) -> str:
    given = str(rng.choice(MEN + WOMEN))
    family = str(rng.choice(SURNAMES))
    if rng.random() < 0.4:
        letters = "aeiourstnlmkhdpvjycbgfwz"
        family = family[0] + "".join(letters[place] for place in rng.integers(0, len(letters), rng.integers(3, 9)))
    if initials:
        dot = "." if rng.random() < 0.3 else ""
        both = f"{given[0]}{dot}{family[0]}{dot}"
        return both if rng.random() < 0.75 else f"{given[0]}{dot}"
    return (f"{given} {family}", f"{given[0]}. {family}", family, given, f"{given[0]}{family}", f"{given} {family[0]}")[
        int(rng.integers(6))
    ]


def _flourished(rng: np.random.Generator, mask: Mask, point: float) -> Mask:
    height, width = mask.shape
    side = int(0.6 * height)
    mask = np.pad(mask, ((side, side), (side, side)))
    canvas = np.zeros(mask.shape, np.uint8)
    x, y = side + width * rng.uniform(0.7, 1.0), side + height * rng.uniform(0.4, 0.8)
    points = [(x, y)]
    for _ in range(int(rng.integers(1, 4))):
        points.append((side + width * rng.uniform(0.3, 1.2), side + height * rng.uniform(-0.2, 1.1)))
        points.append((side + width * rng.uniform(-0.1, 0.7), side + height * rng.uniform(0.4, 1.2)))
    points.append((side + width * rng.uniform(0.6, 1.4), side + height * rng.uniform(0.5, 1.2)))
    stroke(canvas, points, max(1.0, point), vary=0.5)
    return np.asarray(np.maximum(mask, canvas / np.float32(255)), np.float32)
