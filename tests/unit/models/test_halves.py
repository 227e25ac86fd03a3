"""Weights of small networks: half as large on disk, the same when read, and readable for the users that workers are."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import torch
from torch import nn

from models.halves import save, weights


def test_weights_come_back_in_full_precision(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(40, 30), nn.BatchNorm1d(30))
    save(net, tmp_path / "new" / "small.safetensors")
    stored = weights(tmp_path / "new" / "small.safetensors")
    other = nn.Sequential(nn.Linear(40, 30), nn.BatchNorm1d(30))
    other.load_state_dict(stored)
    assert torch.equal(other[0].weight, net[0].weight.half().float()), "fp32 again, after being rounded"
    assert stored["1.num_batches_tracked"].dtype == torch.int64
    assert (tmp_path / "new" / "small.safetensors").stat().st_size < 2 * 2 * 30 * 45


def test_other_users_may_read_them(tmp_path: Path) -> None:
    out = tmp_path / "small.safetensors"
    save(nn.Linear(2, 2), out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o644


def test_there_is_nothing_to_read_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        weights(tmp_path / "none.safetensors")
