"""The bundled model as a reader: images and questions in, calibrated answers out, a batch at a time.

Choices are scored in one pass. Strings are decoded greedily under the field's alphabet, and the product of the
renormalised probabilities is the raw confidence: an empty or illegible field is an answer of its own, and no prior
knows which dates exist.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from models import spelling
from models.answers import EMPTY, ILLEGIBLE, Raw, asked_again, longest, settled
from models.answers import STATES as STATES
from models.calibration import Calibration
from models.checkpoint import WEIGHTS
from models.checkpoint import bundled as bundled
from models.checkpoint import digest as digest
from models.nanovlm.config import NanoVLMConfig
from models.nanovlm.model import NanoVLM
from models.nanovlm.processor import fitted, tensor
from models.nanovlm.published.config import is_published
from models.nanovlm.published.speaker import NanoVLMSpeaker
from models.nanovlm.tokens import CHARACTERS, CHOICES, EOS, ID, VOCABULARY, question_id
from models.prompted import PromptedReader
from models.source import folder_of
from models.speaking import Speaker
from pipeline.reading import Answer, Pixels, Question, QuestionKind


class ModelReader:
    """Not for several threads at once: `models.engine.Engine` shares one."""

    def __init__(self, model: NanoVLM, calibration: Calibration, version: str, *, bf16: bool | None = None) -> None:
        self._model = model.for_reading()
        self._calibration = calibration
        self._version = version
        self._bf16 = _bf16_is_fast() if bf16 is None else bf16

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """Raises FileNotFoundError or ValueError with a sentence where the folder is no checkpoint."""
        if not (folder / WEIGHTS).is_file():
            raise FileNotFoundError(f"{folder} holds no {WEIGHTS}; give the folder of a checkpoint")
        return cls(NanoVLM.from_folder(folder), Calibration.load(folder), digest(folder))

    @classmethod
    def random(cls, seed: int = 0) -> Self:
        """The same architecture with random weights, which can't read: the floor that tests compare with."""
        torch.manual_seed(seed)
        return cls(NanoVLM(NanoVLMConfig()), Calibration(), f"random-{seed}")

    def uncalibrated(self) -> ModelReader:
        """The same model with its probabilities as they are."""
        return ModelReader(self._model, Calibration(), self._version, bf16=self._bf16)

    @property
    def version(self) -> str:
        return self._version

    @property
    def parameters(self) -> int:
        """How many weights the model has."""
        return sum(one.numel() for one in self._model.parameters())

    @torch.inference_mode()
    def read(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer a question, in their order; any number of them, best some dozens at a time."""
        if not questions:
            return []
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            raw = self._decode(questions, [question.image for question in questions])
            again = [
                i for i, (question, one) in enumerate(zip(questions, raw, strict=True)) if asked_again(question, one)
            ]
            second: dict[int, Raw] = {}
            if again:
                images = [image for index in again if (image := questions[index].alternate) is not None]
                second = dict(zip(again, self._decode([questions[i] for i in again], images), strict=True))
        return [
            settled(question, one, second.get(i), self._calibration)
            for i, (question, one) in enumerate(zip(questions, raw, strict=True))
        ]

    def _decode(self, questions: Sequence[Question], images: Sequence[Pixels]) -> list[Raw]:
        """Each distinct image is seen once, whatever is asked about it."""
        config = self._model.config
        places: dict[int, int] = {}
        distinct: list[Pixels] = []
        for image in images:
            if id(image) not in places:
                places[id(image)] = len(distinct)
                distinct.append(fitted(image, config.height, config.width))
        seen = self._model.see(tensor(distinct))[[places[id(image)] for image in images]]
        asked = torch.tensor([question_id(question.kind) for question in questions])
        logits, cache = self._model.start(seen, asked)
        first = torch.stack([_first_words(question) for question in questions])
        chances = (logits.float() + first).softmax(-1)
        best, word = chances.max(-1)
        empty = chances[:, ID[EMPTY]]
        words = [[int(token)] for token in word]
        confidence = best.log()
        # Rows that still write, as places in the batch; finished ones leave it.
        open_rows = [
            i for i, q in enumerate(questions) if q.kind not in CHOICES and VOCABULARY[words[i][0]] in CHARACTERS
        ]
        alphabets = torch.stack([_further_words(question) for question in questions])
        rows = torch.arange(len(questions))
        while open_rows:
            keep = torch.tensor(open_rows)
            if len(open_rows) < len(rows):
                inside = {int(row): place for place, row in enumerate(rows)}
                cache.batch_select_indices(torch.tensor([inside[row] for row in open_rows]))
                rows = keep
            tokens = torch.tensor([words[row][-1] for row in open_rows])
            logits, cache = self._model.step(tokens, cache)
            limit = alphabets[keep].clone()
            for place, row in enumerate(open_rows):
                if _spelled(questions[row]):
                    limit[place] += spelling.after("".join(VOCABULARY[token] for token in words[row]), limit.shape[1])
            full = torch.tensor([len(words[row]) >= longest(questions[row]) for row in open_rows])
            limit[full] = float("-inf")
            limit[full, ID[EOS]] = 0.0
            steps = (logits.float() + limit).log_softmax(-1)
            value, token = steps.max(-1)
            confidence[keep] += value
            for row, each in zip(open_rows, token.tolist(), strict=True):
                words[row].append(each)
            open_rows = [row for row in open_rows if words[row][-1] != ID[EOS]]
        texts = ["".join(VOCABULARY[token] for token in row if token != ID[EOS]) for row in words]
        return [
            Raw(text, sure, 1 - gone)
            for text, sure, gone in zip(texts, confidence.exp().tolist(), empty.tolist(), strict=True)
        ]


def load_reader(source: Path | str | None = None) -> ModelReader | PromptedReader:
    """The checkpoint in a folder, of whatever kind its `config.json` is; the bundled one if none is given.

    A string may also be the name of a repository of the hub. Raises FileNotFoundError or ValueError with a sentence
    where there is no checkpoint.
    """
    folder = bundled() if source is None else folder_of(source)
    for name in (WEIGHTS, "config.json"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} holds no {name}; give the folder of a checkpoint")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    family = config.get("model_type")
    if family is None and not is_published(config):
        return ModelReader.from_folder(folder)
    return PromptedReader(_speaker(folder, family), Calibration.load(folder), digest(folder))


def _speaker(folder: Path, family: str | None) -> Speaker:
    if family is None:
        return NanoVLMSpeaker.from_folder(folder)
    # Their classes take a while to import.
    from models.peers import FAMILIES, PeerSpeaker

    if family not in FAMILIES:
        raise ValueError(f"{folder} is a {family}; nanoVLM, {', '.join(sorted(FAMILIES))} can be read with")
    return PeerSpeaker.from_folder(folder, family)


def _first_words(question: Question) -> Tensor:
    """What an answer may begin with, as 0 or minus infinity for each token."""
    if question.kind in CHOICES:
        return _only([ID[choice] for choice in CHOICES[question.kind]])
    mask = _only([ID[EMPTY], ID[ILLEGIBLE], *_alphabet(question)])
    return mask + spelling.after("", len(mask)) if _spelled(question) else mask


def _further_words(question: Question) -> Tensor:
    return _only([ID[EOS], *_alphabet(question)])


def _spelled(question: Question) -> bool:
    """Whether what is read may have words in it, and only those of dates."""
    return question.kind is QuestionKind.DATE and any(letter.isalpha() for letter in question.alphabet or CHARACTERS)


def _alphabet(question: Question) -> list[int]:
    return [ID[letter] for letter in question.alphabet or CHARACTERS if letter in CHARACTERS]


def _only(tokens: Sequence[int]) -> Tensor:
    mask = torch.full((len(VOCABULARY),), float("-inf"))
    mask[list(tokens)] = 0.0
    # The embedding is padded to a round number of rows.
    return torch.nn.functional.pad(mask, (0, NanoVLMConfig().vocabulary - len(VOCABULARY)), value=float("-inf"))


def _bf16_is_fast() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and torch.backends.cpu.get_cpu_capability() == "AVX512"
