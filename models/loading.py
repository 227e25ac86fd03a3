"""What is wrong with a checkpoint that can't be loaded, in a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

from models.calibration import FILE as CALIBRATION
from models.checkpoint import WEIGHTS

CONFIG = "config.json"


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """What a broken checkpoint makes the code in the block raise becomes a ValueError that says which file is broken
    and what to do. Sentences of its own, and a machine without memory, pass."""
    for name in (CONFIG, CALIBRATION):
        _check_object(folder / name)
    try:
        yield
    except SafetensorError as wrong:
        raise ValueError(
            f"{folder / WEIGHTS} is damaged or no safetensors file ({wrong}); copy or download it again"
        ) from wrong
    except StrictDataclassError as wrong:
        raise ValueError(
            f"{folder / CONFIG} says what no model is like ({_short(wrong)}); copy or download it again"
        ) from wrong
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except (RuntimeError, LookupError, TypeError, AttributeError, ArithmeticError) as wrong:
        raise ValueError(
            f"{folder / WEIGHTS} doesn't fit {folder / CONFIG} ({_short(wrong)}); take both from the same checkpoint"
        ) from wrong


def _check_object(path: Path) -> None:
    """Raises ValueError unless the file holds a JSON object, or isn't there."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except ValueError as wrong:
        raise ValueError(f"{path} is no JSON ({wrong}); copy or download it again") from wrong
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no JSON object; copy or download it again")


def _short(wrong: Exception) -> str:
    """The first thing that an error complains of; torch begins with a headline and goes on over many lines."""
    lines = [line.strip() for line in str(wrong).splitlines() if line.strip()]
    said = lines[1] if len(lines) > 1 else lines[0] if lines else type(wrong).__name__
    return said if len(said) <= 160 else f"{said[:159]}…"
