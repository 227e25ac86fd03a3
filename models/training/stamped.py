"""How well the print of stamps is read: lines that the recogniser finds against those that were drawn."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context

from rapidfuzz.distance import Levenshtein

from models.ocr import PrintReader
from models.scores import wilson
from models.training.forms import stamps_of

#: Forms that one process draws and reads at a time.
PART = 10


@dataclass(frozen=True, slots=True)
class Impression:
    """What one stamp says and what was read, line by line."""

    said: tuple[str, ...]
    read: tuple[str, ...]

    @property
    def edits(self) -> int:
        return Levenshtein.distance(_letters(self.said), _letters(self.read))

    @property
    def lines_read(self) -> int:
        """Lines of the stamp that were read as they stand there."""
        found = [_letters([line]) for line in self.read]
        return sum(_letters([line]) in found for line in self.said)


@dataclass(frozen=True, slots=True)
class StampScore:
    """`exact` is the share of stamps of which each letter and digit was read and nothing else, with its 95 % interval;
    `lines` that of single lines; `character_error` edits by letters."""

    stamps: int
    exact: float
    low: float
    high: float
    lines: float
    character_error: float


def score(impressions: Sequence[Impression]) -> StampScore:
    """What came of all of them. Raises ValueError where there is none."""
    if not impressions:
        raise ValueError("no stamp was drawn, so none can be judged; draw more forms")
    exact = sum(not one.edits for one in impressions)
    low, high = wilson(exact, len(impressions))
    lines = sum(len(one.said) for one in impressions)
    letters = sum(len(_letters(one.said)) for one in impressions)
    return StampScore(
        stamps=len(impressions),
        exact=exact / len(impressions),
        low=low,
        high=high,
        lines=sum(one.lines_read for one in impressions) / lines,
        character_error=sum(one.edits for one in impressions) / letters,
    )


def evaluate_stamps(documents: int, first: int, processes: int = 1, manner: str = "scan") -> StampScore:
    """The print on stamps of so many forms of the test split that reached us in one manner."""
    task = functools.partial(_read, manner)
    parts = [(number, min(PART, first + documents - number)) for number in range(first, first + documents, PART)]
    if processes == 1:
        read = [task(part) for part in parts]
    else:
        with get_context("spawn").Pool(processes) as pool:
            read = pool.map(task, parts, chunksize=1)
    return score([one for some in read for one in some])


def _read(manner: str, part: tuple[int, int]) -> list[Impression]:
    first, documents = part
    reader = _reader()
    return [
        Impression(tuple(said.split("\n")), tuple(text for text, _score in reader.lines(image)))
        for said, image in stamps_of("test", documents, first, manner)
    ]


@functools.cache
def _reader() -> PrintReader:
    return PrintReader()


def _letters(lines: Sequence[str]) -> str:
    """What counts: letters and digits, whatever their case."""
    return re.sub(r"[\W_]", "", "".join(lines)).casefold()
