"""A published checkpoint as a speaker: pictures are seen once, prompts of one length go together, answers use the
cache."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from models.nanovlm.published.model import PublishedNanoVLM
from models.nanovlm.published.processor import Processor, Views
from models.speaking import Prompt, Spoken, allowed_only

#: Square images that go through the vision encoder at once.
VIEWS = 16


class NanoVLMSpeaker:
    """Implements `models.speaking.Speaker`."""

    def __init__(self, model: PublishedNanoVLM, processor: Processor) -> None:
        self._model = model.eval()
        self._processor = processor

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """On the GPU where there is one. Raises FileNotFoundError or ValueError with a sentence."""
        model = PublishedNanoVLM.from_folder(folder)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(model.to(device), Processor.from_folder(folder, model.config))

    @property
    def tokenizer(self) -> Any:
        return self._processor.tokenizer

    @property
    def stop(self) -> int:
        return int(self._processor.tokenizer.eos_token_id)

    @property
    def parameters(self) -> int:
        return sum(one.numel() for one in self._model.parameters())

    @torch.inference_mode()
    def speak(self, prompts: Sequence[Prompt]) -> list[Spoken]:
        """The likeliest allowed answer to each prompt, greedily."""
        views = {id(one.picture): self._processor.views(one.picture) for one in prompts}
        seen = self._seen(views)
        tokens = [self._processor.tokens(one.text, views[id(one.picture)].grid) for one in prompts]
        # Prompts of one length fill their batch without padding.
        lengths: dict[int, list[int]] = defaultdict(list)
        for index, one in enumerate(tokens):
            lengths[len(one)].append(index)
        spoken: dict[int, Spoken] = {}
        for rows in lengths.values():
            asked = [prompts[row] for row in rows]
            together = torch.cat([seen[id(one.picture)] for one in asked])
            answers = self._answered(asked, together, torch.stack([tokens[row] for row in rows]))
            spoken.update(zip(rows, answers, strict=True))
        return [spoken[index] for index in range(len(prompts))]

    def _seen(self, views: dict[int, Views]) -> dict[int, Tensor]:
        """What the decoder is given of each picture."""
        device = self._model.head.weight.device
        every = torch.cat([one.images for one in views.values()]).to(device)
        seen = torch.cat([self._model.see(every[at : at + VIEWS]) for at in range(0, len(every), VIEWS)])
        parts = torch.split(seen, [len(one.images) for one in views.values()])
        return dict(zip(views, parts, strict=True))

    def _answered(self, prompts: Sequence[Prompt], seen: Tensor, tokens: Tensor) -> list[Spoken]:
        device = seen.device
        logits, cache = self._model.start(seen, tokens.to(device), self._processor.image_token)
        said: list[list[int]] = [[] for _ in prompts]
        sure = [0.0] * len(prompts)
        first: list[dict[int, float]] = [{} for _ in prompts]
        # Rows that still speak, as places in the batch; finished ones leave it.
        rows = list(range(len(prompts)))
        while rows:
            following = []
            for place, row in enumerate(rows):
                allowed = prompts[row].allow(said[row])
                if not allowed or len(said[row]) >= prompts[row].longest:
                    continue
                chances = allowed_only(logits[place].float(), allowed)
                if not said[row]:
                    first[row] = dict(zip(allowed, chances[list(allowed)].tolist(), strict=True))
                best = int(chances.argmax())
                said[row].append(best)
                sure[row] += float(chances[best])
                if prompts[row].allow(said[row]):
                    following.append(place)
            if not following:
                break
            if len(following) < len(rows):
                cache.batch_select_indices(torch.tensor(following, device=device))
            rows = [rows[place] for place in following]
            logits, cache = self._model.step(torch.tensor([said[row][-1] for row in rows], device=device), cache)
        return [Spoken(tuple(one), p, begun) for one, p, begun in zip(said, sure, first, strict=True)]
