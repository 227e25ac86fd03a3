"""Linear layers in bf16, and what they have in common with those in eight bits."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.nanovlm.int8 import Int8Linear
from models.nanovlm.rounded import RoundedLinear, linear_in_bf16


@torch.inference_mode()
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("kind", "most"),
    [
        # Eight bits of mantissa, in each factor and in the sum.
        (RoundedLinear, 0.01),
        # Each of the two roundings is off by half a step of 127 at most, and the errors of a sum are spread.
        (Int8Linear, 0.02),
    ],
)
def test_a_layer_gives_nearly_what_it_gave(
    kind: type[RoundedLinear] | type[Int8Linear], most: float, bias: bool
) -> None:
    torch.manual_seed(0)
    layer, rows = nn.Linear(96, 40, bias=bias), torch.randn(2, 33, 96)
    exact, quick = layer(rows), kind.of(layer)(rows)
    assert quick.shape == exact.shape and quick.dtype == exact.dtype
    assert 0 < float((quick - exact).std() / exact.std()) < most


def test_every_layer_is_replaced_and_what_is_between_stays() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.Sequential(nn.Linear(8, 4)))
    linear_in_bf16(model)
    kinds = [type(one) for one in model.modules() if not isinstance(one, nn.Sequential)]
    assert kinds == [RoundedLinear, nn.LayerNorm, RoundedLinear]
    assert model[1].weight.dtype is torch.float32 and model(torch.zeros(1, 8)).dtype is torch.float32
