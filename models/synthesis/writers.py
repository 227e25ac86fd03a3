"""Letters, digits and words that many people really wrote, as the strokes of their pens (UNIPEN, made ready by
`unipen.py`).

A sample is one letter or one word by one writer. Both sides of the split have writers of their own: whole contributors
of the collection are kept aside for testing, so that nobody is on both.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.synthesis.split import Split
from models.synthesis.strokes import Points

#: Units of a point for one height of capitals.
UNITS = 1000.0

#: What a file holds for each side: points, where strokes end among them, where samples end among strokes; of letters
#: also each one's code point and writer's number.
INK = ("points", "strokes", "samples")
PARTS = (*INK, "letters", "writers", *(f"word_{part}" for part in INK))


#: Where letters begin and end, capitals 1 high and y downwards from the baseline: small letters by their shape.
TALL, SHORT, HANGING, DOTTED_HANGING, DOTTED, CROSSED = (
    (-1.0, 0.0), (-0.64, 0.0), (-0.64, 0.36), (-0.85, 0.36), (-0.88, 0.0), (-0.88, 0.0),
)  # fmt: skip
HEIGHTS = {
    **dict.fromkeys("acemnorsuvwxz", SHORT),
    **dict.fromkeys("gpqy", HANGING),
    "i": DOTTED,
    "j": DOTTED_HANGING,
    "t": CROSSED,
}


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Samples one after another."""

    points: npt.NDArray[np.int16]
    strokes: npt.NDArray[np.int64]
    samples: npt.NDArray[np.int64]

    def sample(self, number: int) -> tuple[Points, ...]:
        """The strokes of a sample, x from 0, y from −1 (its top, or that of capitals) to 0 (baseline) and below."""
        first, last = (int(self.samples[number - 1]) if number else 0), int(self.samples[number])
        ends = [int(self.strokes[first - 1]) if first else 0, *self.strokes[first:last].tolist()]
        return tuple(
            np.asarray(self.points[start:end], np.float32) / np.float32(UNITS)
            for start, end in itertools.pairwise(ends)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Writers:
    """What one side wrote. `places` finds letters by themselves and their writer, `known` the writers of each letter;
    of words nobody needs to know what they say."""

    split: Split
    letters: Recorded
    words: Recorded
    places: dict[tuple[str, int], list[int]]
    known: dict[str, list[int]]

    def writer(self, rng: np.random.Generator, text: Iterable[str] = "") -> Writer:
        """Somebody who wrote one of the letters of the text, or anyone."""
        letters = [letter for letter in text if letter in self.known] or list(self.known)
        writers = self.known[letters[int(rng.integers(len(letters)))]]
        return Writer(self, writers[int(rng.integers(len(writers)))])

    def half(self, odd: bool) -> Writers:
        """Every second writer, counted from the first or the second."""
        places = {key: found for key, found in self.places.items() if key[1] % 2 == odd}
        known = {letter: [one for one in some if one % 2 == odd] for letter, some in self.known.items()}
        return replace(self, places=places, known={letter: some for letter, some in known.items() if some})

    def word(self, rng: np.random.Generator) -> tuple[Points, ...] | None:
        """A word in somebody's running hand, 1 high from its highest to its lowest point."""
        count = len(self.words.samples)
        return self.words.sample(int(rng.integers(count))) if count else None


@dataclass(slots=True, eq=False)
class Writer:
    """One person's letters. What they have not left us is in another hand, the same one each time."""

    writers: Writers
    number: int
    others: dict[str, list[int]] = field(default_factory=dict)

    def strokes(self, letter: str, rng: np.random.Generator) -> tuple[Points, ...] | None:
        """The letter as it was written once, or None where nobody wrote it."""
        if letter not in self.writers.known:
            return None
        places = self.writers.places.get((letter, self.number)) or self.others.get(letter)
        if places is None:
            known = self.writers.known[letter]
            places = self.writers.places[letter, known[int(rng.integers(len(known)))]]
            self.others[letter] = places
        return self.writers.letters.sample(places[int(rng.integers(len(places)))])


@functools.lru_cache(4)
def writers(path: Path, split: Split) -> Writers:
    """The writers of a side. Raises `ValueError` for a file that holds no such arrays, and `OSError` for none."""
    with np.load(path) as data:
        try:
            read = {part: data[f"{part}_{split}"] for part in PARTS}
        except KeyError as missing:
            raise ValueError(
                f"{path}: there is no array {missing}; make the file by python -m models.synthesis.unipen"
            ) from None
    places: dict[tuple[str, int], list[int]] = {}
    for number, (letter, writer) in enumerate(zip(read["letters"].tolist(), read["writers"].tolist(), strict=True)):
        places.setdefault((chr(letter), writer), []).append(number)
    known: dict[str, list[int]] = {}
    for letter, writer in places:
        known.setdefault(letter, []).append(writer)
    letters, words = (Recorded(*(read[f"{kind}{part}"] for part in INK)) for kind in ("", "word_"))
    return Writers(split, letters, words, places, known)
