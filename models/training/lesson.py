"""What is learned from: batches of evidence, and the loss on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import IterableDataset

from models.nanovlm.model import NanoVLM
from models.nanovlm.tokens import ID, PAD
from models.training.contrast import contrastive
from models.training.recipe import Recipe
from models.training.shards import SIZE, UNKNOWN, waited_for
from pipeline.reading import Pixels

Example: TypeAlias = tuple[Pixels, Any, Any]

#: The prefix of the names of shards that were cut from whole forms.
FORMS = "forms-"

#: How many shards later an evidence is shown again.
LAG = 6

#: Pixels an evidence is shifted at most when it is shown, down and across; and the greatest change of contrast,
#: brightness and the strongest noise, in grey levels.
SHIFT_DOWN, SHIFT_ACROSS, CONTRAST, BRIGHTNESS, NOISE = 2, 4, 0.15, 12.0, 6.0


class Lessons(IterableDataset[Example]):
    """The evidences of a training in order, as from step `start` on: each shard `showings` times, with others between,
    its evidences in another order each time; among them, where the recipe has them, evidences of whole forms."""

    def __init__(self, folder: Path, recipe: Recipe, start: int = 0) -> None:
        self.folder, self.recipe, self.start = folder, recipe, start

    def __iter__(self) -> Iterator[Example]:
        recipe, seen = self.recipe, self.start * self.recipe.evidences_a_step
        first = recipe.forms_from * recipe.evidences_a_step
        of_forms = round(max(0, seen - first) * recipe.forms)
        fields, forms = self._stream("", seen - of_forms), self._stream(FORMS, of_forms)
        choice = np.random.default_rng([recipe.seed, self.start])
        while True:
            whole = seen >= first and choice.random() < recipe.forms
            yield next(forms if whole else fields)
            seen += 1

    def _stream(self, prefix: str, seen: int) -> Iterator[Example]:
        """The shards of one kind from about where so many evidences have been seen."""
        visit = seen // SIZE
        while True:
            shard = waited_for(self.folder, self.recipe.first_shard + shard_at(visit, self.recipe.showings), prefix)
            rng = np.random.default_rng([self.recipe.seed, visit, len(prefix)])
            for place in rng.permutation(len(shard)):
                yield varied(shard.images[place], rng), shard.tokens[place], shard.columns[place]
            visit += 1


def shard_at(visit: int, showings: int) -> int:
    """Which shard is shown at a visit: a new one, then `showings - 1` of those `LAG` and more shards ago."""
    newest, again = divmod(visit, showings)
    return max(0, newest - again * LAG)


def shards_needed(recipe: Recipe) -> tuple[int, int]:
    """How many shards a training sees from its first on, of single fields and of whole forms. A little more than the
    share says, since which kind comes next is left to chance."""
    drawn = recipe.evidences_a_step * (1 - recipe.feedback)
    if not drawn:
        return 0, 0
    forms = max(0, recipe.steps - recipe.forms_from) * drawn * recipe.forms
    fields = recipe.steps * drawn - forms
    return _shards(fields, recipe.showings), _shards(forms, recipe.showings) if forms else 0


def _shards(evidences: float, showings: int) -> int:
    visits = int(evidences * 1.02) // SIZE + 2
    return max(shard_at(visit, showings) for visit in range(visits)) + 1


def varied(image: Pixels, rng: np.random.Generator) -> Pixels:
    """The same evidence shifted a little, in another light: no picture is seen twice."""
    down = int(rng.integers(-SHIFT_DOWN, SHIFT_DOWN + 1))
    across = int(rng.integers(-SHIFT_ACROSS, SHIFT_ACROSS + 1))
    padded = np.pad(image, ((SHIFT_DOWN, SHIFT_DOWN), (SHIFT_ACROSS, SHIFT_ACROSS)), mode="edge")
    height, width = image.shape
    moved = padded[SHIFT_DOWN - down :, SHIFT_ACROSS - across :][:height, :width].astype(np.float32)
    moved = (moved - 128) * rng.uniform(1 - CONTRAST, 1 + CONTRAST) + 128 + rng.uniform(-BRIGHTNESS, BRIGHTNESS)
    if rng.random() < 0.3:
        moved += rng.standard_normal(moved.shape, np.float32) * np.float32(rng.uniform(0, NOISE))
    varied_: Pixels = np.clip(moved, 0, 255).astype(np.uint8)
    return varied_


def together(examples: Sequence[Example]) -> dict[str, Tensor]:
    """A batch: images in [-1, 1], tokens cut to the longest sequence, labels of columns."""
    images, tokens, columns = zip(*examples, strict=True)
    sequences = torch.from_numpy(np.stack(tokens)).long()
    longest = int((sequences != ID[PAD]).sum(1).max())
    return {
        "images": (torch.from_numpy(np.stack(images)).float() / 127.5 - 1).unsqueeze(1),
        "tokens": sequences[:, :longest],
        "columns": torch.from_numpy(np.stack(columns)).long(),
    }


class Lesson(nn.Module):
    """The loss: the next token of each answer, and as long as it has weight the character at each column.

    With the answers alone a small model sees presence at once and reads nothing within 100,000 evidences; told which
    character stands at each column, it begins to read at once.
    """

    def __init__(self, model: NanoVLM) -> None:
        super().__init__()
        self.model = model
        #: Set step by step; 0 drops the labels.
        self.columns_weight = 1.0
        #: Set step by step; 0 drops the contrastive loss.
        self.contrast_weight = 0.0

    def forward(self, images: Tensor, tokens: Tensor, columns: Tensor) -> dict[str, Tensor]:
        seen = self.model.see(images)
        words = self.model.said(seen, tokens[:, :-1])
        loss = functional.cross_entropy(words.float().transpose(1, 2), tokens[:, 1:], ignore_index=ID[PAD])
        # A batch of feedback alone has no labels.
        if self.columns_weight and bool((columns != UNKNOWN).any()):
            characters = self.model.characters(seen).float().transpose(1, 2)
            labels = functional.cross_entropy(characters, columns, ignore_index=UNKNOWN)
            loss = loss + self.columns_weight * labels
        if self.contrast_weight:
            told = self.model.decoder.embed_tokens(tokens)
            loss = loss + self.contrast_weight * contrastive(seen, told, tokens, ID[PAD])
        return {"loss": loss}
