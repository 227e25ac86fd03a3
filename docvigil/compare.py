"""How several models compare: on fields of labelled documents, and on questions with lettered answers.

On labelled documents every model is shown the same evidence. Accuracy is the share of fields of which state and value
are right, as in `docvigil models evaluate`; precision and recall are those of finding empty fields, which is what a
scan looks for. On lettered questions (as in MMStar; Chen et al., 2024) the model chooses a letter in one pass;
precision, recall and F1 are means over the letters.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from docvigil.measure import CHOICES, cuts, labels, readings
from pipeline.doctypes.schema import FieldKind
from pipeline.locate import Atlas
from pipeline.pages import Limits
from pipeline.reading import Answer, Question, Reader

#: What follows a lettered question.
LETTER_ONLY = "\nAnswer only with the letter!"

#: The letters that can be chosen, whether or not one is ever right.
LETTERS = "ABCD"

#: A picture of more pixels is no benchmark's.
MAX_PIXELS = 50_000_000


class Chooser(Protocol):
    """A model that chooses between words."""

    def choose(self, pictures: Sequence[Image.Image], texts: Sequence[str], words: Sequence[str]) -> list[list[float]]:
        """How likely each word is, for each picture and prompt."""
        ...


class Timed:
    """A reader whose time is taken."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.seconds, self.images = 0.0, 0

    @property
    def version(self) -> str:
        return self._reader.version

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        began = time.perf_counter()
        answers = self._reader.read(questions)
        self.seconds += time.perf_counter() - began
        self.images += len(questions)
        return answers


@dataclass
class Compared:
    """What was counted of one model: `right` of `count`; for each class how often it was told, was so, and both."""

    images: int = 0
    seconds: float = 0.0
    count: int = 0
    right: int = 0
    told: dict[str, int] = field(default_factory=dict)
    were: dict[str, int] = field(default_factory=dict)
    both: dict[str, int] = field(default_factory=dict)

    def add(self, wanted: str | None, found: str | None, right: bool) -> None:
        """One thing that is of class `wanted` and was told to be of class `found`; None is of no class."""
        self.count += 1
        self.right += right
        for counts, name in ((self.told, found), (self.were, wanted), (self.both, wanted if wanted == found else None)):
            if name is not None:
                counts[name] = counts.get(name, 0) + 1

    @property
    def accuracy(self) -> float | None:
        return self.right / self.count if self.count else None

    @property
    def precision(self) -> float | None:
        """The mean over the classes of the share of what is told that is so; a class never told has none."""
        return _mean([self.both.get(name, 0) / told for name, told in self.told.items()])

    @property
    def recall(self) -> float | None:
        """The mean over the classes of the share of what is so that is told."""
        return _mean([self.both.get(name, 0) / were for name, were in self.were.items()])

    @property
    def f1(self) -> float | None:
        """The mean over the classes of the harmonic mean of the two."""
        classes = self.told.keys() | self.were.keys()
        return _mean(
            [2 * self.both.get(name, 0) / (self.told.get(name, 0) + self.were.get(name, 0)) for name in sorted(classes)]
        )

    @property
    def seconds_per_image(self) -> float | None:
        return self.seconds / self.images if self.images else None


def on_documents(folder: Path, readers: Sequence[Reader], atlas: Atlas, limits: Limits) -> Iterator[list[Compared]]:
    """The counts of every reader so far, after each document. Raises ValueError for a folder without sound labels."""
    timed = [Timed(one) for one in readers]
    counts = [Compared() for _ in readers]
    for document in labels(folder):
        evidence = cuts(folder / document["path"], atlas, limits)
        for reader, counted in zip(timed, counts, strict=True):
            found = readings(evidence, reader)
            for one in document["fields"]:
                wanted, kind = one["value"], FieldKind(one["kind"])
                read = found.get((one["page"], one["name"]))
                there = read is not None and read.filled == (wanted is not None)
                value = wanted is None or kind in CHOICES or (read is not None and read.value == wanted)
                counted.add(
                    "empty" if wanted is None else None,
                    "empty" if read is not None and not read.filled else None,
                    there and value,
                )
            counted.images, counted.seconds = reader.images, reader.seconds
        yield counts


@dataclass(frozen=True)
class Lettered:
    """A question about a picture, its choices in its text, and the letter of the right one."""

    picture: Image.Image
    question: str
    answer: str


def on_letters(asked: Iterable[Lettered], models: Sequence[Chooser]) -> Iterator[list[Compared]]:
    """The counts of every model so far, after each question."""
    counts = [Compared() for _ in models]
    for one in asked:
        for model, counted in zip(models, counts, strict=True):
            began = time.perf_counter()
            (chances,) = model.choose([one.picture], [one.question + LETTER_ONLY], list(LETTERS))
            counted.seconds += time.perf_counter() - began
            counted.images += 1
            letter = LETTERS[chances.index(max(chances))]
            counted.add(one.answer, letter, letter == one.answer)
        yield counts


def lettered(file: Path, most: int | None = None) -> Iterator[Lettered]:
    """The questions of a .jsonl or .parquet file with the columns `image`, `question` and `answer`, at most so many.

    An image is its bytes (in JSON in base64), a struct with `bytes`, or a path from where the file stands. Raises
    ValueError with a sentence for what is not of that form.
    """
    for number, row in enumerate(_rows(file), start=1):
        if most is not None and number > most:
            return
        try:
            answer = str(row["answer"]).strip().strip("().").upper()
            if answer not in LETTERS or len(answer) != 1:
                raise ValueError(f"the answer is {row['answer']!r}, not one of {', '.join(LETTERS)}")
            yield Lettered(_picture(row["image"], file.parent), str(row["question"]), answer)
        except (KeyError, TypeError, ValueError, OSError) as wrong:
            what = f"{wrong} is missing" if isinstance(wrong, KeyError) else str(wrong)
            raise ValueError(f"{file}, question {number}: {what}") from wrong


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    match file.suffix:
        case ".jsonl":
            with file.open(encoding="utf-8") as lines:
                yield from (json.loads(line) for line in lines if line.strip())
        case ".parquet":
            try:
                from pyarrow import ArrowInvalid, parquet
            except ImportError as missing:
                raise ValueError(f"{file} needs pyarrow: pip install 'docvigil[parquet]'") from missing
            try:
                for batch in parquet.ParquetFile(file).iter_batches(16, columns=["image", "question", "answer"]):
                    yield from batch.to_pylist()
            except ArrowInvalid as wrong:
                raise ValueError(f"{file} is no Parquet file: {wrong}") from wrong
        case other:
            raise ValueError(f"{file} ends in {other!r}; .jsonl and .parquet are read")


def _picture(given: Any, folder: Path) -> Image.Image:
    if isinstance(given, dict):
        given = given.get("bytes") or given["path"]
    if isinstance(given, str):
        path = folder / given
        # No path is as long as a picture.
        given = path.read_bytes() if len(given) < 1000 and path.is_file() else _decoded(given)
    picture = Image.open(io.BytesIO(given))
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(f"the image has {picture.width} × {picture.height} pixels")
    return picture.convert("RGB")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError(f"there is no file {text[:80]!r} beside it, and it is not base64") from None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
