"""What a configuration names: code is told to worker processes as text."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def resolve(path: str) -> Any:
    """What `package.module:name` stands for."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
