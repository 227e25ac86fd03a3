"""Two versions are asked the same, and each is told what it got right."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.checkpoint import WEIGHTS, bundled
from models.training.judged import judged, write
from tests.unit.models.training.test_feedback import fill


@pytest.fixture
def spoiled(tmp_path: Path) -> Path:
    """The bundled checkpoint with noise for weights."""
    folder = tmp_path / "spoiled"
    shutil.copytree(bundled(), folder)
    generator = torch.Generator().manual_seed(1)
    weights = load_file(folder / WEIGHTS)
    noise = {name: torch.randn(one.shape, generator=generator).to(one.dtype) * 0.02 for name, one in weights.items()}
    save_file(noise, folder / WEIGHTS)
    return folder


def test_each_version_is_told_what_it_got_right(tmp_path: Path, spoiled: Path) -> None:
    examples = tmp_path / "feedback"
    fill(examples, 12, check="field.missing")
    out = tmp_path / "out.jsonl"
    write(out, judged(examples, spoiled, bundled()))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == 12
    assert {line["check"] for line in lines} == {"field.missing"}
    candidate, production = zip(*(line["right"] for line in lines), strict=True)
    assert sum(production) > 9 > sum(candidate)
    assert all(0 <= one <= 1 for line in lines for one in line["confidence"])


def test_a_folder_without_examples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no metadata"):
        list(judged(tmp_path, bundled(), bundled()))
