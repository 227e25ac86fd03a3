"""A published checkpoint as a speaker: a picture is seen once, and all that is asked about it goes in one pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from models.nanovlm.packing import Pack, Rows, common
from models.nanovlm.published.model import PublishedNanoVLM
from models.nanovlm.published.processor import Processor, Views
from models.precision import Precision
from models.speaking import Prompt, Spoken, allowed_only

#: Square images that go through the vision encoder at once, and pictures whose prompts go through the decoder at once.
VIEWS, PACKS = 16, 8


class NanoVLMSpeaker:
    """Implements `models.speaking.Speaker`, in the numbers of the model's weights."""

    def __init__(self, model: PublishedNanoVLM, processor: Processor) -> None:
        self._model = model.eval()
        self._processor = processor

    @classmethod
    def from_folder(cls, folder: Path, precision: Precision = "fp32") -> Self:
        """On the GPU where there is one. Raises FileNotFoundError or ValueError with a sentence."""
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model = PublishedNanoVLM.from_folder(folder).computing_in(precision, device)
        return cls(model, Processor.from_folder(folder, model.config))

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
        """The likeliest allowed answer to each prompt, greedily. All prompts about one picture share what it costs."""
        views = {id(one.picture): self._processor.views(one.picture) for one in prompts}
        seen = self._seen(views)
        tokens = [self._processor.tokens(one.text, views[id(one.picture)].grid) for one in prompts]
        spoken: dict[int, Spoken] = {}
        # Pictures cut alike have prompts that begin alike.
        for pictures in _grouped(views, key=lambda one: views[one].grid):
            about = {one: [row for row, each in enumerate(prompts) if id(each.picture) == one] for one in pictures}
            shared = common([tokens[row] for rows in about.values() for row in rows])
            packs = {one: self._pack(seen[one], [tokens[row] for row in rows], shared) for one, rows in about.items()}
            # Packs of like lengths go together: less padding.
            ordered = sorted(pictures, key=lambda one: len(packs[one]))
            for some in (ordered[at : at + PACKS] for at in range(0, len(ordered), PACKS)):
                rows = [row for one in some for row in about[one]]
                begun = Rows.begun(self._model, [packs[one] for one in some])
                spoken.update(zip(rows, _answered(begun, [prompts[row] for row in rows]), strict=True))
        return [spoken[index] for index in range(len(prompts))]

    def _pack(self, seen: Tensor, tokens: Sequence[Tensor], shared: int) -> Pack:
        image, device = self._processor.image_token, seen.device
        whole = [self._model.joined(seen, one[None].to(device), image)[0] for one in tokens]
        # The first generation's picture stands before the text.
        begin = shared + len(whole[0]) - len(tokens[0])
        return Pack(whole[0][:begin], [one[begin:] for one in whole])

    def _seen(self, views: dict[int, Views]) -> dict[int, Tensor]:
        """What the decoder is given of each picture."""
        every = torch.cat([one.images for one in views.values()]).to(self._model.head.weight)
        seen = torch.cat([self._model.see(every[at : at + VIEWS]) for at in range(0, len(every), VIEWS)])
        parts = torch.split(seen, [len(one.images) for one in views.values()])
        return dict(zip(views, parts, strict=True))


def _answered(rows: Rows, prompts: Sequence[Prompt]) -> list[Spoken]:
    said: list[list[int]] = [[] for _ in prompts]
    sure = [0.0] * len(prompts)
    first: list[dict[int, float]] = [{} for _ in prompts]
    # Prompts still being answered, in the order of the rows; finished ones leave.
    speaking = list(range(len(prompts)))
    while speaking:
        following = []
        for place, row in enumerate(speaking):
            allowed = prompts[row].allow(said[row])
            if not allowed or len(said[row]) >= prompts[row].longest:
                continue
            chances = allowed_only(rows.logits[place].float(), allowed)
            if not said[row]:
                first[row] = dict(zip(allowed, chances[list(allowed)].tolist(), strict=True))
            best = int(chances.argmax())
            said[row].append(best)
            sure[row] += float(chances[best])
            if prompts[row].allow(said[row]) and len(said[row]) < prompts[row].longest:
                following.append(place)
        if not following:
            break
        if len(following) < len(speaking):
            rows.keep(following)
        speaking = [speaking[place] for place in following]
        rows.say([said[row][-1] for row in speaking])
    return [Spoken(tuple(one), p, begun) for one, p, begun in zip(said, sure, first, strict=True)]


def _grouped(items: Iterable[int], key: Callable[[int], Any]) -> list[list[int]]:
    groups: dict[Any, list[int]] = defaultdict(list)
    for one in items:
        groups[key(one)].append(one)
    return list(groups.values())
