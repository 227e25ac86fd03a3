"""Linear layers that multiply in bf16, for processors that do so faster than in fp32."""

from __future__ import annotations

from typing import Self

from torch import Tensor, nn


class RoundedLinear(nn.Module):
    """A linear layer whose weights are kept in bf16; inputs and results keep their type."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)

    @classmethod
    def of(cls, layer: nn.Linear) -> Self:
        """The layer with its weights (outputs × inputs) rounded."""
        bias = None if layer.bias is None else layer.bias.detach().bfloat16()
        return cls(layer.weight.detach().bfloat16(), bias)

    def forward(self, inputs: Tensor) -> Tensor:
        return nn.functional.linear(inputs.bfloat16(), self.weight, self.bias).to(inputs.dtype)


def linear_in_bf16(model: nn.Module) -> None:
    """Replaces every linear layer within the model."""
    for name, one in [(name, one) for name, one in model.named_modules() if isinstance(one, nn.Linear)]:
        model.set_submodule(name, RoundedLinear.of(one))
