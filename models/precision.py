"""The numbers that a model computes in."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch

Precision: TypeAlias = Literal["fp32", "bf16", "int8"]
"""In fp32 a checkpoint reads alike on every machine. In bf16 the products of the bundled kind, or all of a published
nanoVLM, are quicker where the processor multiplies in it. In int8 the layers of a published nanoVLM hold whole
numbers and the rest is bf16; other models, whose layers are too small to gain by it, are then read in bf16."""

Wanted: TypeAlias = Literal["auto"] | Precision
"""What may be asked for: `auto` is whatever is quickest of what leaves the answers as they are."""


def bf16_is_fast() -> bool:
    """Whether this processor multiplies in bf16."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and torch.backends.cpu.get_cpu_capability() == "AVX512"


def int8_is_fast() -> bool:
    """Whether this processor multiplies whole numbers of eight bits faster than others."""
    # What isn't in eight bits is in bf16, so that must be fast too.
    return bf16_is_fast() and bool(torch.cpu.get_capabilities().get("avx512_vnni"))


def resolved(wanted: Wanted, *, published: bool) -> Precision:
    """What a model computes in, a published nanoVLM or one of the bundled kind."""
    if wanted != "auto":
        return wanted
    return "bf16" if not published and bf16_is_fast() else "fp32"
