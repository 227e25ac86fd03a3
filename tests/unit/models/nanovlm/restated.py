"""The published forward pass once more, from its maths and in plain PyTorch, on weights under their published names.

Nothing of transformers and nothing of `models` is used: attention is written out as softmax(QKᵀ/√d)V.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]
Numbers = Mapping[str, Any]


def random_weights(numbers: Numbers, seed: int, *, tied: bool = True) -> dict[str, Tensor]:
    """Weights of every published name, large enough for every part to tell in the result."""
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape: int, scale: float = 1.0) -> Tensor:
        return torch.randn(*shape, generator=draw) * scale / math.sqrt(shape[-1])

    def near_one(size: int) -> Tensor:
        return 1 + 0.1 * torch.randn(size, generator=draw)

    vit, inter, lm, patch = (numbers[k] for k in ("vit_hidden_dim", "vit_inter_dim", "lm_hidden_dim", "vit_patch_size"))
    side = numbers["vit_img_size"] // patch
    weights = {
        "vision_encoder.patch_embedding.conv.weight": torch.randn(vit, 3, patch, patch, generator=draw) / patch,
        "vision_encoder.patch_embedding.conv.bias": normal(vit),
        "vision_encoder.patch_embedding.position_embedding": torch.randn(1, side * side, vit, generator=draw) * 0.3,
        "vision_encoder.layer_norm.weight": near_one(vit),
        "vision_encoder.layer_norm.bias": normal(vit),
        "MP.proj.weight": normal(lm, vit * numbers["mp_pixel_shuffle_factor"] ** 2),
        "decoder.token_embedding.weight": torch.randn(numbers["lm_vocab_size"], lm, generator=draw) * 0.3,
        "decoder.norm.weight": near_one(lm),
    }
    for block in range(numbers["vit_n_blocks"]):
        name = f"vision_encoder.blocks.{block}"
        for norm in ("ln1", "ln2"):
            weights |= {f"{name}.{norm}.weight": near_one(vit), f"{name}.{norm}.bias": normal(vit)}
        for part, rows, columns in (
            ("attn.qkv_proj", 3 * vit, vit),
            ("attn.out_proj", vit, vit),
            ("mlp.fc1", inter, vit),
            ("mlp.fc2", vit, inter),
        ):
            weights |= {f"{name}.{part}.weight": normal(rows, columns), f"{name}.{part}.bias": normal(rows)}
    narrow = lm // numbers["lm_n_heads"] * numbers["lm_n_kv_heads"]
    for block in range(numbers["lm_n_blocks"]):
        name = f"decoder.blocks.{block}"
        weights |= {f"{name}.norm1.weight": near_one(lm), f"{name}.norm2.weight": near_one(lm)}
        for part, rows, columns in (
            ("attn.q_proj", lm, lm),
            ("attn.k_proj", narrow, lm),
            ("attn.v_proj", narrow, lm),
            ("attn.out_proj", lm, lm),
            ("mlp.gate_proj", numbers["lm_inter_dim"], lm),
            ("mlp.up_proj", numbers["lm_inter_dim"], lm),
            ("mlp.down_proj", lm, numbers["lm_inter_dim"]),
        ):
            weights[f"{name}.{part}.weight"] = normal(rows, columns)
    head = lm // numbers["lm_n_heads"]
    weights["decoder.rotary_embd.inv_freq"] = numbers["lm_re_base"] ** (-torch.arange(0, head, 2).float() / head)
    embedding = weights["decoder.token_embedding.weight"]
    weights["decoder.head.weight"] = embedding if tied else torch.randn(embedding.shape, generator=draw) * 0.3
    return weights


def seen(weights: Weights, numbers: Numbers, views: Tensor) -> Tensor:
    """Square images in [0, 1] → image embeddings, n × places × hidden of the decoder."""
    patch, factor = numbers["vit_patch_size"], numbers["mp_pixel_shuffle_factor"]
    side = numbers["vit_img_size"] // patch
    kernel = weights["vision_encoder.patch_embedding.conv.weight"].flatten(1)
    rows = []
    for top in range(side):
        for left in range(side):
            cut = views[:, :, top * patch : (top + 1) * patch, left * patch : (left + 1) * patch]
            rows.append(cut.flatten(1) @ kernel.T)
    x = torch.stack(rows, 1) + weights["vision_encoder.patch_embedding.conv.bias"]
    x = x + weights["vision_encoder.patch_embedding.position_embedding"]
    for block in range(numbers["vit_n_blocks"]):
        name = f"vision_encoder.blocks.{block}"
        normed = _layer_norm(weights, f"{name}.ln1", x, numbers["vit_ln_eps"])
        q, k, v = _linear(weights, f"{name}.attn.qkv_proj", normed).chunk(3, -1)
        heads = numbers["vit_n_heads"]
        mixed = _attention(_split(q, heads), _split(k, heads), _split(v, heads), None)
        x = x + _linear(weights, f"{name}.attn.out_proj", mixed)
        wide = _linear(weights, f"{name}.mlp.fc1", _layer_norm(weights, f"{name}.ln2", x, numbers["vit_ln_eps"]))
        gelu = 0.5 * wide * (1 + torch.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3)))
        x = x + _linear(weights, f"{name}.mlp.fc2", gelu)
    x = _layer_norm(weights, "vision_encoder.layer_norm", x, numbers["vit_ln_eps"])
    places = []
    for top in range(0, side, factor):
        for left in range(0, side, factor):
            square = [x[:, (top + i) * side + left + j] for i in range(factor) for j in range(factor)]
            places.append(torch.cat(square, -1))
    return torch.stack(places, 1) @ weights["MP.proj.weight"].T


def logits(weights: Weights, numbers: Numbers, x: Tensor) -> Tensor:
    """The decoder's sequence of embeddings → logits after each place, batch × length × vocabulary."""
    heads, narrow = numbers["lm_n_heads"], numbers["lm_n_kv_heads"]
    length, size = x.shape[1], numbers["lm_hidden_dim"] // heads
    angles = torch.arange(length)[:, None].float() * weights["decoder.rotary_embd.inv_freq"]
    cos, sin = angles.cos(), angles.sin()

    def turned(one: Tensor) -> Tensor:
        first, second = one[..., : size // 2], one[..., size // 2 :]
        return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)

    ahead = torch.ones(length, length).triu(1).bool()
    for block in range(numbers["lm_n_blocks"]):
        name = f"decoder.blocks.{block}"
        normed = _rms_norm(weights, f"{name}.norm1", x, numbers["lm_rms_eps"])
        q = turned(_split(normed @ weights[f"{name}.attn.q_proj.weight"].T, heads))
        k = turned(_split(normed @ weights[f"{name}.attn.k_proj.weight"].T, narrow))
        v = _split(normed @ weights[f"{name}.attn.v_proj.weight"].T, narrow)
        # Query heads h·n … h·n + n − 1 share the key and value head h.
        k, v = (torch.stack([one[:, h * narrow // heads] for h in range(heads)], 1) for one in (k, v))
        x = x + _attention(q, k, v, ahead) @ weights[f"{name}.attn.out_proj.weight"].T
        normed = _rms_norm(weights, f"{name}.norm2", x, numbers["lm_rms_eps"])
        gate = normed @ weights[f"{name}.mlp.gate_proj.weight"].T
        up = normed @ weights[f"{name}.mlp.up_proj.weight"].T
        x = x + (gate / (1 + torch.exp(-gate)) * up) @ weights[f"{name}.mlp.down_proj.weight"].T
    return _rms_norm(weights, "decoder.norm", x, numbers["lm_rms_eps"]) @ weights["decoder.head.weight"].T


def first_generation(weights: Weights, numbers: Numbers, views: Tensor, tokens: Tensor) -> Tensor:
    """Image embeddings, then the text; logits of the text's places."""
    text = weights["decoder.token_embedding.weight"][tokens]
    sequence = torch.cat([seen(weights, numbers, views), text], 1)
    return logits(weights, numbers, sequence)[:, -tokens.shape[1] :]


def second_generation(weights: Weights, numbers: Numbers, views: Tensor, tokens: Tensor, image: int) -> Tensor:
    """Every image token of the text is replaced, in order, by a place of the images."""
    text = weights["decoder.token_embedding.weight"][tokens].clone()
    places = iter(seen(weights, numbers, views).flatten(0, 1))
    for row in range(tokens.shape[0]):
        for column in range(tokens.shape[1]):
            if tokens[row, column] == image:
                text[row, column] = next(places)
    assert next(places, None) is None
    return logits(weights, numbers, text)


def greedy(weights: Weights, numbers: Numbers, views: Tensor, tokens: Tensor, count: int, image: int | None) -> Tensor:
    """The likeliest next tokens, everything computed anew for each: no cache."""
    written = tokens
    for _ in range(count):
        if image is None:
            after = first_generation(weights, numbers, views, written)
        else:
            after = second_generation(weights, numbers, views, written, image)
        written = torch.cat([written, after[:, -1].argmax(-1, keepdim=True)], 1)
    return written[:, tokens.shape[1] :]


def _linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _layer_norm(weights: Weights, name: str, x: Tensor, epsilon: float) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + epsilon).sqrt()
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _rms_norm(weights: Weights, name: str, x: Tensor, epsilon: float) -> Tensor:
    return x / (x.square().mean(-1, keepdim=True) + epsilon).sqrt() * weights[f"{name}.weight"]


def _split(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _attention(q: Tensor, k: Tensor, v: Tensor, hidden: Tensor | None) -> Tensor:
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if hidden is not None:
        scores = scores.masked_fill(hidden, float("-inf"))
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
