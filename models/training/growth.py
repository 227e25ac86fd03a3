"""A model larger than one already trained, that says the same until it is trained on.

Layers are put between those there are, and their results count nothing at first: in the stem fresh ones, in encoder
and decoder copies of the layer before (Chen et al., "Net2Net", ICLR 2016; Wu et al., "LLaMA Pro", ACL 2024). So a
larger training begins where the smaller one ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from models.nanovlm.config import Layer, NanoVLMConfig, keeps
from models.nanovlm.model import NanoVLM

#: The numbers in which the larger model may differ.
MAY_DIFFER = {"stem", "vision_layers", "decoder_layers"}

#: Weights by which a layer's results leave it, in the stem those of its normalisation; at zero it passes on what it was
#: given.
LAST = ("out_proj.weight", "out_proj.bias", "fc2.weight", "fc2.bias", "o_proj.weight", "down_proj.weight")
LAST_OF_STEM = "1.weight"

#: Where the layers of a model stand among its weights.
STEM, ENCODER, DECODER = "vision.stem.", "vision.encoder.layers.", "decoder.layers."


@torch.no_grad()
def grown(model: NanoVLM, config: NanoVLMConfig) -> NanoVLM:
    """A model as `config` says that answers as `model` does. Raises ValueError with a sentence where `config` is not
    `model`'s with layers put in between."""
    smaller = model.config
    unlike = [name for name, value in vars(smaller).items() if name not in MAY_DIFFER and value != vars(config)[name]]
    if unlike:
        raise ValueError(f"a model grows by layers between those it has; it can't change its {', '.join(unlike)}")
    larger, weights = NanoVLM(config), model.state_dict()
    # What belongs to no layer has the same name in both.
    taken = {name: one for name, one in weights.items() if not name.startswith((STEM, ENCODER, DECODER))}
    for place, (source, layer) in enumerate(zip(_stem(smaller.stem, config.stem), larger.vision.stem, strict=True)):
        fresh = layer.state_dict()
        fresh[LAST_OF_STEM] = torch.zeros_like(fresh[LAST_OF_STEM])
        taken |= _named(f"{STEM}{place}.", fresh if source is None else _of(weights, f"{STEM}{source}."))
    for prefix, few, many in (
        (ENCODER, smaller.vision_layers, config.vision_layers),
        (DECODER, smaller.decoder_layers, config.decoder_layers),
    ):
        if many < few:
            raise ValueError(f"a model grows by layers between those it has; it has {few} and can't have {many}")
        sources = [place * few // many for place in range(many)]
        for place, source in enumerate(sources):
            copied = _of(weights, f"{prefix}{source}.")
            if source in sources[:place]:
                copied = {name: torch.zeros_like(one) if name.endswith(LAST) else one for name, one in copied.items()}
            taken |= _named(f"{prefix}{place}.", copied)
    larger.load_state_dict(taken)
    return larger


def _of(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): one for name, one in weights.items() if name.startswith(prefix)}


def _named(prefix: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: one for name, one in weights.items()}


def _stem(few: Sequence[Layer], many: Sequence[Layer]) -> list[int | None]:
    """For each of the layers of a stem the one of the smaller stem that it continues, or None for a new one."""
    sources: list[int | None] = []
    at = 0
    for layer in many:
        if at < len(few) and layer == few[at]:
            sources.append(at)
            at += 1
        elif keeps(layer):
            sources.append(None)
        else:
            raise ValueError(f"a model grows by layers that keep size and channels; {list(layer)} of the stem doesn't")
    if at < len(few):
        raise ValueError(f"a model grows by layers between those it has; {list(few[at])} of its stem is missing")
    return sources
