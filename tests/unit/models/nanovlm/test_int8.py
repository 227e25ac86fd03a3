"""Linear layers in eight bits."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.nanovlm.int8 import Int8Linear, in_int8
from models.nanovlm.published.config import PublishedConfig
from models.nanovlm.published.model import PublishedNanoVLM


def test_whole_numbers_that_fit_are_exact() -> None:
    layer = nn.Linear(2, 2, bias=False)
    layer.weight.data = torch.tensor([[127.0, -64.0], [1.0, 127.0]])
    assert Int8Linear.of(layer)(torch.tensor([[127.0, 2.0], [0.0, 0.0]])).tolist() == [[16001.0, 381.0], [0.0, 0.0]]


def test_a_row_is_answered_alike_whatever_stands_beside_it() -> None:
    torch.manual_seed(1)
    layer, row = Int8Linear.of(nn.Linear(64, 64)), torch.randn(1, 64)
    beside = torch.cat([row, 1000 * torch.randn(20, 64)])
    assert torch.equal(layer(beside)[:1], layer(row))


def test_what_is_no_layer_goes_on_in_bf16() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.Sequential(nn.Linear(8, 4)))
    in_int8(model)
    assert [type(one) for one in (model[0], model[2][0])] == [Int8Linear, Int8Linear]
    assert model[1].weight.dtype == torch.bfloat16 and model[0].scale.dtype == torch.float32
    assert model(torch.randn(3, 8).bfloat16()).dtype == torch.bfloat16


def test_it_is_not_for_gpus() -> None:
    model = PublishedNanoVLM(PublishedConfig.of({"vit_n_blocks": 1, "lm_n_blocks": 1}))
    with pytest.raises(ValueError, match="on a GPU use bf16"):
        model.computing_in("int8", "cuda")
