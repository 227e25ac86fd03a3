"""The bundled model as a reader: images and questions in, calibrated answers out, a batch at a time.

Choices are scored in one pass. Strings are decoded greedily under the field's alphabet, and the product of the
renormalised probabilities is the raw confidence: an empty or illegible field is an answer of its own, and no prior
knows which dates exist.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from models import allowed
from models.answers import EMPTY, UNSURE, Raw, asked_again, settled
from models.calibration import Calibration
from models.cells import CellReader
from models.checkpoint import WEIGHTS
from models.checkpoint import bundled as bundled
from models.checkpoint import digest as digest
from models.crosscheck import checked
from models.loading import loading
from models.looks import looks
from models.nanovlm.config import NanoVLMConfig
from models.nanovlm.model import NanoVLM
from models.nanovlm.packing import Pack, Rows
from models.nanovlm.processor import fitted, tensor
from models.nanovlm.published.config import is_published
from models.nanovlm.published.speaker import NanoVLMSpeaker
from models.nanovlm.tokens import CHARACTERS, CHOICES, EOS, ID, VOCABULARY, question_id
from models.precision import Precision, Wanted, resolved
from models.prompted import PromptedReader
from models.source import folder_of
from models.speaking import Speaker
from models.steps import AtOnce, Steps, finished, in_parts
from models.variants import LETTERS, variants
from pipeline.reading import Answer, Pixels, Question, Reader

#: Pictures that are looked at at once, where nobody says how many.
AT_ONCE = 128


class ModelReader:
    """Not for several threads at once: `models.engine.Engine` shares one."""

    def __init__(
        self,
        model: NanoVLM,
        calibration: Calibration,
        version: str,
        *,
        bf16: bool = False,
        cells: CellReader | None = None,
    ) -> None:
        self._model = model.for_reading()
        #: Who looks first, and who looks again where that one was unsure: rounding changes hardly any other answer.
        self._quick = self._model.for_reading(bf16=True) if bf16 else self._model
        self._calibration = calibration
        self._version = version
        #: Who reads comb boxes one by one, beside this model.
        self.cells = cells

    @classmethod
    def from_folder(cls, folder: Path, *, bf16: bool = False) -> Self:
        """Raises FileNotFoundError or ValueError with a sentence where the folder is no checkpoint."""
        if not (folder / WEIGHTS).is_file():
            raise FileNotFoundError(f"{folder} holds no {WEIGHTS}; give the folder of a checkpoint")
        model, cells = NanoVLM.from_folder(folder), CellReader.beside(folder)
        return cls(model, Calibration.load(folder), digest(folder), bf16=bf16, cells=cells)

    @classmethod
    def random(cls, seed: int = 0) -> Self:
        """The same architecture with random weights, which can't read: the floor that tests compare with."""
        torch.manual_seed(seed)
        return cls(NanoVLM(NanoVLMConfig()), Calibration(), f"random-{seed}")

    def uncalibrated(self) -> ModelReader:
        """The same model with its probabilities as they are."""
        bf16 = self._quick is not self._model
        return ModelReader(self._model, Calibration(), self._version, bf16=bf16, cells=self.cells)

    @property
    def version(self) -> str:
        return self._version

    @property
    def calibration(self) -> Calibration:
        return self._calibration

    @property
    def parameters(self) -> int:
        """How many weights the model has."""
        return sum(one.numel() for one in self._model.parameters())

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer a question, in their order; any number of them."""
        return finished(self.steps(questions, lambda: AT_ONCE))

    @torch.inference_mode()
    def steps(self, questions: Sequence[Question], at_once: AtOnce) -> Steps[list[Answer]]:
        """The same a part at a time (`models.steps.Stepwise`)."""
        raw = yield from self._looked(questions, at_once)
        others = yield from self._looked_again(questions, raw, at_once)
        return [
            settled(question, one, others.get(i, ()), self._calibration)
            for i, (question, one) in enumerate(zip(questions, raw, strict=True))
        ]

    def _looked(self, questions: Sequence[Question], at_once: AtOnce) -> Steps[list[Raw]]:
        """What is said at first sight."""
        images = [question.image for question in questions]
        raw = yield from in_parts(partial(self._decode, self._quick), questions, images, at_once)
        unsure = [i for i, one in enumerate(raw) if one.confidence < UNSURE]
        if self._quick is not self._model and unsure:
            look = partial(self._decode, self._model)
            exact = yield from in_parts(look, [questions[i] for i in unsure], [images[i] for i in unsure], at_once)
            for i, one in zip(unsure, exact, strict=True):
                raw[i] = one
        return raw

    def _looked_again(
        self, questions: Sequence[Question], raw: Sequence[Raw], at_once: AtOnce
    ) -> Steps[dict[int, list[Raw]]]:
        """What is said of other cuts where the first was unsure, by the number of the question."""
        asked: list[tuple[int, Pixels]] = []
        for number, (question, one) in enumerate(zip(questions, raw, strict=True)):
            if asked_again(question, one) and question.alternate is not None:
                asked += [(number, image) for image in (question.alternate, *looks(question.image))]
        look = partial(self._decode, self._quick)
        about, images = [questions[number] for number, _ in asked], [image for _, image in asked]
        said = yield from in_parts(look, about, images, at_once)
        told: dict[int, list[Raw]] = defaultdict(list)
        for (number, _), one in zip(asked, said, strict=True):
            told[number].append(one)
        return told

    def _decode(self, model: NanoVLM, questions: Sequence[Question], images: Sequence[Pixels]) -> list[Raw]:
        """Each distinct image is seen once, whatever is asked about it."""
        about: dict[int, list[int]] = defaultdict(list)
        for number, image in enumerate(images):
            about[id(image)].append(number)
        config = model.config
        distinct = [fitted(images[numbers[0]], config.height, config.width) for numbers in about.values()]
        asked = model.decoder.embed_tokens(torch.tensor([question_id(one.kind) for one in questions]))
        seen = model.see(tensor(distinct))
        packs = [
            Pack(one, [asked[n, None] for n in numbers]) for one, numbers in zip(seen, about.values(), strict=True)
        ]
        rows = Rows.begun(model, packs)
        # Questions still being answered, in the order of the rows; finished ones leave.
        writing = [number for numbers in about.values() for number in numbers]
        chances = (rows.logits.float() + torch.stack([allowed.first(questions[n]) for n in writing])).log_softmax(-1)
        empty = dict(zip(writing, chances[:, ID[EMPTY]].exp().tolist(), strict=True))
        said = {number: [step] for number, step in zip(writing, _likeliest(chances), strict=True)}
        words = {number: [steps[0][0][0]] for number, steps in said.items()}

        def goes_on(number: int) -> bool:
            """A choice or a state is one word; a string goes on to its end."""
            last = VOCABULARY[words[number][-1]]
            return questions[number].kind not in CHOICES and last in CHARACTERS

        while following := [place for place, number in enumerate(writing) if goes_on(number)]:
            if len(following) < len(writing):
                rows.keep(following)
                writing = [writing[place] for place in following]
            rows.say([words[number][-1] for number in writing])
            limit = torch.stack([allowed.further(questions[number], words[number]) for number in writing])
            for number, step in zip(writing, _likeliest((rows.logits.float() + limit).log_softmax(-1)), strict=True):
                said[number].append(step)
                words[number].append(step[0][0])
        return [_raw(said[number], 1 - empty[number]) for number in range(len(questions))]


def _likeliest(chances: Tensor) -> list[list[tuple[int, float]]]:
    """Of each row of log-probabilities the likeliest tokens with theirs."""
    values, tokens = chances.topk(LETTERS, -1)
    return [list(zip(*row, strict=True)) for row in zip(tokens.tolist(), values.tolist(), strict=True)]


def _raw(steps: Sequence[Sequence[tuple[int, float]]], present: float) -> Raw:
    """What the likeliest tokens of each step make up, and where that is unsure what others would."""
    confidence = math.exp(sum(step[0][1] for step in steps))
    word = "".join(VOCABULARY[step[0][0]] for step in steps if step[0][0] != ID[EOS])
    if confidence >= UNSURE or VOCABULARY[steps[0][0][0]] not in CHARACTERS:
        return Raw(word, confidence, present)
    places = [
        [(VOCABULARY[token], chance) for token, chance in step if VOCABULARY[token] in CHARACTERS]
        for step in steps
        if step[0][0] != ID[EOS]
    ]
    return Raw(word, confidence, present, variants(places, confidence))


def load_reader(source: Path | str | None = None, precision: Wanted = "auto") -> ModelReader | PromptedReader:
    """The checkpoint in a folder, of whatever kind its `config.json` is; the bundled one if none is given. Models that
    are no nanoVLM compute in fp32 always, published ones unless something else is asked for.

    A string may also be the name of a repository of the hub. Raises FileNotFoundError or ValueError with a sentence
    where there is no checkpoint, or a broken one.
    """
    folder = bundled() if source is None else folder_of(source)
    for name in (WEIGHTS, "config.json"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} holds no {name}; give the folder of a checkpoint")
    with loading(folder):
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        family = config.get("model_type")
        if family is None and not is_published(config):
            return ModelReader.from_folder(folder, bf16=resolved(precision, published=False) != "fp32")
        speaker = _speaker(folder, family, resolved(precision, published=True))
        return PromptedReader(speaker, Calibration.load(folder), digest(folder))


def load_checked(source: Path | str | None = None, precision: Wanted = "auto") -> Reader:
    """The same with its strings checked, as documents are read. Raises what `load_reader` does."""
    reader = load_reader(source, precision)
    return checked(reader, reader.calibration, reader.cells)


def _speaker(folder: Path, family: str | None, precision: Precision) -> Speaker:
    if family is None:
        return NanoVLMSpeaker.from_folder(folder, precision)
    # Their classes take a while to import.
    from models.peers import FAMILIES, PeerSpeaker

    if family not in FAMILIES:
        raise ValueError(f"{folder} is a {family}; nanoVLM, {', '.join(sorted(FAMILIES))} can be read with")
    return PeerSpeaker.from_folder(folder, family)
