"""What the engine is measured on: the bundled checkpoint, and the published 222M with random weights.

Random weights read nothing, but cost what trained ones cost. Their tokenizer knows the prompts' words as one token
each, as SmolLM2's does, and every byte.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from docvigil.bench.plain import PlainBundled, PlainSpeaker
from models.calibration import Calibration
from models.nanovlm.model import NanoVLM
from models.nanovlm.processor import fitted, tensor
from models.nanovlm.published.config import PublishedConfig
from models.nanovlm.published.model import PublishedNanoVLM
from models.nanovlm.published.processor import Processor
from models.nanovlm.published.speaker import NanoVLMSpeaker
from models.precision import Precision, bf16_is_fast, int8_is_fast
from models.prompted import PROMPTS, WORDS, PromptedReader
from models.reader import ModelReader, bundled
from models.synthesis.evidence import make
from pipeline.reading import Answer, Pixels, Question, QuestionKind, Reader

END = "<|endoftext|>"

#: What is asked about each evidence: two choices, two short answers.
ASKED = (
    (QuestionKind.SIGNATURE, None, None),
    (QuestionKind.TEXT, None, None),
    (QuestionKind.DATE, "0123456789", 8),
    (QuestionKind.IDENTIFIER, "0123456789", 4),
)


class SupportsRead(Protocol):
    def read(self, questions: Sequence[Question]) -> list[Answer]: ...


@dataclass(frozen=True)
class Stand:
    """A model under measurement: who reads plainly, in fp32, and who reads for the engine, in its `precision`; and the
    engine's vision tower alone."""

    name: str
    precision: Precision
    plain: SupportsRead
    fast: Reader
    see: Callable[[Sequence[Pixels]], Tensor]


def precisions() -> list[Precision]:
    """The numbers that nanoVLM can be read in here at a gain."""
    return ["fp32", "bf16"] if bf16_is_fast() else ["fp32"]


def published_precisions() -> list[Precision]:
    """The same for published checkpoints."""
    return [*precisions(), "int8"] if int8_is_fast() else precisions()


def bundled_stand(precision: Precision = "fp32") -> Stand:
    """The checkpoint that ships."""
    model, half = NanoVLM.from_folder(bundled()), precision == "bf16"
    quick, config = model.for_reading(bf16=half), model.config

    @torch.inference_mode()
    def see(images: Sequence[Pixels]) -> Tensor:
        return quick.see(tensor([fitted(one, config.height, config.width) for one in images]))

    return Stand("bundled", precision, PlainBundled(model), ModelReader(model, Calibration(), "bench", bf16=half), see)


def published_stand(precision: Precision = "fp32", **numbers: Any) -> Stand:
    """nanoVLM-222M, or of other dimensions."""
    torch.manual_seed(0)
    config = PublishedConfig.of(numbers)
    model, processor = PublishedNanoVLM(config).eval(), Processor(config, tokenizer())
    plain = PromptedReader(PlainSpeaker(model, processor), Calibration(), "bench")
    quick = model if precision == "fp32" else copy.deepcopy(model).computing_in(precision)
    fast = PromptedReader(NanoVLMSpeaker(quick, processor), Calibration(), "bench")
    side = config.vit_img_size

    @torch.inference_mode()
    def see(images: Sequence[Pixels]) -> Tensor:
        return quick.see(torch.zeros(len(images), 3, side, side).to(quick.head.weight))

    return Stand(f"nanoVLM {sum(one.numel() for one in model.parameters()) // 10**6}M", precision, plain, fast, see)


def tokenizer() -> PreTrainedTokenizerFast:
    """Bytes and the words of the prompts, each with the space before it."""
    vocabulary = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    made = Tokenizer(models.BPE(vocabulary, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    prompts = [word.strip(",.?:") for text in (*PROMPTS.values(), *WORDS.values()) for word in text.split()]
    words = dict.fromkeys([" Question", "Question", " Answer", *(f" {word}" for word in prompts if word.isalpha())])
    made.add_tokens([AddedToken(word, normalized=False) for word in words])
    made.add_special_tokens([AddedToken(END, special=True, normalized=False)])
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token=END, pad_token=END)


def evidences(count: int) -> list[Pixels]:
    """Drawn evidence of the test split: what the model meets, nothing it was trained on."""
    return [make(8_000_000 + number, "test").image for number in range(count)]


def about(image: Pixels) -> list[Question]:
    """The four questions on one evidence."""
    # Each evidence is an object of its own: only questions about the same object share it.
    own = np.ascontiguousarray(image)
    return [Question(kind, own, alphabet, longest) for kind, alphabet, longest in ASKED]
