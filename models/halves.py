"""Weights of small networks on disk: half precision, in safetensors."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, nn


def weights(file: Path) -> dict[str, Tensor]:
    """The weights of a network in fp32, which a file holds in half precision. Raises FileNotFoundError without one."""
    stored = load_file(file)
    return {name: one.float() if one.is_floating_point() else one for name, one in stored.items()}


def save(net: nn.Module, out: Path) -> None:
    """Writes weights in half precision."""
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {
            name: (value.half() if value.is_floating_point() else value).contiguous().clone()
            for name, value in net.state_dict().items()
        },
        out,
    )
    # Workers run as other users than whoever trained.
    out.chmod(0o644)
