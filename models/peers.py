"""Other people's models behind the same interface, to compare with: SmolVLM, BLIP VQA, GIT and Kosmos-2.

Each is the class of transformers; what differs is how it is asked. They are asked one prompt at a time: what is
compared is what they know, and speed for one picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

import torch
from PIL import Image
from transformers import (
    AutoTokenizer,
    BlipForQuestionAnswering,
    BlipImageProcessorPil,
    CLIPImageProcessorPil,
    GenerationConfig,
    GitForCausalLM,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessorPil,
    Idefics3Processor,
    Kosmos2ForConditionalGeneration,
    Kosmos2Processor,
    SmolVLMForConditionalGeneration,
)
from transformers.utils import logging

from models.speaking import Prompt, Spoken

Inputs: TypeAlias = Mapping[str, Any]
"""What `generate` is given: `input_ids`, `pixel_values` and whatever else the model takes."""


@dataclass(frozen=True)
class Family:
    """How the checkpoints of one `model_type` are loaded and asked: with model, image processor, tokenizer."""

    model: Any
    images: Any
    asked: Callable[[Any, Any, Any], Callable[[Image.Image, str], Inputs]]


def _smolvlm(model: Any, images: Any, tokenizer: Any) -> Callable[[Image.Image, str], Inputs]:
    vision, factor = model.config.vision_config, model.config.scale_factor
    places = (vision.image_size // vision.patch_size // factor) ** 2
    processor = Idefics3Processor(images, tokenizer, image_seq_len=places)

    def asked(picture: Image.Image, text: str) -> Inputs:
        prompt = f"<|im_start|>User:<image>{text}<end_of_utterance>\nAssistant:"
        inputs: Inputs = processor(text=prompt, images=[picture], return_tensors="pt")
        return inputs

    return asked


def _blip(model: Any, images: Any, tokenizer: Any) -> Callable[[Image.Image, str], Inputs]:
    def asked(picture: Image.Image, text: str) -> Inputs:
        return {
            "input_ids": tokenizer(text, return_tensors="pt")["input_ids"],
            "pixel_values": images(picture, return_tensors="pt")["pixel_values"],
        }

    return asked


def _git(model: Any, images: Any, tokenizer: Any) -> Callable[[Image.Image, str], Inputs]:
    def asked(picture: Image.Image, text: str) -> Inputs:
        # The answer goes on after the question: no mark of an end between them.
        question = [tokenizer.cls_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]
        return {
            "input_ids": torch.tensor([question]),
            "pixel_values": images(picture, return_tensors="pt")["pixel_values"],
        }

    return asked


def _kosmos(model: Any, images: Any, tokenizer: Any) -> Callable[[Image.Image, str], Inputs]:
    processor = Kosmos2Processor(images, tokenizer)

    def asked(picture: Image.Image, text: str) -> Inputs:
        inputs: Inputs = processor(
            images=picture,
            text=f"Question: {text} Answer:",
            num_image_tokens=model.config.latent_query_num,
            return_tensors="pt",
        )
        return inputs

    return asked


#: `model_type` of a `config.json` → how it is asked. SmolVLM-256M calls itself idefics3.
FAMILIES: Mapping[str, Family] = {
    "idefics3": Family(Idefics3ForConditionalGeneration, Idefics3ImageProcessorPil, _smolvlm),
    "smolvlm": Family(SmolVLMForConditionalGeneration, Idefics3ImageProcessorPil, _smolvlm),
    "blip": Family(BlipForQuestionAnswering, BlipImageProcessorPil, _blip),
    "git": Family(GitForCausalLM, CLIPImageProcessorPil, _git),
    "kosmos-2": Family(Kosmos2ForConditionalGeneration, CLIPImageProcessorPil, _kosmos),
}


class PeerSpeaker:
    """Implements `models.speaking.Speaker` with `generate` of transformers."""

    def __init__(self, model: Any, images: Any, tokenizer: Any) -> None:
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._family = model.config.model_type
        self._asked = FAMILIES[self._family].asked(model, images, tokenizer)

    @classmethod
    def from_folder(cls, folder: Path, family: str) -> Self:
        """On the GPU where there is one. Raises OSError or ValueError where files are missing or don't fit."""
        known = FAMILIES[family]
        # Whoever asks wants the answer, not a bar for each file.
        logging.disable_progress_bar()
        model = known.model.from_pretrained(folder, use_safetensors=True, dtype=torch.float32)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(model.to(device), known.images.from_pretrained(folder), AutoTokenizer.from_pretrained(folder))

    @property
    def tokenizer(self) -> Any:
        return self._tokenizer

    @property
    def stop(self) -> int:
        """SmolVLM ends what it says with a mark of its own, BERT's vocabulary with the separator."""
        if self._family in ("idefics3", "smolvlm"):
            return int(self._tokenizer.convert_tokens_to_ids("<end_of_utterance>"))
        if self._family in ("blip", "git"):
            return int(self._tokenizer.sep_token_id)
        return int(self._tokenizer.eos_token_id)

    @property
    def parameters(self) -> int:
        return sum(one.numel() for one in self._model.parameters())

    def speak(self, prompts: Sequence[Prompt]) -> list[Spoken]:
        """The likeliest allowed answer to each prompt, greedily."""
        return [self._spoken(prompt) for prompt in prompts]

    @torch.inference_mode()
    def _spoken(self, prompt: Prompt) -> Spoken:
        inputs = self._asked(prompt.picture.convert("RGB"), prompt.text)
        moved = {name: value.to(self._model.device) for name, value in inputs.items()}
        # BLIP's decoder doesn't repeat the question; it begins with one mark.
        begun = 1 if self._family == "blip" else int(moved["input_ids"].shape[1])
        stop = self.stop

        def allowed(_: int, written: Any) -> list[int]:
            return list(prompt.allow(written[begun:].tolist())) or [stop]

        how: dict[str, Any] = {
            "max_new_tokens": prompt.longest,
            "do_sample": False,
            "num_beams": 1,
            "output_scores": True,
            "return_dict_in_generate": True,
        }
        # Nothing that a checkpoint sets for chatting is to change the answer; BLIP names its own marks.
        if self._family != "blip":
            how = {"generation_config": GenerationConfig(eos_token_id=stop, pad_token_id=stop, **how)}
        result = self._model.generate(**moved, **how, prefix_allowed_tokens_fn=allowed)
        written = result.sequences[0, begun:].tolist()
        tokens: list[int] = []
        sure, first = 0.0, dict[int, float]()
        for token, scores in zip(written, result.scores, strict=True):
            among = prompt.allow(tokens)
            if not among:
                break
            chances = scores[0].float().log_softmax(-1)
            if not tokens:
                first = dict(zip(among, chances[list(among)].tolist(), strict=True))
            tokens.append(token)
            sure += float(chances[token])
        return Spoken(tuple(tokens), sure, first)
