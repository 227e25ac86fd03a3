"""The contrastive loss: what is seen of an evidence lies near what is to be said of it, and far from other answers.

After CLIP (Radford et al., 2021), with every evidence of the same question and answer as a positive (supervised
contrastive learning; Khosla et al., 2020): two empty fields must not be driven apart.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

#: How sharply near and far are told apart.
TEMPERATURE = 0.07


def contrastive(seen: Tensor, said: Tensor, tokens: Tensor, pad: int) -> Tensor:
    """The loss of a batch, one number, both ways averaged.

    `seen` (batch × places × hidden) is what the decoder is given of the images, `said` (batch × length × hidden) the
    embeddings of `tokens` (batch × length), the question and its answer, padded with `pad`.
    """
    words = tokens.ne(pad)
    pooled = (said.float() * words[:, :, None]).sum(1) / words.sum(1, keepdim=True)
    pictures = functional.normalize(seen.float().mean(1), dim=-1)
    texts = functional.normalize(pooled, dim=-1)
    likeness = pictures @ texts.T / TEMPERATURE
    same = (tokens[:, None] == tokens[None]).all(-1).float()
    wanted = same / same.sum(1, keepdim=True)
    there = -(wanted * likeness.log_softmax(1)).sum(1).mean()
    back = -(wanted * likeness.T.log_softmax(1)).sum(1).mean()
    return torch.stack([there, back]).mean()
