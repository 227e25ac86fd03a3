"""The numbers that a model computes in."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch

Precision: TypeAlias = Literal["auto", "fp32", "bf16"]
"""`auto` is bf16 for the bundled architecture where the processor multiplies in it, and fp32 otherwise: how many of a
published checkpoint's answers would change nobody has measured."""


def bf16_is_fast() -> bool:
    """Whether this processor multiplies in bf16."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and torch.backends.cpu.get_cpu_capability() == "AVX512"
