"""The numbers of a published checkpoint's `config.json`, under their published names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

CONFIG = "config.json"

#: What a `config.json` of this format has, and one of another format has not.
MARKS = ("vit_hidden_dim", "lm_hidden_dim")

#: Every message between its marks, and the mark of an answer at the end.
CHATML = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

#: What the second generation knows and the first refuses to be told.
SECOND_ONLY = (
    "lm_chat_template",
    "mp_image_token_length",
    "max_img_size",
    "resize_to_max_side_len",
    "vlm_extra_tokens",
)

#: Where the two generations take different numbers when a file doesn't say.
SECOND_DEFAULTS: Mapping[str, Any] = {
    "vit_img_size": 512,
    "vit_model_type": "google/siglip2-base-patch16-512",
    "lm_hidden_dim": 960,
    "lm_inter_dim": 2560,
    "lm_n_heads": 15,
    "lm_n_kv_heads": 5,
    "lm_n_blocks": 32,
    "lm_model_type": "HuggingFaceTB/SmolLM2-360M-Instruct",
    "lm_tokenizer": "HuggingFaceTB/SmolLM2-360M-Instruct",
    "mp_pixel_shuffle_factor": 4,
}


@dataclass(frozen=True)
class PublishedConfig:
    """SigLIP (`vit_`), the projection (`mp_`) and SmolLM2 (`lm_`); the defaults are the first generation's.

    A checkpoint of the second generation names `vlm_extra_tokens`, the tokens that stand for images. Of those, the
    later ones split large images (`max_img_size`; None: one square image), and the last ones show the whole image
    before its parts (`global_image_token`).
    """

    vit_hidden_dim: int = 768
    vit_inter_dim: int = 3072
    vit_patch_size: int = 16
    vit_img_size: int = 224
    vit_n_heads: int = 12
    vit_n_blocks: int = 12
    vit_ln_eps: float = 1e-6
    vit_cls_flag: bool = False
    vit_model_type: str = "google/siglip-base-patch16-224"
    lm_hidden_dim: int = 576
    lm_inter_dim: int = 1536
    lm_rms_eps: float = 1e-5
    lm_re_base: int = 100_000
    lm_max_position_embeddings: int = 8192
    lm_attn_scaling: float = 1.0
    lm_vocab_size: int = 49_152
    lm_n_heads: int = 9
    lm_n_kv_heads: int = 3
    lm_n_blocks: int = 30
    lm_tie_weights: bool = True
    lm_model_type: str = "HuggingFaceTB/SmolLM2-135M"
    lm_tokenizer: str = "HuggingFaceTB/cosmo2-tokenizer"
    lm_chat_template: str = CHATML
    mp_pixel_shuffle_factor: int = 2
    mp_image_token_length: int | None = None
    max_img_size: int | None = None
    resize_to_max_side_len: bool = False
    vlm_extra_tokens: Mapping[str, str] = field(default_factory=dict)
    #: Keys of the file that are not used here; they are written back as they were.
    others: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        side = self.vit_img_size // self.vit_patch_size
        if self.vit_cls_flag:
            raise ValueError("vit_cls_flag is set: no published checkpoint has a class token, and none is read here")
        if side % self.mp_pixel_shuffle_factor:
            raise ValueError(f"{side} patches a side can't be joined by {self.mp_pixel_shuffle_factor}")
        if self.mp_image_token_length not in (None, self.image_tokens):
            raise ValueError(
                f"mp_image_token_length is {self.mp_image_token_length}, but an image has {self.image_tokens} places"
            )

    @property
    def generation(self) -> int:
        """1: image embeddings stand before the text; 2: image tokens stand in it."""
        return 2 if self.vlm_extra_tokens else 1

    @property
    def image_tokens(self) -> int:
        """Places of one square image in the decoder's sequence."""
        return (self.vit_img_size // self.vit_patch_size // self.mp_pixel_shuffle_factor) ** 2

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads `config.json`. Raises ValueError for numbers that no published model has."""
        return cls.of(json.loads((folder / CONFIG).read_text(encoding="utf-8")))

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """From names and numbers as they stand in a file; missing ones take their generation's defaults."""
        known = {each.name for each in fields(cls)} - {"others"}
        values = {key: value for key, value in given.items() if key in known}
        if given.get("vlm_extra_tokens"):
            values = {**SECOND_DEFAULTS, **values}
            # The vocabulary is SmolLM2's and one more for each token that stands for images.
            values.setdefault("lm_vocab_size", cls.lm_vocab_size + len(values["vlm_extra_tokens"]))
        return cls(**values, others={key: value for key, value in given.items() if key not in known})

    def save(self, folder: Path) -> None:
        """Writes `config.json` as the published code of its generation reads it."""
        values = asdict(self)
        others = values.pop("others")
        unset = {key for key, value in values.items() if value is None}
        left = unset | (set(SECOND_ONLY) if self.generation == 1 else set())
        kept = {key: value for key, value in values.items() if key not in left}
        (folder / CONFIG).write_text(json.dumps(others | kept, indent=4) + "\n", encoding="utf-8")


def is_published(given: Mapping[str, Any]) -> bool:
    """Whether a `config.json` is of the published nanoVLM."""
    return all(mark in given for mark in MARKS)
