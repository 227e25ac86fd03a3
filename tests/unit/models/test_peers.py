"""Other people's models at the size of a toy: random weights, tokenizers made on the spot, nothing fetched."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertTokenizerFast,
    BlipConfig,
    BlipForQuestionAnswering,
    BlipImageProcessorPil,
    CLIPImageProcessorPil,
    GitConfig,
    GitForCausalLM,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessorPil,
    Kosmos2Config,
    Kosmos2ForConditionalGeneration,
    Kosmos2Processor,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
)

from models.nanovlm.tokens import CHOICES
from models.peers import FAMILIES, PeerSpeaker
from models.prompted import PROMPTS, PromptedReader
from models.reader import load_reader
from models.source import folder_of
from models.speaking import Prompt, one_of
from pipeline.reading import AnswerState, Question
from tests.unit.models.nanovlm.tokenizers import byte_tokenizer

SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
SEEN = SMALL | {"image_size": 32, "patch_size": 8}
SQUARE = {"height": 32, "width": 32}


def telling(model: Any) -> Any:
    """The model with weights large enough for everything to tell in what it says."""
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    return model


def word_pieces() -> BertTokenizerFast:
    """Letters and some words, lower case: a vocabulary of BERT's kind."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789/-.,:?'()&"
    words = ["yes", "nothing", "signature", "rubber", "stamp", "handwriting", "illegible", "12", "2016"]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]"]
    every = [*special, *letters, *(f"##{letter}" for letter in letters), *words, "##16"]
    vocabulary = {word: number for number, word in enumerate(every)}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return BertTokenizerFast(tokenizer_object=made, vocab=vocabulary, do_lower_case=True)


def smolvlm(folder: Path, config: Any = Idefics3Config, model: Any = Idefics3ForConditionalGeneration) -> None:
    tokenizer = byte_tokenizer()
    tokenizer.add_special_tokens(
        {"additional_special_tokens": ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]}
    )
    image = tokenizer.convert_tokens_to_ids("<image>")
    text = SMALL | {"model_type": "llama", "vocab_size": len(tokenizer), "num_key_value_heads": 2, "pad_token_id": 0}
    made = config(vision_config=SEEN, text_config=text, image_token_id=image, scale_factor=2, pad_token_id=0)
    telling(model(made)).save_pretrained(folder)
    Idefics3ImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32}).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def smolvlm2(folder: Path) -> None:
    smolvlm(folder, SmolVLMConfig, SmolVLMForConditionalGeneration)


def blip(folder: Path) -> None:
    tokenizer = word_pieces()
    text = SMALL | {"vocab_size": len(tokenizer), "encoder_hidden_size": 32, "max_position_embeddings": 256}
    marks = {"bos_token_id": 5, "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0}
    config = BlipConfig(text_config=text | marks, vision_config=SEEN, image_text_hidden_size=32)
    telling(BlipForQuestionAnswering(config)).save_pretrained(folder)
    BlipImageProcessorPil(size=SQUARE).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def git(folder: Path) -> None:
    tokenizer = word_pieces()
    marks = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
    config = GitConfig(vision_config=SEEN, vocab_size=len(tokenizer), max_position_embeddings=256, **SMALL, **marks)
    telling(GitForCausalLM(config)).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def kosmos(folder: Path) -> None:
    tokenizer = byte_tokenizer()
    tokenizer.add_special_tokens({"bos_token": "<s>", "unk_token": "<unk>"})
    images = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE)
    Kosmos2Processor(images, tokenizer)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": 1}
    text = {"vocab_size": len(tokenizer), "embed_dim": 32, "layers": 2, "ffn_dim": 64, "attention_heads": 4}
    config = Kosmos2Config(text_config=text | ends, vision_config=SEEN, latent_query_num=4)
    telling(Kosmos2ForConditionalGeneration(config)).save_pretrained(folder)
    images.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


