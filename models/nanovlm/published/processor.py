"""Pictures and questions as the published checkpoints take them: resizing, splitting, the tokens around them.

First generation: one square picture, bilinear, and `Question: … Answer:`. Second generation: bicubic to multiples of
the encoder's side, cut into parts, the whole picture before them, and ChatML. Neither subtracts a mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import AddedToken, AutoTokenizer

from models.nanovlm.published.config import PublishedConfig

#: The files of which any makes a folder bring its own tokenizer.
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class Views:
    """The square images of one picture (n × 3 × side × side, in [0, 1]), and how it was cut: rows, columns."""

    images: Tensor
    grid: tuple[int, int]


class Processor:
    """Makes a checkpoint's inputs. The tokenizer is changed: the tokens that stand for images are added to it."""

    def __init__(self, config: PublishedConfig, tokenizer: Any) -> None:
        self.config = config
        self.tokenizer = tokenizer
        extra = [AddedToken(one, special=True, normalized=False) for one in config.vlm_extra_tokens.values()]
        if extra:
            tokenizer.add_tokens(extra, special_tokens=True)
        if len(tokenizer) > config.lm_vocab_size:
            raise ValueError(
                f"the tokenizer has {len(tokenizer)} tokens, the model only {config.lm_vocab_size}: it is not its own"
            )

    @classmethod
    def from_folder(cls, folder: Path, config: PublishedConfig) -> Self:
        """The tokenizer in the folder, or the one that `lm_tokenizer` names on the hub; published folders hold none.

        Raises FileNotFoundError with a sentence where neither is to be had.
        """
        own = any((folder / name).is_file() for name in TOKENIZER_FILES)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder if own else config.lm_tokenizer)
        except (OSError, ValueError) as wrong:
            raise FileNotFoundError(
                f"{folder} holds no tokenizer, and {config.lm_tokenizer} can't be fetched; put tokenizer.json and "
                f"tokenizer_config.json of {config.lm_tokenizer} into the folder"
            ) from wrong
        return cls(config, tokenizer)

    @property
    def image_token(self) -> int | None:
        """The number of the token that stands for a place of an image; None in the first generation."""
        name = self.config.vlm_extra_tokens.get("image_token")
        return None if name is None else int(self.tokenizer.convert_tokens_to_ids(name))

    def views(self, picture: Image.Image) -> Views:
        """What the vision encoder sees of a picture of any size and mode."""
        rgb, side = picture.convert("RGB"), self.config.vit_img_size
        if self.config.max_img_size is None:
            return Views(_pixels(rgb.resize((side, side), Image.Resampling.BILINEAR))[None], (1, 1))
        width, height = _multiple(rgb.size, side, self.config.max_img_size, self.config.resize_to_max_side_len)
        whole = _pixels(rgb.resize((width, height), Image.Resampling.BICUBIC))
        rows, columns = height // side, width // side
        parts = whole.reshape(3, rows, side, columns, side).permute(1, 3, 0, 2, 4).reshape(-1, 3, side, side)
        if rows * columns == 1 or "global_image_token" not in self.config.vlm_extra_tokens:
            return Views(parts, (rows, columns))
        small = torch.nn.functional.interpolate(whole[None], (side, side), mode="bilinear", antialias=True)
        return Views(torch.cat([small, parts]), (rows, columns))

    def prompt(self, question: str, grid: tuple[int, int] = (1, 1)) -> str:
        """The text before the answer, for a picture cut into `grid`. Raises ValueError for a grid without tokens."""
        if self.config.generation == 1:
            return f"Question: {question} Answer:"
        return self.chat([{"role": "user", "content": self.image_text([grid]) + question}], answering=True)

    def chat(self, messages: Sequence[Mapping[str, str]], *, answering: bool = False) -> str:
        """Messages (`role`, `content`) as the second generation is given them; `answering` begins the next answer."""
        if not messages:
            return ""
        template = self.config.lm_chat_template
        return str(
            self.tokenizer.apply_chat_template(
                list(messages), chat_template=template, tokenize=False, add_generation_prompt=answering
            )
        )

    def tokens(self, question: str, grid: tuple[int, int] = (1, 1)) -> Tensor:
        """The numbers of the prompt's tokens, one dimension."""
        # A chat template writes the special tokens itself.
        own = self.config.generation == 1
        return torch.tensor(self.tokenizer(self.prompt(question, grid), add_special_tokens=own)["input_ids"])

    def image_text(self, grids: Sequence[tuple[int, int]]) -> str:
        """The tokens that stand for pictures cut into those grids; of several pictures each has its number before it.
        Raises ValueError for a grid without tokens."""
        if len(grids) == 1:
            return self._one_image(grids[0])
        return "".join(f"<image: {number}>{self._one_image(grid)}" for number, grid in enumerate(grids))

    def _one_image(self, grid: tuple[int, int]) -> str:
        extra = self.config.vlm_extra_tokens
        places = extra["image_token"] * self.config.image_tokens
        if self.config.max_img_size is None:
            return places
        text = ""
        if "global_image_token" in extra:
            text = extra["global_image_token"] + places
            if grid == (1, 1):
                return text
        for row in range(1, grid[0] + 1):
            for column in range(1, grid[1] + 1):
                try:
                    text += extra[f"r{row}c{column}"] + places
                except KeyError:
                    raise ValueError(
                        f"the picture has a part in row {row}, column {column}, for which the model has no token"
                    ) from None
        return text


def _multiple(size: tuple[int, int], side: int, longest: int, enlarge: bool) -> tuple[int, int]:
    """Width and height as multiples of `side`: the longer at most `longest` (just that if `enlarge`), the shorter in
    proportion, rounded up."""
    long, short = max(size), min(size)
    target = longest if enlarge else min(longest, math.ceil(long / side) * side)
    other = max(side, math.ceil(short * (target / long) / side) * side)
    return (target, other) if size[0] >= size[1] else (other, target)


def _pixels(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
