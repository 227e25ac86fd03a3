"""Reviewers' examples as a training takes them, alone or among drawn evidence. The folder is `pipeline.feedback`'s."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import structlog
from torch.utils.data import Dataset, IterableDataset

from models.answers import EMPTY, ILLEGIBLE, LONGEST, STRUCK
from models.nanovlm.processor import fitted
from models.nanovlm.tokens import CHARACTERS, CHOICES
from models.synthesis.evidence import Answer, Drawn
from models.training.lesson import Example, Lessons, varied
from models.training.recipe import Recipe
from models.training.shards import UNKNOWN, Shard, packed
from pipeline import closeup, feedback
from pipeline.evidence import between_margins
from pipeline.reading import AnswerState, Pixels, QuestionKind

log = structlog.get_logger(__name__)

#: Columns of an evidence whose labels nobody knows.
COLUMNS = np.full(48, UNKNOWN, np.uint8)

#: How far the ends of an evidence may be moved by turning it, as a share of its height: strings are cut tight.
SLACK_STRING, SLACK_CHOICE = 0.12, 0.35

STATES = {AnswerState.EMPTY: EMPTY, AnswerState.ILLEGIBLE: ILLEGIBLE, AnswerState.STRUCK: STRUCK}


def answer(example: feedback.Example) -> Answer:
    """The tokens to be said. Raises ValueError for what this model has no words for."""
    kind = example.kind
    if example.state is not AnswerState.PRESENT:
        said = STATES[example.state]
        if said not in CHOICES.get(kind, (EMPTY, ILLEGIBLE)):
            raise ValueError(f"a {kind} is never {example.state}")
        return (said,)
    if example.label is not None:
        if f"<{example.label}>" not in CHOICES[kind]:
            raise ValueError(f"a {kind} is never {example.label}")
        return (f"<{example.label}>",)
    value = (example.value or "").strip()
    if kind is QuestionKind.DATE and example.cells is not None:
        # Whatever a person writes between them, boxes hold digits.
        value = "".join(letter for letter in value if letter.isdigit())
    if not value or not set(value) <= set(CHARACTERS):
        raise ValueError("a value has characters that are not read")
    if len(value) > LONGEST:
        raise ValueError(f"a value is longer than {LONGEST} characters")
    return tuple(value)


class Reviewed(Dataset[Example]):
    """Examples by number; the pictures are opened as they are needed.

    `left_out` counts, by reason, those that can't be learned from.
    """

    def __init__(self, folder: Path, examples: Sequence[feedback.Example]) -> None:
        # Importing it takes a while, and only who has feedback needs it.
        from datasets import Dataset as Table
        from datasets import Features, Image

        self.left_out: Counter[str] = Counter()
        self._answers: list[tuple[feedback.Example, Answer]] = []
        for one in examples:
            try:
                said = answer(one)
            except ValueError as wrong:
                self.left_out[str(wrong)] += 1
                continue
            if (folder / one.file_name).is_file():
                self._answers.append((one, said))
            else:
                self.left_out["a picture is missing"] += 1
        members: dict[tuple[str | None, ...], list[int]] = defaultdict(list)
        for number, (one, _) in enumerate(self._answers):
            members[one.kind, one.check, one.state, one.label].append(number)
        #: The numbers of the examples of each class: the same question about the same defect, answered alike.
        self.classes = list(members.values())
        paths = [str(folder / one.file_name) for one, _ in self._answers]
        self._pictures = Table.from_dict({"image": paths}, Features({"image": Image(mode="L")}))

    def __len__(self) -> int:
        return len(self._answers)

    def __getitem__(self, number: int) -> Example:
        """As it is."""
        return self._shown(number, self._picture(number))

    def varied(self, number: int, rng: np.random.Generator, recipe: Recipe) -> Example:
        """Turned, mirrored, shifted and shaded anew, as far as the answer stays true."""
        example, _ = self._answers[number]
        image = turned(self._picture(number), rng.uniform(-recipe.turns, recipe.turns), example.kind)
        if example.kind in CHOICES and rng.random() < recipe.flips:
            image = np.ascontiguousarray(image[:, ::-1])
        shown, tokens, columns = self._shown(number, image)
        return varied(shown, rng), tokens, columns

    def _picture(self, number: int) -> Pixels:
        image: Pixels = np.asarray(self._pictures[number]["image"], np.uint8)
        return image

    def _shown(self, number: int, image: Pixels) -> Example:
        example, said = self._answers[number]
        seen = fitted(closeup.views(image, example.kind, example.cells)[0])
        (tokens,) = packed([Drawn(seen, example.kind.value, said, COLUMNS, example.cells)]).tokens
        return seen, tokens, COLUMNS


class Mixed(IterableDataset[Example]):
    """Drawn evidence with a share of reviewers' examples among it, as from step `start` on. Of the examples a class has
    a share like the root of its number, so that a rare one is not drowned; in a round of as many as there are, each
    example of a class is shown once before any is shown again."""

    def __init__(self, drawn: Path, reviewed: Reviewed, recipe: Recipe, start: int = 0) -> None:
        self._reviewed, self._recipe, self._start = reviewed, recipe, start
        self._drawn = Lessons(drawn, recipe, round(start * (1 - recipe.feedback)))

    def __iter__(self) -> Iterator[Example]:
        recipe, count = self._recipe, len(self._reviewed)
        seen = round(self._start * recipe.evidences_a_step * recipe.feedback)
        lessons = iter(self._drawn)
        choice = np.random.default_rng([recipe.seed, self._start, 1])
        order, numbered = self._round(seen // count), seen // count
        while True:
            if choice.random() >= recipe.feedback:
                yield next(lessons)
                continue
            if seen // count != numbered:
                order, numbered = self._round(seen // count), seen // count
            yield self._reviewed.varied(int(order[seen % count]), np.random.default_rng([recipe.seed, seen, 3]), recipe)
            seen += 1

    def _round(self, number: int) -> npt.NDArray[np.int64]:
        """The examples of a round, in their order."""
        rng = np.random.default_rng([self._recipe.seed, number, 2])
        classes = self._reviewed.classes
        roots = np.sqrt([len(one) for one in classes])
        counts = rng.multinomial(len(self._reviewed), roots / roots.sum())
        chosen = [np.resize(rng.permutation(one), count) for one, count in zip(classes, counts, strict=True)]
        return rng.permutation(np.concatenate(chosen))


class Held(Dataset[Example]):
    """What is evaluated on: drawn evidence of one shard, and reviewers' examples that nothing is learned from. As many
    of the one as of the other, where there are both."""

    def __init__(self, shard: Shard, reviewed: Reviewed | None) -> None:
        self._shard, self._reviewed = shard, reviewed
        self._drawn = len(shard) if reviewed is None else min(len(shard), len(reviewed))

    def __len__(self) -> int:
        return self._drawn + (len(self._reviewed) if self._reviewed else 0)

    def __getitem__(self, number: int) -> Example:
        if number < self._drawn:
            return self._shard.images[number], self._shard.tokens[number], self._shard.columns[number]
        if self._reviewed is None:
            raise IndexError(number)
        return self._reviewed[number - self._drawn]


def loaded(folder: Path) -> tuple[Reviewed, Reviewed | None]:
    """The examples to train on, and those to evaluate on, None where there are none yet.

    Raises FileNotFoundError or ValueError with a sentence for what is no folder of feedback.
    """
    learned, kept = (Reviewed(folder, side) for side in feedback.sides(feedback.examples(folder)))
    if not len(learned):
        raise ValueError(f"{folder} holds no example that can be learned from{_why(learned.left_out)}")
    return learned, kept if len(kept) else None


def shown(folder: Path) -> list[tuple[feedback.Example, Drawn]]:
    """Each example of a folder, and it as if it were drawn; those that the model has no words for are left out, and
    said so in the log. Raises FileNotFoundError or ValueError with a sentence for what is no folder of feedback."""
    every: list[tuple[feedback.Example, Drawn]] = []
    left_out: Counter[str] = Counter()
    for one in feedback.examples(folder):
        try:
            said = answer(one)
        except ValueError as wrong:
            left_out[str(wrong)] += 1
            continue
        image = cv2.imread(str(folder / one.file_name), cv2.IMREAD_GRAYSCALE)
        if image is None:
            left_out["a picture is missing"] += 1
            continue
        near, whole = closeup.views(np.asarray(image, np.uint8), one.kind, one.cells)
        row = between_margins(one.cells)
        every.append((one, Drawn(near, one.kind.value, said, COLUMNS, one.cells, row=row, whole=whole)))
    for reason, count in left_out.items():
        log.warning("feedback.left_out", reason=reason, examples=count)
    return every


def turned(image: Pixels, degrees: float, kind: QuestionKind) -> Pixels:
    """The evidence turned about its middle, by less where its ends would leave the picture."""
    height, width = image.shape
    slack = SLACK_CHOICE if kind in CHOICES else SLACK_STRING
    most = math.degrees(math.atan2(2 * slack * height, width))
    angle = max(-most, min(most, degrees))
    if abs(angle) < 0.1:
        return image
    matrix: Any = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    flags, border = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=flags, borderMode=border), np.uint8)


def _why(left_out: Counter[str]) -> str:
    return "".join(f"; {count} times {reason}" for reason, count in left_out.most_common(3))
