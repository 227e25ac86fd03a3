"""What every nanoVLM has in common: a Llama decoder that is given embeddings and says one token after another."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from transformers import LlamaModel


class Decoding(nn.Module):
    """The base of nanoVLM models; they own the modules."""

    decoder: LlamaModel
    head: nn.Linear

    def begin(self, sequence: Tensor) -> tuple[Tensor, Any]:
        """Embeddings (batch × length × hidden) → logits of the next token (batch × vocabulary), and the cache."""
        result = self.decoder(inputs_embeds=sequence, use_cache=True)
        return self.head(result.last_hidden_state[:, -1]), result.past_key_values

    def step(self, tokens: Tensor, cache: Any) -> tuple[Tensor, Any]:
        """Logits of the token after `tokens` (batch), and the grown cache."""
        embedded = self.decoder.embed_tokens(tokens[:, None])
        result = self.decoder(inputs_embeds=embedded, past_key_values=cache, use_cache=True)
        return self.head(result.last_hidden_state[:, -1]), result.past_key_values
