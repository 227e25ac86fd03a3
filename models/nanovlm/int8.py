"""Linear layers in whole numbers of eight bits, for processors that multiply those faster than any others.

Weights are scaled an output, inputs a row (a place of an image, a token), both symmetrically (dynamic scales a token:
Yao et al., "ZeroQuant", NeurIPS 2022). Sums of whole numbers are exact, and no row's scale depends on its batch.
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

#: The greatest whole number used; -128 is left out, so that both signs are alike.
GREATEST = 127

#: The least that a row of nothing is scaled by.
LEAST = 1e-12


class Int8Linear(nn.Module):
    """A linear layer whose weights are kept in eight bits; inputs and results keep their type."""

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)
        self.register_buffer("bias", bias)

    @classmethod
    def of(cls, layer: nn.Linear) -> Self:
        """The layer with its weights (outputs × inputs) rounded."""
        weight = layer.weight.detach().float()
        scale = weight.abs().amax(1).clamp_min(LEAST) / GREATEST
        rounded = (weight / scale[:, None]).round().to(torch.int8)
        return cls(rounded.t().contiguous(), scale, None if layer.bias is None else layer.bias.detach().float())

    def forward(self, inputs: Tensor) -> Tensor:
        rows = inputs.reshape(-1, inputs.shape[-1])
        # A row of nothing has no scale; any will do.
        scale = rows.abs().amax(1, keepdim=True).float().clamp_min(LEAST) / GREATEST
        whole = torch._int_mm((rows / scale).round_().to(torch.int8), self.weight)
        result = whole.float().mul_(scale).mul_(self.scale)
        if self.bias is not None:
            result += self.bias
        return result.to(inputs.dtype).view(*inputs.shape[:-1], -1)


def in_int8(model: nn.Module) -> None:
    """Replaces every linear layer within the model, whose other parts go on in bf16."""
    # Before the rest loses digits; and scales keep theirs.
    layers = {name: Int8Linear.of(one) for name, one in model.named_modules() if isinstance(one, nn.Linear)}
    model.to(torch.bfloat16)
    for name, layer in layers.items():
        model.set_submodule(name, layer)
