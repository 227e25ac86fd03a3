"""Conversations about pictures, in the form of The Cauldron (Laurençon et al., 2024), as published nanoVLM learns them.

A row has `images`, and `texts` of which each has `user`, `assistant` and `source`. Rows are streamed, from Parquet or
from the hub: nothing is copied, and nothing that the data brings along is run.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import structlog
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import IterableDataset

from models.nanovlm.published.processor import Processor

log = structlog.get_logger(__name__)

#: Pixels of the largest picture that is opened.
MAX_PIXELS = 50_000_000

#: Rows among which the next one is drawn.
SHUFFLED = 500

#: One row in so many is evaluated on where that is wanted, and at most so many of them.
HELD_OUT, MOST_HELD = 50, 64

#: The label of a token that is not learned.
IGNORED = -100


@dataclass(frozen=True)
class Talk:
    """Pictures, and questions about them with their answers, in order."""

    images: tuple[Image.Image, ...]
    turns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sample:
    """`views` n × 3 × side × side in [0, 1]; `tokens`; `answered` says which of them are an answer's."""

    views: Tensor
    tokens: tuple[int, ...]
    answered: tuple[bool, ...]


def rows(source: str) -> Any:
    """The rows of a folder of Parquet files, of one such file, or of a data set of the hub (`owner/name` or
    `owner/name:config`), as a streamed `datasets.IterableDataset`.

    Raises FileNotFoundError or ValueError with a sentence for what can't be opened.
    """
    from datasets import Image as Pictures
    from datasets import List, load_dataset

    path = Path(source)
    if path.exists():
        files = sorted(map(str, path.rglob("*.parquet"))) if path.is_dir() else [source]
        if not files:
            raise FileNotFoundError(f"{source} holds no .parquet file")
        where: dict[str, Any] = {"path": "parquet", "data_files": {"train": files}}
    elif source.count("/") == 1 and not source.startswith(("/", ".")):
        name, _, config = source.partition(":")
        where = {"path": name, "name": config or None}
    else:
        raise FileNotFoundError(f"{source} is no folder or Parquet file, and no name on the hub (owner/name:config)")
    try:
        found = load_dataset(**where, split="train", streaming=True)
    # Of a name that has several parts it is a ValueError, and names them; so is that of a broken file.
    except (OSError, RuntimeError, ValueError) as wrong:
        why = " ".join(str(wrong).split())[:300]
        raise FileNotFoundError(f"{source} can't be opened ({type(wrong).__name__}: {why})") from wrong
    missing = {"images", "texts"} - set(found.features or {"images", "texts"})
    if missing:
        raise ValueError(f"{source} has no column {' and no '.join(sorted(missing))}")
    # Whether a picture can be opened is found out one by one.
    return found.cast_column("images", List(Pictures(decode=False)))


def talk(row: Mapping[str, Any]) -> Talk:
    """One row. Raises ValueError with the reason why nothing can be learned from it."""
    turns = tuple((str(one["user"]).strip(), str(one["assistant"]).strip()) for one in row["texts"] or ())
    turns = tuple(turn for turn in turns if all(turn))
    if not row["images"]:
        raise ValueError("there is no picture")
    if not turns:
        raise ValueError("there is no question with its answer")
    return Talk(tuple(_opened(one) for one in row["images"]), turns)


def samples(told: Talk, processor: Processor, length: int) -> list[Sample]:
    """What a checkpoint learns of a conversation, in at most `length` places: one sample a question in the first
    generation, which knows no conversation; else one, with as many of its turns as there is room for.

    Raises ValueError with the reason where there is none.
    """
    config = processor.config
    room = min(length, config.lm_max_position_embeddings)
    views = [processor.views(one) for one in told.images]
    if config.generation == 1:
        if len(views) != 1:
            raise ValueError("there are several pictures, and the first generation sees one")
        found = [
            Sample(views[0].images, *_joined(processor, [(processor.prompt(_plain(question, processor)), said)]))
            for question, said in told.turns
        ]
        fit = [one for one in found if len(one.tokens) + config.image_tokens <= room]
    else:
        pictures = processor.image_text([one.grid for one in views])
        together = torch.cat([one.images for one in views])
        fit = []
        for turns in range(len(told.turns), 0, -1):
            one = Sample(together, *_joined(processor, _chatted(told.turns[:turns], pictures, processor)))
            if len(one.tokens) <= room:
                fit = [one]
                break
    if not fit:
        raise ValueError(f"it is longer than {room} tokens")
    return fit


