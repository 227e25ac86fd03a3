"""The names of a published checkpoint's weights, and those of the same weights in transformers' modules.

The published vision encoder keeps query, key and value of a block in one matrix; transformers keeps three. Positions
are published with a batch dimension. The head is the embedding itself where the two are tied: a published file then
holds it once, under either name. The rotary frequencies follow from the config and are published all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from models.nanovlm.published.config import PublishedConfig

HEAD, EMBEDDING = "decoder.head.weight", "decoder.token_embedding.weight"
FREQUENCIES = "decoder.rotary_embd.inv_freq"
POSITIONS = "vision_encoder.patch_embedding.position_embedding"

#: Published name → ours, for what is the same on both sides.
VISION = {
    "vision_encoder.patch_embedding.conv": "vision.embeddings.patch_embedding",
    "vision_encoder.layer_norm": "vision.post_layernorm",
}
VISION_BLOCK = {
    "ln1": "layer_norm1",
    "ln2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
DECODER_BLOCK = {
    "norm1": "input_layernorm",
    "norm2": "post_attention_layernorm",
    "attn.q_proj": "self_attn.q_proj",
    "attn.k_proj": "self_attn.k_proj",
    "attn.v_proj": "self_attn.v_proj",
    "attn.out_proj": "self_attn.o_proj",
    "mlp.gate_proj": "mlp.gate_proj",
    "mlp.up_proj": "mlp.up_proj",
    "mlp.down_proj": "mlp.down_proj",
}


def names(config: PublishedConfig) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each published name, and ours: three where a published matrix is query, key and value under one another."""
    for part in ("weight", "bias"):
        for theirs, ours in VISION.items():
            yield f"{theirs}.{part}", (f"{ours}.{part}",)
    yield POSITIONS, ("vision.embeddings.position_embedding.weight",)
    for block in range(config.vit_n_blocks):
        theirs, ours = f"vision_encoder.blocks.{block}", f"vision.encoder.layers.{block}"
        for part in ("weight", "bias"):
            for one, other in VISION_BLOCK.items():
                yield f"{theirs}.{one}.{part}", (f"{ours}.{other}.{part}",)
            three = tuple(f"{ours}.self_attn.{each}_proj.{part}" for each in "qkv")
            yield f"{theirs}.attn.qkv_proj.{part}", three
    yield "MP.proj.weight", ("projection.weight",)
    yield EMBEDDING, ("decoder.embed_tokens.weight",)
    for block in range(config.lm_n_blocks):
        for one, other in DECODER_BLOCK.items():
            yield f"decoder.blocks.{block}.{one}.weight", (f"decoder.layers.{block}.{other}.weight",)
    yield "decoder.norm.weight", ("decoder.norm.weight",)
    yield HEAD, ("head.weight",)


def from_published(weights: Mapping[str, Tensor], config: PublishedConfig) -> dict[str, Tensor]:
    """A published file's weights under our names. Raises ValueError where weights are missing or unknown."""
    given = dict(weights)
    given.pop(FREQUENCIES, None)
    if config.lm_tie_weights:
        one = given.get(EMBEDDING, given.get(HEAD))
        if one is not None:
            given[EMBEDDING] = given[HEAD] = one
    known = dict(names(config))
    missing, unknown = sorted(known.keys() - given.keys()), sorted(given.keys() - known.keys())
    if missing or unknown:
        raise ValueError(
            f"these are not the weights that config.json describes: {len(missing)} are missing ({_some(missing)}), "
            f"{len(unknown)} are unknown ({_some(unknown)})"
        )
    ours: dict[str, Tensor] = {}
    for theirs, targets in known.items():
        tensor = given[theirs]
        if theirs == POSITIONS:
            tensor = tensor.reshape(tensor.shape[-2:])
        ours.update(zip(targets, tensor.chunk(len(targets)), strict=True))
    return ours


def to_published(weights: Mapping[str, Tensor], config: PublishedConfig) -> dict[str, Tensor]:
    """Our weights under the published names, the tied embedding once."""
    theirs = {name: torch.cat([weights[one] for one in ours]) for name, ours in names(config)}
    theirs[POSITIONS] = theirs[POSITIONS][None]
    theirs[FREQUENCIES] = frequencies(config)
    if config.lm_tie_weights:
        del theirs[EMBEDDING]
    return theirs


def frequencies(config: PublishedConfig) -> Tensor:
    """The angle of each pair of dimensions from one place to the next (RoPE; Su et al., 2021)."""
    size = config.lm_hidden_dim // config.lm_n_heads
    return 1.0 / config.lm_re_base ** (torch.arange(0, size, 2).float() / size)


def _some(found: list[str]) -> str:
    return ", ".join(found[:3]) + (", …" if len(found) > 3 else "") if found else "none"
