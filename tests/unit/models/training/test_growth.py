"""Growth: a larger model says what the smaller one said, and can be trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.nanovlm.config import NanoVLMConfig
from models.nanovlm.model import NanoVLM
from models.training.growth import grown
from models.training.lesson import Lesson
from models.training.recipe import Recipe
from models.training.train import begun
from tests.unit.models.training.test_training import TINY

SMALL = NanoVLMConfig.of({**TINY, "vision_layers": 2})
LARGE = replace(
    SMALL,
    stem=((1, 8, 2, 2), (8, 8, 1, 1), (8, 8, 2, 2), (8, 8, 2, 2), (8, 8, 1, 1), (8, 16, 2, 1), (16, 16, 1, 1)),
    vision_layers=3,
    decoder_layers=3,
)


@pytest.fixture
def small() -> NanoVLM:
    """With statistics of normalisation that are not those at birth."""
    torch.manual_seed(7)
    model = NanoVLM(SMALL).train()
    for _ in range(3):
        model(torch.randn(4, 1, 48, 384), torch.randint(2, 60, (4, 5)))
    return model.eval()


@pytest.fixture
def asked() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(8)
    return torch.randn(4, 1, 48, 384), torch.randint(2, 60, (4, 5))


@pytest.mark.parametrize("training", [False, True])
def test_a_model_that_has_grown_says_the_same(
    small: NanoVLM, asked: tuple[torch.Tensor, torch.Tensor], training: bool
) -> None:
    before = small.train(training)(*asked)
    after = grown(small, LARGE).train(training)(*asked)
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one, other)


def test_what_was_put_between_learns(small: NanoVLM, asked: tuple[torch.Tensor, torch.Tensor]) -> None:
    lesson = Lesson(grown(small, LARGE)).train()
    new = {
        name: one.detach().clone()
        for name, one in lesson.named_parameters()
        if name.startswith(("model.vision.stem.1.", "model.vision.encoder.layers.1.", "model.decoder.layers.2."))
    }
    optimiser = torch.optim.SGD(lesson.parameters(), lr=0.5)
    images, tokens = asked
    # What leaves a new layer counts after the first step, what is inside it is moved by the second.
    for _ in range(2):
        optimiser.zero_grad()
        lesson(images, tokens, torch.zeros(4, 48, dtype=torch.long))["loss"].backward()
        optimiser.step()
    after = dict(lesson.named_parameters())
    still = [name for name, one in new.items() if torch.equal(one, after[name])]
    # The keys' bias moves all of a query's scores alike, which changes nothing.
    assert [name for name in still if not name.endswith("k_proj.bias")] == []


def test_a_grown_model_reads_as_it_was_trained(small: NanoVLM, asked: tuple[torch.Tensor, torch.Tensor]) -> None:
    model = grown(small, LARGE).eval()
    for layer in model.vision.stem.children():
        torch.nn.init.uniform_(layer.get_submodule("1").weight, 0.5, 1.5)  # type: ignore[arg-type]
    with torch.inference_mode():
        assert torch.allclose(model.see(asked[0]), model.for_reading().see(asked[0]), atol=1e-4)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"hidden": 64}, "hidden"),
        ({"vision_layers": 1}, "has 2 and can't have 1"),
        ({"stem": SMALL.stem[:3]}, "is missing"),
        ({"stem": ((1, 16, 2, 2), *SMALL.stem[1:])}, r"\[1, 16, 2, 2\] of the stem"),
    ],
)
def test_what_is_no_growth_is_refused_with_a_sentence(small: NanoVLM, other: Mapping[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        grown(small, replace(SMALL, **other))


def test_a_training_begins_with_a_smaller_checkpoint(small: NanoVLM, tmp_path: Path) -> None:
    small.save(tmp_path)
    assert begun(Recipe(steps=2, descent=1, architecture=vars(LARGE)), tmp_path).config == LARGE
