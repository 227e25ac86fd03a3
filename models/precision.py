"""The numbers that a model computes in."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch

Precision: TypeAlias = Literal["fp32", "bf16", "int8"]
"""In fp32 a checkpoint reads alike on every machine; bf16 is quicker where the processor multiplies in it, and changes
some of the answers that are unsure. In int8 the layers of a published nanoVLM hold whole numbers and the rest is bf16;
other models, whose layers are too small to gain by it, are then read in bf16."""


def bf16_is_fast() -> bool:
    """Whether this processor multiplies in bf16."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and torch.backends.cpu.get_cpu_capability() == "AVX512"


def int8_is_fast() -> bool:
    """Whether this processor multiplies whole numbers of eight bits faster than others."""
    # What isn't in eight bits is in bf16, so that must be fast too.
    return bf16_is_fast() and bool(torch.cpu.get_capabilities().get("avx512_vnni"))
