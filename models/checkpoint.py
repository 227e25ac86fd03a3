"""A checkpoint's folder: where the bundled one is and which version it holds, told without loading anything."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

from models.calibration import FILE as CALIBRATION

WEIGHTS = "model.safetensors"

#: The weights of the reader of comb boxes, where a checkpoint has one.
CELLS = "cells.safetensors"


def bundled() -> Path:
    """The folder of the checkpoint that ships."""
    return Path(str(files("models") / "bundled"))


def digest(folder: Path) -> str:
    """The model version: twelve hexadecimal digits that change with weights, architecture and calibration, and with
    the reader of comb boxes."""
    sha = hashlib.sha256()
    for name in (WEIGHTS, "config.json", CALIBRATION, CELLS):
        path = folder / name
        # Checkpoints from before there was such a reader keep their names.
        if path.exists() or name != CELLS:
            sha.update(name.encode() + b"\0" + (path.read_bytes() if path.exists() else b"") + b"\0")
    return sha.hexdigest()[:12]
