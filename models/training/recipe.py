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

#: How weights and what flows between them are kept while training.
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@dataclass(frozen=True)
class Recipe:
    """AdamW, linear warm-up, a plateau and a cosine to zero (WSD, Hu et al., 2024): a training that must end early
    begins its descent early, and nothing is lost.

    Evidences are drawn once and shown `showings` times, each time shifted and shaded anew. `columns_until` is the
    share of the steps after which the labels of columns have lost their weight. From step `forms_from` on a share
    `forms` of the evidences is cut from whole forms. A training that goes on from another's weights begins at shard
    `first_shard`, so that it sees what the other hasn't seen.

    A step takes `accumulation` batches. `precision` is auto (bf16 or fp16 on a GPU), fp32, bf16 or fp16. The
    contrastive loss has `contrast_weight` until that share of the steps is done. With `evaluate_every` so many steps
    are done between evaluations on what isn't learned from, the best state is kept, and `patience` evaluations
    without a better one end the training. A share `feedback` of the evidences comes from reviewers; those are turned
    by up to `turns` degrees, and a share `flips` of the choices mirrored, where the answer stays true.
    `projection_rate` and `length` (tokens a sequence) are for published nanoVLM checkpoints.
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
    accumulation: int = 1
    precision: str = "auto"
    contrast_weight: float = 0.0
    contrast_until: float = 0.2
    evaluate_every: int = 0
    patience: int = 3
    feedback: float = 0.0
    turns: float = 0.0
    flips: float = 0.0
    projection_rate: float | None = None
    length: int = 1024
    save_every: int = 500
    seed: int = 20261124
    architecture: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.descent <= self.steps:
            raise ValueError(f"descent is {self.descent} steps; it must be between 1 and the {self.steps} there are")
        for name in ("batch", "showings", "save_every", "accumulation", "patience", "length"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        for name in ("forms", "contrast_until", "feedback", "flips"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share, from 0 to 1, not {getattr(self, name)}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}; it is one of {', '.join(PRECISIONS)}")
        if self.evaluate_every and self.save_every % self.evaluate_every:
            raise ValueError("save_every must be a multiple of evaluate_every: what is saved must have been evaluated")

    @property
    def evidences_a_step(self) -> int:
        return self.batch * self.accumulation

    @property
    def config(self) -> NanoVLMConfig:
        return NanoVLMConfig.of(self.architecture)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Reads a recipe; the bundled checkpoint's where none is given. Raises ValueError for what is no recipe."""
        path = path or shipped(BUNDLED)
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as wrong:
            raise ValueError(f"{path} is no recipe: it is not YAML") from wrong
        if not isinstance(values, dict):
            raise ValueError(f"{path} is no recipe: names and numbers are needed")
        unknown = sorted(set(values) - {each.name for each in fields(cls)})
        if unknown:
            raise ValueError(f"{path} names what no recipe has: {', '.join(unknown)}")
        try:
            return cls(**values)
        except TypeError as wrong:
            raise ValueError(f"{path} is no recipe: it needs steps and descent, and numbers for what is one") from wrong

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def shipped(name: str) -> Path:
    """A recipe that comes with docvigil, by its file's name."""
    return Path(str(files("models.training") / name))
