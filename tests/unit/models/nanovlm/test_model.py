"""The architecture: what is decoded step by step is what is computed at once; folders hold all there is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from models.nanovlm.config import NanoVLMConfig
from models.nanovlm.model import WEIGHTS, NanoVLM
from models.nanovlm.processor import fitted, tensor
from models.nanovlm.rounded import RoundedLinear
from models.nanovlm.tokens import CHARACTERS, CHOICES, ID, STATES, VOCABULARY


@pytest.fixture(scope="module")
def model() -> NanoVLM:
    torch.manual_seed(1)
    return NanoVLM(NanoVLMConfig()).eval()


@torch.inference_mode()
def test_step_by_step_is_the_same_as_at_once(model: NanoVLM) -> None:
    images, tokens = torch.rand(3, 1, 48, 384) * 2 - 1, torch.randint(0, len(VOCABULARY), (3, 6))
    at_once, characters = model(images, tokens)
    assert characters.shape == (3, 48, model.config.characters)
    logits, cache = model.start(model.see(images), tokens[:, 0])
    steps = [logits]
    for place in range(1, tokens.shape[1]):
        logits, cache = model.step(tokens[:, place], cache)
        steps.append(logits)
    assert (torch.stack(steps, 1) - at_once).abs().max() < 1e-4


@torch.inference_mode()
def test_a_picture_is_read_alone_as_in_company(model: NanoVLM) -> None:
    images, tokens = torch.rand(4, 1, 48, 384) * 2 - 1, torch.randint(0, len(VOCABULARY), (4, 3))
    together, _ = model(images, tokens)
    alone, _ = model(images[2:3], tokens[2:3])
    assert (together[2:3] - alone).abs().max() < 1e-4


@torch.inference_mode()
def test_what_reads_faster_reads_the_same(model: NanoVLM) -> None:
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr]
    images, tokens = torch.rand(3, 1, 48, 384) * 2 - 1, torch.randint(0, len(VOCABULARY), (3, 4))
    fast = model.for_reading()
    assert (fast(images, tokens)[0] - model(images, tokens)[0]).abs().max() < 1e-4
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules()), (
        "the model itself stays as it is"
    )


@torch.inference_mode()
def test_in_bf16_convolutions_and_layers_are_rounded_and_nothing_else(model: NanoVLM) -> None:
    images, tokens = torch.rand(3, 1, 48, 384) * 2 - 1, torch.randint(0, len(VOCABULARY), (3, 4))
    exact, rounded = model.for_reading(), model.for_reading(bf16=True)
    products = (nn.Conv2d, RoundedLinear)
    inside = {name for name, module in rounded.named_modules() if isinstance(module, products)}
    halved = {name.rpartition(".")[0] for name, one in rounded.state_dict().items() if one.dtype is torch.bfloat16}
    assert halved == inside and {name.split(".")[0] for name in inside} == {"vision", "decoder"}
    assert not any(isinstance(one, nn.Linear) for part in (rounded.vision, rounded.decoder) for one in part.modules())
    assert rounded.see(images).dtype is torch.float32
    off = (rounded(images, tokens)[0] - exact(images, tokens)[0]).abs().max()
    assert 0 < off < 0.05 * exact(images, tokens)[0].std()


def test_a_folder_holds_the_whole_model(model: NanoVLM, tmp_path: Path) -> None:
    model.save(tmp_path, dtype=torch.float32)
    again = NanoVLM.from_folder(tmp_path)
    assert again.config == model.config
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name])
    assert {one.name for one in tmp_path.iterdir()} == {"config.json", WEIGHTS}


def test_half_precision_takes_half_the_room(model: NanoVLM, tmp_path: Path) -> None:
    model.save(tmp_path)
    weights = sum(parameter.numel() for parameter in model.parameters())
    assert (tmp_path / WEIGHTS).stat().st_size < 2.1 * weights + 100_000


def test_unknown_and_missing_numbers_are_tolerated() -> None:
    config = NanoVLMConfig.of({"hidden": 64, "invented": 1, "stem": [[1, 8, 2, 2]]})
    assert (config.hidden, config.stem, config.height) == (64, ((1, 8, 2, 2),), 48)


@pytest.mark.parametrize(("rows", "columns"), [(20, 300), (300, 20), (48, 384), (7, 7), (1, 900)])
def test_evidence_of_any_shape_fits_with_its_own_aspect(rows: int, columns: int) -> None:
    image = np.full((rows, columns), 200, np.uint8)
    image[:, : max(1, columns // 10)] = 0
    out = fitted(image)
    assert out.shape == (48, 384) and out.dtype == np.uint8
    assert tensor([out]).shape == (1, 1, 48, 384)


def test_what_evidence_leaves_free_is_paper() -> None:
    image = np.full((48, 100), 230, np.uint8)
    image[20:24, 10:90] = 10
    assert (fitted(image)[:, 110:] == 230).all()


def test_the_vocabulary_fits_and_says_each_thing_once() -> None:
    config = NanoVLMConfig()
    assert len(set(VOCABULARY)) == len(VOCABULARY) <= config.vocabulary
    assert config.characters == len(CHARACTERS) + 1
    assert all(choice in STATES and choice in ID for choices in CHOICES.values() for choice in choices)
