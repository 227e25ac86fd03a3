"""What people wrote on tablets, as samples: the form in which every collection is read and one file is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from models.synthesis.split import Split
from models.synthesis.strokes import Points
from models.synthesis.writers import HEIGHTS, PARTS, TALL, UNITS

#: Points of a stroke at most.
MOST_POINTS = 28

#: A sample that is wider than this share of its height is no letter.
WIDEST = 2.6

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One letter (or word) by one writer, its strokes in capitals' heights."""

    letter: str
    writer: str
    split: Split
    strokes: tuple[Points, ...]


def strokes_of(recording: str) -> list[Points]:
    """Each run of the pen on the paper, in the order that segments count them."""
    strokes = []
    for part in re.split(r"^\.PEN_DOWN", recording, flags=re.M)[1:]:
        points = part.partition("\n.")[0].split("\n")[1:]
        pairs = [point.split()[:2] for point in points if point.strip()]
        try:
            strokes.append(np.array(pairs, np.float32).reshape(-1, 2))
        except ValueError:
            strokes.append(np.zeros((0, 2), np.float32))
    return strokes


def placed(letter: str, strokes: list[Points]) -> tuple[Points, ...] | None:
    """A letter on its baseline, as high as such letters are; None for what is none."""
    there = [stroke for stroke in strokes if len(stroke)]
    if not there or not letter.isascii() or not letter.isalnum():
        return None
    wide, tall = np.ptp(np.concatenate(there), axis=0)
    return None if wide > WIDEST * tall else sized(there, *HEIGHTS.get(letter, TALL), MOST_POINTS)


def sized(strokes: list[Points], top: float, bottom: float, most: int) -> tuple[Points, ...] | None:
    """Ink from `top` to `bottom`, its left end at 0; None for what has no height."""
    every = np.concatenate(strokes)
    low, high = every.min(axis=0), every.max(axis=0)
    if high[1] <= low[1]:
        return None
    scale = (bottom - top) / (high[1] - low[1])
    # The collection counts y upwards.
    turned = [np.stack([(one[:, 0] - low[0]) * scale, (high[1] - one[:, 1]) * scale + top], 1) for one in strokes]
    return tuple(_thinned(np.asarray(one, np.float32), most) for one in turned)


def _thinned(points: Points, most: int) -> Points:
    """A stroke of no more points than are needed, at even distances."""
    if len(points) == 1:
        return np.repeat(points, 2, axis=0) + np.array([[0, 0], [0.02, 0]], np.float32)
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    count = int(np.clip(round(way[-1] / 0.07), 3, most))
    at = np.linspace(0, way[-1], count)
    return np.stack([np.interp(at, way, points[:, axis]) for axis in (0, 1)], 1).astype(np.float32)


def packed(samples: list[Sample], words: list[Sample], split: Split) -> Arrays:
    """The arrays of one side of the split, as `writers.py` reads them."""
    mine = [one for one in samples if one.split == split]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(one.writer for one in mine))}
    arrays: tuple[npt.NDArray[Any], ...] = (
        *_inked(mine),
        np.array([ord(one.letter) for one in mine], np.uint8),
        np.array([numbers[one.writer] for one in mine], np.int32),
        *_inked([one for one in words if one.split == split]),
    )
    return {f"{part}_{split}": array for part, array in zip(PARTS, arrays, strict=True)}


def _inked(samples: list[Sample]) -> tuple[npt.NDArray[Any], ...]:
    strokes = [stroke for one in samples for stroke in one.strokes]
    return (
        np.round(np.concatenate([*strokes, np.zeros((0, 2), np.float32)]) * UNITS).astype(np.int16),
        np.cumsum([len(one) for one in strokes], dtype=np.int64),
        np.cumsum([len(one.strokes) for one in samples], dtype=np.int64),
    )
