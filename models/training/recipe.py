"""The numbers of a training, read from a file beside the data: what is drawn, for how long, how the rate moves."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import yaml

from models.nanovlm.config import NanoVLMConfig

#: The recipe of the checkpoint that ships.
BUNDLED = "bundled.yaml"


@dataclass(frozen=True)
class Recipe:
    """AdamW, linear warm-up, a plateau and a cosine to zero (WSD, Hu et al., 2024): a training that must end early
    begins its descent early, and nothing is lost.

    Evidences are drawn once and shown `showings` times, each time shifted and shaded anew. `columns_until` is the
    share of the steps after which the labels of columns have lost their weight. From step `forms_from` on a share
    `forms` of the evidences is cut from whole forms. A training that goes on from another's weights begins at shard
    `first_shard`, so that it sees what the other hasn't seen.
    """

    steps: int
    descent: int
    batch: int = 32
    rate: float = 1e-3
    warm_up: float = 0.05
    weight_decay: float = 0.05
    clip: float = 1.0
    showings: int = 2
    columns_weight: float = 1.0
    columns_until: float = 0.8
    forms: float = 0.0
    forms_from: int = 0
    first_shard: int = 0
    save_every: int = 500
    seed: int = 20261124
    architecture: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.descent <= self.steps:
            raise ValueError(f"descent is {self.descent} steps; it must be between 1 and the {self.steps} there are")
        for name in ("batch", "showings", "save_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")

    @property
    def config(self) -> NanoVLMConfig:
        return NanoVLMConfig.of(self.architecture)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Reads a recipe; the bundled checkpoint's where none is given. Raises ValueError for what is no recipe."""
        text = (path or Path(str(files("models.training") / BUNDLED))).read_text(encoding="utf-8")
        values = yaml.safe_load(text)
        if not isinstance(values, dict):
            raise ValueError(f"{path} is no recipe: names and numbers are needed")
        unknown = sorted(set(values) - {each.name for each in fields(cls)})
        if unknown:
            raise ValueError(f"{path} names what no recipe has: {', '.join(unknown)}")
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
