"""The numbers that a model computes in."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch

Precision: TypeAlias = Literal["fp32", "bf16"]
"""In fp32 a checkpoint reads alike on every machine; bf16 is quicker where the processor multiplies in it, and changes
some of the answers that are unsure."""


def bf16_is_fast() -> bool:
    """Whether this processor multiplies in bf16."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and torch.backends.cpu.get_cpu_capability() == "AVX512"