class Conversations(IterableDataset[Sample]):
    """Samples without end, the rows shuffled anew each time. What can't be learned from is counted and left out.

    Raises ValueError with the reasons where that is everything.
    """

    def __init__(self, stream: Any, processor: Processor, length: int, seed: int) -> None:
        self._stream = stream.shuffle(seed=seed, buffer_size=SHUFFLED)
        self._processor, self._length = processor, length

    def __iter__(self) -> Iterator[Sample]:
        for epoch in count():
            self._stream.set_epoch(epoch)
            some, left_out = False, Counter[str]()
            for one in learnable(self._stream, self._processor, self._length, left_out):
                some = True
                yield one
            for reason, times in left_out.most_common():
                log.warning("conversations.left_out", reason=reason, rows=times)
            if not some:
                raise ValueError(f"there is no conversation to learn from: {', '.join(left_out) or 'no row'}")


def learnable(stream: Any, processor: Processor, length: int, left_out: Counter[str]) -> Iterator[Sample]:
    """The samples of a stream of rows; those of which nothing can be learned are counted by reason."""
    for row in stream:
        try:
            yield from samples(talk(row), processor, length)
        except ValueError as wrong:
            left_out[str(wrong)] += 1


def parted(stream: Any, processor: Processor, length: int) -> tuple[Any, list[Sample]]:
    """The rows to learn from, and samples of the others to evaluate on."""
    kept = stream.filter(lambda _, number: number % HELD_OUT == 0, with_indices=True)
    held = list(islice(learnable(kept, processor, length, Counter()), MOST_HELD))
    return stream.filter(lambda _, number: number % HELD_OUT != 0, with_indices=True), held


def together(every: Sequence[Sample], pad: int) -> dict[str, Tensor]:
    """A batch: all views; tokens padded at their end, where no other token sees it; labels of the answers' tokens."""
    longest = max(len(one.tokens) for one in every)
    tokens = torch.full((len(every), longest), pad)
    labels = torch.full((len(every), longest), IGNORED)
    for row, one in enumerate(every):
        own = torch.tensor(one.tokens)
        tokens[row, : len(own)] = own
        labels[row, : len(own)] = torch.where(torch.tensor(one.answered), own, IGNORED)
    return {"views": torch.cat([one.views for one in every]), "tokens": tokens, "labels": labels}


def _chatted(turns: Sequence[tuple[str, str]], pictures: str, processor: Processor) -> list[tuple[str, str]]:
    """What stands before each answer, and the answer with the marks after it, as the chat template writes them."""
    messages: list[dict[str, str]] = []
    parts: list[tuple[str, str]] = []
    written = ""
    for question, said in turns:
        content = _plain(question, processor)
        messages.append({"role": "user", "content": content if messages else pictures + content})
        asked = processor.chat(messages, answering=True)
        messages.append({"role": "assistant", "content": _plain(said, processor)})
        whole = processor.chat(messages)
        if not asked.startswith(written) or not whole.startswith(asked):
            raise ValueError("the chat template changes what it has written before")
        parts.append((asked.removeprefix(written), whole.removeprefix(asked)))
        written = whole
    return parts


def _joined(processor: Processor, parts: Sequence[tuple[str, str]]) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Tokens, and which of them are an answer's. Question and answer are parted as they are when a model is asked."""
    first = processor.config.generation == 1
    tokens: list[int] = []
    answered: list[bool] = []
    for asked, said in parts:
        before = processor.tokenizer(asked, add_special_tokens=first)["input_ids"]
        end = processor.tokenizer.eos_token if first else ""
        text = _plain(said, processor) + end if first else said
        after = processor.tokenizer(text, add_special_tokens=False)["input_ids"]
        tokens += [*before, *after]
        answered += [False] * len(before) + [True] * len(after)
    return tuple(tokens), tuple(answered)


def _plain(text: str, processor: Processor) -> str:
    """A text without the tokens that stand for images and turns: a text must not be taken for them."""
    for token in processor.tokenizer.get_added_vocab():
        text = text.replace(token, "")
    return text


def _opened(given: Mapping[str, Any]) -> Image.Image:
    # A path would be one of this machine, whoever wrote it.
    if not given["bytes"]:
        raise ValueError("a picture has no bytes")
    try:
        picture = Image.open(io.BytesIO(given["bytes"]))
        if picture.width * picture.height > MAX_PIXELS:
            raise ValueError("a picture has too many pixels")
        return picture.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as wrong:
        raise ValueError("a picture can't be opened") from wrong
