"""The architecture's numbers, as they stand in a checkpoint's `config.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self, TypeAlias

#: A convolution of the stem: channels in and out, vertical and horizontal stride.
Layer: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True)
class NanoVLMConfig:
    """A vision encoder, a projection and a decoder.

    Evidence is `height` × `width` grey. `stem` lists the 3×3 convolutions that take the place of a patch projection,
    each `(in, out, vertical stride, horizontal stride)`; together they leave `rows` × `columns` places. One that
    changes neither size nor channels adds to what it was given. Pixel shuffle joins the rows of a column before the
    encoder, so that the sequence is one place a column.
    """

    height: int = 48
    width: int = 384
    rows: int = 3
    columns: int = 48
    stem: tuple[Layer, ...] = (
        (1, 32, 2, 2),
        (32, 64, 2, 2),
        (64, 64, 1, 1),
        (64, 128, 2, 2),
        (128, 128, 1, 1),
        (128, 192, 2, 1),
        (192, 192, 1, 1),
    )
    hidden: int = 192
    vision_layers: int = 4
    vision_heads: int = 6
    vision_feed_forward: int = 768
    decoder_layers: int = 3
    decoder_heads: int = 6
    decoder_feed_forward: int = 576
    vocabulary: int = 128
    positions: int = 128
    characters: int = 73

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads `config.json`; keys this version doesn't know are ignored, missing ones take their defaults."""
        return cls.of(json.loads((folder / "config.json").read_text(encoding="utf-8")))

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """From names and numbers as they stand in a file."""
        known = {each.name for each in fields(cls)}
        values = {key: value for key, value in given.items() if key in known}
        if "stem" in values:
            values["stem"] = tuple(tuple(layer) for layer in values["stem"])
        return cls(**values)

    def save(self, folder: Path) -> None:
        text = json.dumps({"architecture": "nanovlm", **asdict(self)}, indent=1)
        (folder / "config.json").write_text(text + "\n", encoding="utf-8")


def keeps(layer: Layer) -> bool:
    """Whether a convolution leaves size and channels as they are."""
    inputs, outputs, down, across = layer
    return inputs == outputs and down == across == 1
