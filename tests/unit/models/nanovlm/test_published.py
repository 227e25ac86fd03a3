"""Published checkpoints: the same numbers come out as of the published maths, and folders keep their format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from models.nanovlm.published.config import CHATML, PublishedConfig, is_published
from models.nanovlm.published.keys import EMBEDDING, HEAD, from_published, names, to_published
from models.nanovlm.published.model import PublishedNanoVLM
from tests.unit.models.nanovlm import restated

#: The first generation at a quarter of its width and fewer layers.
FIRST: dict[str, Any] = {
    "vit_hidden_dim": 96,
    "vit_inter_dim": 192,
    "vit_patch_size": 16,
    "vit_img_size": 64,
    "vit_n_heads": 3,
    "vit_n_blocks": 3,
    "vit_ln_eps": 1e-6,
    "lm_hidden_dim": 72,
    "lm_inter_dim": 160,
    "lm_rms_eps": 1e-5,
    "lm_re_base": 100000,
    "lm_vocab_size": 150,
    "lm_n_heads": 9,
    "lm_n_kv_heads": 3,
    "lm_n_blocks": 4,
    "mp_pixel_shuffle_factor": 2,
}

#: The second generation likewise; its image token is the first beyond the text's vocabulary.
IMAGE = 150
SECOND: dict[str, Any] = FIRST | {
    "vit_img_size": 128,
    "lm_hidden_dim": 120,
    "lm_n_heads": 15,
    "lm_n_kv_heads": 5,
    "lm_vocab_size": 153,
    "mp_pixel_shuffle_factor": 4,
    "mp_image_token_length": 4,
    "max_img_size": 512,
    "resize_to_max_side_len": True,
    "vlm_extra_tokens": {"image_token": "<|image|>", "global_image_token": "<|global_image|>", "r1c1": "<row_1_col_1>"},
}


def built(numbers: dict[str, Any], weights: dict[str, torch.Tensor]) -> PublishedNanoVLM:
    model = PublishedNanoVLM(PublishedConfig.of(numbers)).eval()
    model.load_state_dict(from_published(weights, model.config))
    return model


def text(rows: int, length: int, images: int = 0, vocabulary: int = 150) -> torch.Tensor:
    """Random words; in each row all places of `images` images, with words before, between and after."""
    words = torch.randint(0, vocabulary, (rows, length))
    for image in range(images):
        words[:, 2 + image * 6 : 6 + image * 6] = IMAGE
    return words


@torch.inference_mode()
@pytest.mark.parametrize("tied", [True, False])
def test_the_first_generation_is_the_published_maths(tied: bool) -> None:
    torch.manual_seed(0)
    numbers = FIRST | {"lm_tie_weights": tied}
    weights = restated.random_weights(numbers, 1, tied=tied)
    views, tokens = torch.rand(3, 3, 64, 64), text(3, 20)
    ours = built(numbers, weights)(views, tokens)
    theirs = restated.first_generation(weights, numbers, views, tokens)
    assert theirs.std() > 0.5
    assert (ours - theirs).abs().max() <= 1e-4


@torch.inference_mode()
@pytest.mark.parametrize("tied", [True, False])
def test_the_second_generation_is_the_published_maths(tied: bool) -> None:
    torch.manual_seed(0)
    numbers = SECOND | {"lm_tie_weights": tied}
    weights = restated.random_weights(numbers, 2, tied=tied)
    views, tokens = torch.rand(6, 3, 128, 128), text(2, 24, images=3)
    ours = built(numbers, weights)(views, tokens, IMAGE)
    theirs = restated.second_generation(weights, numbers, views, tokens, IMAGE)
    assert theirs.std() > 0.5
    assert (ours - theirs).abs().max() <= 1e-4


@torch.inference_mode()
@pytest.mark.parametrize("name", ["vision_encoder.blocks.1.attn.qkv_proj.weight", "decoder.blocks.2.norm2.weight"])
def test_one_changed_weight_shows(name: str) -> None:
    torch.manual_seed(0)
    weights = restated.random_weights(FIRST, 1)
    views, tokens = torch.rand(1, 3, 64, 64), text(1, 8)
    model = built(FIRST, weights)
    weights[name] = weights[name].flip(0)
    theirs = restated.first_generation(weights, FIRST, views, tokens)
    assert (model(views, tokens) - theirs).abs().max() > 1e-2


@pytest.mark.slow
@torch.inference_mode()
def test_the_published_size_is_the_published_maths() -> None:
    """nanoVLM-222M as it is published: every default of the first generation."""
    config = PublishedConfig()
    numbers = {key: value for key, value in vars(config).items() if key != "others"}
    weights = restated.random_weights(numbers, 3)
    assert 2.2e8 < sum(one.numel() for name, one in weights.items() if name != HEAD) < 2.3e8
    views, tokens = torch.rand(1, 3, 224, 224), text(1, 5, vocabulary=49_152)
    ours = built(numbers, weights)(views, tokens)
    theirs = restated.first_generation(weights, numbers, views, tokens)
    assert config.image_tokens == 49
    assert (ours - theirs).abs().max() <= 1e-4


@pytest.mark.parametrize(("numbers", "image"), [(FIRST, None), (SECOND, IMAGE)])
def test_decoding_with_the_cache_says_what_is_said_without(numbers: dict[str, Any], image: int | None) -> None:
    torch.manual_seed(4)
    weights = restated.random_weights(numbers, 5)
    side, images = numbers["vit_img_size"], 2 if image else 0
    views, tokens = torch.rand(2 * (images or 1), 3, side, side), text(2, 16, images)
    said = built(numbers, weights).generate(views, tokens, 8, image_token=image)
    assert len(set(said.flatten().tolist())) > 3
    assert torch.equal(said, restated.greedy(weights, numbers, views, tokens, 8, image))


def test_decoding_stops_where_it_is_told_to() -> None:
    torch.manual_seed(4)
    model = built(FIRST, restated.random_weights(FIRST, 5))
    views, tokens = torch.rand(2, 3, 64, 64), text(2, 6)
    said = model.generate(views, tokens, 8)
    stop = int(said[0, 2])
    stopped = model.generate(views, tokens, 8, stop=stop)
    first = said[0].tolist().index(stop)
    assert stopped[0, : first + 1].tolist() == said[0, : first + 1].tolist()
    assert set(stopped[0, first:].tolist()) == {stop}


@pytest.mark.parametrize("numbers", [FIRST, SECOND])
def test_the_key_map_leads_back_to_every_published_weight(numbers: dict[str, Any]) -> None:
    weights = restated.random_weights(numbers, 6)
    config = PublishedConfig.of(numbers)
    back = to_published(from_published(weights, config), config)
    # Tied, the file holds head and embedding once, under the name that sorts first.
    assert back.keys() == weights.keys() - {EMBEDDING}
    assert all(torch.equal(back[name], weights[name]) for name in back if "inv_freq" not in name)
    assert torch.allclose(back["decoder.rotary_embd.inv_freq"], weights["decoder.rotary_embd.inv_freq"])
    ours = [one for _, several in names(config) for one in several]
    assert sorted(ours) == sorted(PublishedNanoVLM(config).state_dict())


@torch.inference_mode()
@pytest.mark.parametrize("stored", [EMBEDDING, HEAD])
def test_a_published_folder_loads_under_either_name_of_the_tied_weight(tmp_path: Path, stored: str) -> None:
    weights = restated.random_weights(FIRST, 7)
    del weights[HEAD if stored == EMBEDDING else EMBEDDING]
    save_file({name: one.contiguous() for name, one in weights.items()}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(FIRST | {"hf_repo_name": None, "IMAGE_TOKEN_LENGTH": 4}))
    model = PublishedNanoVLM.from_folder(tmp_path)
    weights[EMBEDDING] = weights[HEAD] = weights[stored]
    views, tokens = torch.rand(1, 3, 64, 64), text(1, 4)
    theirs = restated.first_generation(weights, FIRST, views, tokens)
    assert (model(views, tokens) - theirs).abs().max() <= 1e-4


@pytest.mark.parametrize("numbers", [FIRST, SECOND])
def test_a_saved_folder_is_of_the_same_format(tmp_path: Path, numbers: dict[str, Any]) -> None:
    given = numbers | {"lm_max_length": 79, "invented": {"by": "others"}}
    model = built(given, restated.random_weights(numbers, 8))
    model.save(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert is_published(written) and given.items() <= written.items()
    assert ("vlm_extra_tokens" in written) == ("max_img_size" in written) == (numbers is SECOND)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert file.metadata()[EMBEDDING] == HEAD
    again = PublishedNanoVLM.from_folder(tmp_path)
    assert again.config == model.config
    assert all(torch.equal(one, again.state_dict()[name]) for name, one in model.state_dict().items())
    assert {one.name for one in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    assert load_file(tmp_path / "model.safetensors")["vision_encoder.patch_embedding.position_embedding"].dim() == 3


def test_weights_that_do_not_fit_are_refused_with_a_sentence(tmp_path: Path) -> None:
    weights = restated.random_weights(FIRST, 9)
    del weights["MP.proj.weight"]
    with pytest.raises(ValueError, match=r"1 are missing \(MP\.proj\.weight\), 1 are unknown \(strange\)"):
        from_published(weights | {"strange": torch.zeros(1)}, PublishedConfig.of(FIRST))
    built(FIRST, restated.random_weights(FIRST, 9)).save(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(FIRST | {"lm_inter_dim": 96}))
    with pytest.raises(ValueError, match=r"not of the sizes in config\.json"):
        PublishedNanoVLM.from_folder(tmp_path)


def test_missing_numbers_are_those_of_the_generation() -> None:
    first = PublishedConfig.of({"lm_hidden_dim": 576, "vit_hidden_dim": 768})
    assert (first.generation, first.image_tokens, first.lm_vocab_size) == (1, 49, 49_152)
    second = PublishedConfig.of({"vlm_extra_tokens": {"image_token": "<|image|>"}})
    assert (second.generation, second.image_tokens, second.lm_vocab_size) == (2, 64, 49_153)
    assert (second.lm_hidden_dim, second.lm_n_blocks, second.vit_img_size) == (960, 32, 512)
    assert second.lm_chat_template == CHATML and second.max_img_size is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"vit_cls_flag": True}, "class token"),
        ({"mp_pixel_shuffle_factor": 3}, "can't be joined"),
        ({"mp_image_token_length": 50}, "has 4 places"),
    ],
)
def test_numbers_that_no_published_model_has_are_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        PublishedConfig.of(FIRST | change)


def test_images_and_their_places_must_fit() -> None:
    model = built(SECOND, restated.random_weights(SECOND, 9))
    with pytest.raises(ValueError, match="4 image tokens, but 8 places"):
        model(torch.rand(2, 3, 128, 128), text(1, 12, images=1), IMAGE)


def test_a_sequence_that_is_too_long_is_refused() -> None:
    model = built(FIRST | {"lm_max_position_embeddings": 16}, restated.random_weights(FIRST, 9))
    with pytest.raises(ValueError, match="24 places, but the model was made for 16"):
        model(torch.rand(1, 3, 64, 64), text(1, 20))