MADE: dict[str, Callable[[Path], None]] = {
    "idefics3": smolvlm,
    "smolvlm": smolvlm2,
    "blip": blip,
    "git": git,
    "kosmos-2": kosmos,
}


@pytest.fixture(scope="module", params=sorted(MADE))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    where = tmp_path_factory.mktemp("peer")
    MADE[request.param](where)
    return where


@pytest.fixture(scope="module")
def reader(folder: Path) -> PromptedReader:
    found = load_reader(str(folder))
    assert isinstance(found, PromptedReader)
    return found


def evidence(seed: int, width: int = 90) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (40, width)).astype(np.uint8)


def test_every_family_is_tested() -> None:
    assert MADE.keys() == FAMILIES.keys()


def test_every_kind_of_question_is_answered(reader: PromptedReader) -> None:
    asked = [Question(kind, evidence(seed), "0123456789/", 4) for seed, kind in enumerate(PROMPTS)]
    for question, answer in zip(asked, reader.read(asked), strict=True):
        assert 0 <= answer.confidence <= 1 and 0 <= answer.present <= 1
        if question.kind in CHOICES:
            assert answer.label is not None and answer.value is None
        elif answer.state is AnswerState.PRESENT:
            assert answer.value is not None and len(answer.value) <= 4 and set(answer.value) <= set("0123456789/")
    assert reader.parameters > 1000 and reader.version


def test_the_chances_of_a_choice_add_up(folder: Path) -> None:
    family = json.loads((folder / "config.json").read_text())["model_type"]
    speaker = PeerSpeaker.from_folder(folder, family)
    allowed = [11, 12, 13, 14]
    (spoken,) = speaker.speak([Prompt(Image.fromarray(evidence(1)), "Signed?", one_of(allowed))])
    assert list(spoken.first) == allowed
    assert sum(math.exp(one) for one in spoken.first.values()) == pytest.approx(1, abs=1e-5)
    assert spoken.tokens == (max(spoken.first, key=lambda one: spoken.first[one]),)
    assert spoken.log_probability == pytest.approx(max(spoken.first.values()))


@torch.inference_mode()
def test_a_choice_is_what_the_model_would_say_first(folder: Path) -> None:
    family = json.loads((folder / "config.json").read_text())["model_type"]
    speaker, picture, allowed = PeerSpeaker.from_folder(folder, family), Image.fromarray(evidence(2)), [11, 12, 13]
    (spoken,) = speaker.speak([Prompt(picture, "Signed?", one_of(allowed))])
    inputs = speaker._asked(picture.convert("RGB"), "Signed?")
    if family == "blip":
        seen = speaker._model.vision_model(inputs["pixel_values"])[0]
        asked = speaker._model.text_encoder(inputs["input_ids"], encoder_hidden_states=seen)[0]
        start = torch.tensor([[speaker._model.decoder_start_token_id]])
        logits = speaker._model.text_decoder(start, encoder_hidden_states=asked).logits
    else:
        logits = speaker._model(**inputs).logits
    chances = logits[0, -1, allowed].log_softmax(-1)
    assert list(spoken.first.values()) == pytest.approx(chances.tolist(), abs=1e-4)


def test_the_picture_counts(reader: PromptedReader) -> None:
    pictures = [Image.fromarray(evidence(seed)) for seed in range(4)]
    chances = reader.choose(pictures, ["Which is it?"] * 4, ["yes", "nothing"])
    assert all(sum(one) == pytest.approx(1, abs=1e-5) for one in chances)
    assert len({round(one[0], 7) for one in chances}) > 1


def test_an_unknown_family_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ValueError, match=r"is a bert; nanoVLM, blip, git, idefics3, kosmos-2, smolvlm"):
        load_reader(tmp_path)


@pytest.mark.parametrize("source", ["/nowhere/at/all", "./nowhere", "nowhere"])
def test_what_is_neither_folder_nor_repository_is_refused(source: str) -> None:
    with pytest.raises(FileNotFoundError, match="is no folder; give the folder"):
        folder_of(source)
