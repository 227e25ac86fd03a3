"""A broken checkpoint is refused with a sentence that names the file, whatever is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from docvigil.cli.common import Refusal, the_reader
from docvigil.settings import Settings
from models.checkpoint import bundled
from models.loading import loading
from models.reader import load_reader


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("config.json", "calibration.json", "model.safetensors"):
        (tmp_path / name).write_bytes((bundled() / name).read_bytes())
    return tmp_path


def shortened(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def of_other_size(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hidden": 96}))


def of_no_size(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"decoder_heads": "many"}))


def no_safetensors(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (shortened, r"model\.safetensors is damaged or no safetensors file .*; copy or download it again$"),
        (no_safetensors, r"model\.safetensors is damaged or no safetensors file"),
        (of_other_size, r"model\.safetensors doesn't fit .*config\.json \(size mismatch .*\); take both from the same"),
        (of_no_size, r"config\.json says what no model is like \(.*num_attention_heads"),
        (lambda folder: (folder / "config.json").write_text("{"), r"config\.json is no JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), r"config\.json holds no JSON object"),
        (lambda folder: (folder / "calibration.json").write_bytes(b"\xff"), r"calibration\.json is no JSON"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(folder: Path, spoil: Callable[[Path], object], told: str) -> None:
    spoil(folder)
    with pytest.raises(ValueError, match=re.compile(told, re.DOTALL)) as raised:
        load_reader(folder)
    assert str(folder) in str(raised.value) and "\n" not in str(raised.value)
    with pytest.raises(Refusal, match="the model can't be loaded: "):
        the_reader(Settings(home=folder, model_folder=folder))


def test_a_machine_without_memory_is_no_broken_checkpoint(folder: Path) -> None:
    with pytest.raises(torch.OutOfMemoryError), loading(folder):
        raise torch.OutOfMemoryError("out of memory")
