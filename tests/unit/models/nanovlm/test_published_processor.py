"""What published checkpoints are given: square and split pictures, and the tokens around them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from models.nanovlm.published.config import PublishedConfig
from models.nanovlm.published.processor import Processor
from tests.unit.models.nanovlm.tokenizers import SAID, byte_tokenizer, save_byte_tokenizer

SIZES = {"lm_vocab_size": 400, "vit_hidden_dim": 96, "lm_hidden_dim": 72}

PARTS = {f"r{row}c{column}": f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)}


def first() -> Processor:
    return Processor(PublishedConfig.of(SIZES | {"vit_img_size": 64}), byte_tokenizer())


def second(extra: dict[str, str] | None = None, **change: Any) -> Processor:
    tokens = {"image_token": "<|image|>", "global_image_token": "<|global_image|>"} | PARTS
    given = {"vit_img_size": 64, "max_img_size": 256, "vlm_extra_tokens": extra or tokens} | change
    return Processor(PublishedConfig.of(SIZES | given), byte_tokenizer(SAID))


def picture(width: int, height: int, mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(width * height).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def test_the_first_generation_sees_one_square_and_is_asked_plainly() -> None:
    processor = first()
    views = processor.views(picture(130, 40))
    assert views.images.shape == (1, 3, 64, 64) and views.grid == (1, 1)
    expected = np.asarray(picture(130, 40).resize((64, 64), Image.Resampling.BILINEAR)) / 255
    assert np.allclose(views.images[0].permute(1, 2, 0).numpy(), expected, atol=1e-6)
    assert processor.prompt("Is it signed?") == "Question: Is it signed? Answer:"
    assert processor.tokenizer.decode(processor.tokens("Is it signed?")) == "Question: Is it signed? Answer:"
    assert processor.image_token is None


@pytest.mark.parametrize("mode", ["L", "1", "RGBA", "P", "CMYK"])
def test_pictures_of_every_mode_are_taken(mode: str) -> None:
    assert first().views(picture(20, 30, mode)).images.shape == (1, 3, 64, 64)


@pytest.mark.parametrize(
    ("size", "enlarge", "grid"),
    [
        ((64, 64), False, (1, 1)),
        ((65, 64), False, (2, 2)),
        ((100, 60), False, (2, 2)),
        ((130, 40), False, (1, 3)),
        ((40, 130), False, (3, 1)),
        ((1000, 20), False, (1, 4)),
        ((1000, 1000), False, (4, 4)),
        ((60, 20), False, (1, 1)),
        ((60, 20), True, (2, 4)),
        ((20, 60), True, (4, 2)),
    ],
)
def test_the_second_generation_cuts_a_picture(size: tuple[int, int], enlarge: bool, grid: tuple[int, int]) -> None:
    views = second(resize_to_max_side_len=enlarge).views(picture(*size))
    assert views.grid == grid
    parts = grid[0] * grid[1]
    assert views.images.shape == (parts + (parts > 1), 3, 64, 64)


def test_parts_stand_row_by_row_after_the_whole() -> None:
    original = picture(150, 100)
    views = second().views(original)
    assert views.grid == (2, 3)
    resized = torch.from_numpy(np.array(original.resize((192, 128), Image.Resampling.BICUBIC))).permute(2, 0, 1) / 255
    assert torch.equal(views.images[1], resized[:, :64, :64])
    assert torch.equal(views.images[3], resized[:, :64, 128:])
    assert torch.equal(views.images[4], resized[:, 64:, :64])
    # The whole, made small with area under each pixel told: close to what Pillow makes of it.
    small = np.asarray(
        original.resize((192, 128), Image.Resampling.BICUBIC).resize((64, 64), Image.Resampling.BILINEAR)
    )
    assert np.abs(views.images[0].permute(1, 2, 0).numpy() * 255 - small).max() <= 2


def test_the_second_generation_is_asked_in_chatml() -> None:
    places = "<|image|>" * 1
    processor = second()
    assert processor.config.image_tokens == 1
    assert processor.prompt("Signed?") == (
        f"<|im_start|>user\n<|global_image|>{places}Signed?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert processor.prompt("Signed?", (1, 2)) == (
        f"<|im_start|>user\n<|global_image|>{places}<row_1_col_1>{places}<row_1_col_2>{places}Signed?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    tokens = processor.tokens("Signed?", (1, 2)).tolist()
    assert tokens.count(processor.image_token) == 3
    assert processor.tokenizer.decode(tokens) == processor.prompt("Signed?", (1, 2))
    # Each special token is one, numbered after the text's in the order of the file.
    extra = list(processor.config.vlm_extra_tokens.values())
    base = len(byte_tokenizer())
    assert processor.tokenizer.convert_tokens_to_ids(extra) == list(range(base, base + len(extra)))


def test_checkpoints_from_before_the_whole_image_have_parts_only() -> None:
    processor = second({"image_token": "<|image|>"} | PARTS)
    views = processor.views(picture(100, 30))
    assert views.images.shape[0] == 2 and views.grid == (1, 2)
    assert processor.prompt("?", (1, 1)).startswith("<|im_start|>user\n<row_1_col_1><|image|>?")


def test_checkpoints_from_before_splitting_see_one_square() -> None:
    processor = second({"image_token": "<|image|>"}, max_img_size=None, vit_img_size=128)
    views = processor.views(picture(500, 30))
    assert views.images.shape == (1, 3, 128, 128)
    assert processor.prompt("?", views.grid).startswith("<|im_start|>user\n" + "<|image|>" * 4 + "?")


def test_a_part_without_a_token_is_refused() -> None:
    with pytest.raises(ValueError, match="row 1, column 5"):
        second().prompt("?", (1, 5))


def test_a_tokenizer_of_another_model_is_refused() -> None:
    with pytest.raises(ValueError, match="the model only 200"):
        Processor(PublishedConfig.of(SIZES | {"lm_vocab_size": 200}), byte_tokenizer())


def test_the_tokenizer_of_the_folder_is_used(tmp_path: Path) -> None:
    save_byte_tokenizer(tmp_path)
    processor = Processor.from_folder(tmp_path, PublishedConfig.of(SIZES))
    assert processor.tokenizer.decode(processor.tokens("12?")) == "Question: 12? Answer:"


def test_without_a_tokenizer_a_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    config = PublishedConfig.of(SIZES | {"lm_tokenizer": str(tmp_path / "nowhere")})
    with pytest.raises(FileNotFoundError, match=r"put tokenizer\.json"):
        Processor.from_folder(tmp_path, config)
