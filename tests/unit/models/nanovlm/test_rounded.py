"""Linear layers in bf16."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.nanovlm.rounded import RoundedLinear, linear_in_bf16


@torch.inference_mode()
@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_gives_nearly_what_it_gave(bias: bool) -> None:
    torch.manual_seed(0)
    layer, rows = nn.Linear(96, 40, bias=bias), torch.randn(2, 33, 96)
    exact, rounded = layer(rows), RoundedLinear.of(layer)(rows)
    assert rounded.shape == exact.shape and rounded.dtype == exact.dtype
    # Eight bits of mantissa, in each factor and in the sum.
    assert 0 < float((rounded - exact).std() / exact.std()) < 0.01


def test_every_layer_is_replaced_and_what_is_between_stays() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.Sequential(nn.Linear(8, 4)))
    linear_in_bf16(model)
    kinds = [type(one) for one in model.modules() if not isinstance(one, nn.Sequential)]
    assert kinds == [RoundedLinear, nn.LayerNorm, RoundedLinear]
    assert model[1].weight.dtype is torch.float32 and model(torch.zeros(1, 8)).dtype is torch.float32
