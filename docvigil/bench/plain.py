"""The published way of generating, plainly: an image for every question, greedy, token by token with a key/value cache.

What the engine is measured against, and whose answers it must give. A batch goes on until its longest answer ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from models import allowed
from models.answers import EMPTY, Raw, settled
from models.calibration import Calibration
from models.nanovlm.model import NanoVLM
from models.nanovlm.processor import fitted, tensor
from models.nanovlm.published.model import PublishedNanoVLM
from models.nanovlm.published.processor import Processor
from models.nanovlm.tokens import CHARACTERS, CHOICES, EOS, ID, VOCABULARY, question_id
from models.speaking import Prompt, Spoken, allowed_only
from pipeline.reading import Answer, Question


class PlainBundled:
    """The bundled architecture, as it was trained: nothing folded, nothing shared."""

    def __init__(self, model: NanoVLM) -> None:
        self._model = model.eval()

    @torch.inference_mode()
    def read(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer a question, in their order."""
        config = self._model.config
        images = tensor([fitted(one.image, config.height, config.width) for one in questions])
        asked = torch.tensor([question_id(one.kind) for one in questions])
        logits, cache = self._model.start(self._model.see(images), asked)
        words: list[list[int]] = [[] for _ in questions]
        sure, empty = [0.0] * len(questions), [0.0] * len(questions)
        done = [False] * len(questions)
        while True:
            for row, question in enumerate(questions):
                if done[row]:
                    continue
                mask = allowed.further(question, words[row]) if words[row] else allowed.first(question)
                chances = (logits[row] + mask).log_softmax(-1)
                if not words[row]:
                    empty[row] = math.exp(float(chances[ID[EMPTY]]))
                words[row].append(int(chances.argmax()))
                sure[row] += float(chances.max())
                done[row] = question.kind in CHOICES or VOCABULARY[words[row][-1]] not in CHARACTERS
            if all(done):
                break
            logits, cache = self._model.step(torch.tensor([each[-1] for each in words]), cache)
        raw = [
            Raw("".join(VOCABULARY[token] for token in each if token != ID[EOS]), math.exp(chance), 1 - gone)
            for each, chance, gone in zip(words, sure, empty, strict=True)
        ]
        return [settled(one, each, (), Calibration()) for one, each in zip(questions, raw, strict=True)]


class PlainSpeaker:
    """A published model: implements `models.speaking.Speaker`. Prompts said together are of one length."""

    def __init__(self, model: PublishedNanoVLM, processor: Processor) -> None:
        self._model, self._processor = model.eval(), processor
        self.tokenizer, self.stop = processor.tokenizer, int(processor.tokenizer.eos_token_id)
        self.parameters = sum(one.numel() for one in model.parameters())

    @torch.inference_mode()
    def speak(self, prompts: Sequence[Prompt]) -> list[Spoken]:
        views = [self._processor.views(one.picture) for one in prompts]
        tokens = [self._processor.tokens(one.text, each.grid) for one, each in zip(prompts, views, strict=True)]
        seen = self._model.see(torch.cat([one.images for one in views]))
        logits, cache = self._model.start(seen, torch.stack(tokens), self._processor.image_token)
        said: list[list[int]] = [[] for _ in prompts]
        sure, done = [0.0] * len(prompts), [False] * len(prompts)
        first: list[dict[int, float]] = [{} for _ in prompts]
        while True:
            for row, prompt in enumerate(prompts):
                if done[row]:
                    said[row].append(self.stop)
                    continue
                may = prompt.allow(said[row])
                chances = allowed_only(logits[row], may)
                if not said[row]:
                    first[row] = dict(zip(may, chances[list(may)].tolist(), strict=True))
                said[row].append(int(chances.argmax()))
                sure[row] += float(chances.max())
                done[row] = not prompt.allow(said[row]) or len(said[row]) >= prompt.longest
            if all(done):
                break
            logits, cache = self._model.step(torch.tensor([each[-1] for each in said]), cache)
        return [Spoken(_ended(one, self.stop), p, begun) for one, p, begun in zip(said, sure, first, strict=True)]


def _ended(said: Sequence[int], stop: int) -> tuple[int, ...]:
    """Without what a finished row was made to say while others went on."""
    end = said.index(stop) + 1 if stop in said else len(said)
    return tuple(said[:end])
