"""Several questions about one picture in one pass.

What the prompts of a picture share stands once; behind it each prompt's own end, which sees the shared part and
itself, at the positions it would have alone. So every prompt gets the logits that it would get alone, and the picture's
keys and values are computed once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from transformers import DynamicCache

from models.nanovlm.decoding import Decoding


@dataclass(frozen=True, eq=False)
class Pack:
    """The prompts about one picture as embeddings: what they share (length × hidden) and how each ends, in at least one
    place (length × hidden)."""

    shared: Tensor
    ends: Sequence[Tensor]

    def __len__(self) -> int:
        return len(self.shared) + sum(len(end) for end in self.ends)


class Rows:
    """Prompts that are being answered, one a row: `logits` (rows × vocabulary) of each one's next token."""

    def __init__(self, model: Decoding, cache: DynamicCache, seen: Tensor, logits: Tensor) -> None:
        self._model, self._cache, self._seen, self.logits = model, cache, seen, logits
        self._position = seen.sum(1)

    @classmethod
    def begun(cls, model: Decoding, packs: Sequence[Pack]) -> Self:
        """The prompts of all packs, in their order. Raises ValueError where the packs share parts of unlike lengths."""
        shared = len(packs[0].shared)
        if any(len(pack.shared) != shared for pack in packs):
            raise ValueError("packs of one pass share parts of one length")
        device, longest = packs[0].shared.device, max(len(pack) for pack in packs)
        sequence = packs[0].shared.new_zeros(len(packs), longest, packs[0].shared.shape[1])
        # Which end a place belongs to; -1 is the shared part, -2 the padding, which nobody looks at.
        owner = torch.full((len(packs), longest), -2, device=device)
        owner[:, :shared] = -1
        position = torch.arange(longest, device=device).repeat(len(packs), 1)
        spans: list[tuple[int, int, int]] = []
        for number, pack in enumerate(packs):
            sequence[number, : len(pack)] = torch.cat([pack.shared, *pack.ends])
            start = shared
            for which, end in enumerate(pack.ends):
                stop = start + len(end)
                owner[number, start:stop] = which
                position[number, start:stop] = torch.arange(shared, shared + len(end), device=device)
                spans.append((number, start, stop))
                start = stop
        sees = (owner[:, None, :] == -1) | (owner[:, None, :] == owner[:, :, None])
        sees &= torch.ones(longest, longest, dtype=torch.bool, device=device).tril()
        result = model.decoder(
            inputs_embeds=sequence, attention_mask=sees[:, None], position_ids=position, use_cache=True
        )
        of, starts, stops = torch.tensor(spans, device=device).unbind(1)
        logits = model.head(result.last_hidden_state[of, stops - 1])
        # Each row's own places of the packed cache, padded to the longest.
        ends = torch.arange(int((stops - starts).max()), device=device)
        seen = torch.cat([torch.ones(len(of), shared, device=device), ends < (stops - starts)[:, None]], 1).bool()
        places = torch.cat([torch.arange(shared, device=device).repeat(len(of), 1), starts[:, None] + ends], 1)
        places = places.where(seen, 0)
        cache = DynamicCache()
        for number, layer in enumerate(result.past_key_values.layers):
            keys, values = (each[of[:, None], :, places].transpose(1, 2) for each in (layer.keys, layer.values))
            cache.update(keys, values, number)
        return cls(model, cache, seen, logits)

    def keep(self, rows: Sequence[int]) -> None:
        """Goes on with these rows only."""
        which = torch.tensor(rows, device=self.logits.device)
        self._cache.batch_select_indices(which)
        self._seen, self._position, self.logits = self._seen[which], self._position[which], self.logits[which]

    def say(self, tokens: Sequence[int]) -> None:
        """Takes one token a row, and computes the logits of the next."""
        said = torch.tensor(tokens, device=self.logits.device)[:, None]
        self._seen = torch.cat([self._seen, self._seen.new_ones(len(said), 1)], 1)
        result = self._model.decoder(
            inputs_embeds=self._model.decoder.embed_tokens(said),
            attention_mask=self._seen[:, None, None],
            position_ids=self._position[:, None],
            past_key_values=self._cache,
            use_cache=True,
        )
        self._position = self._position + 1
        self.logits = self._model.head(result.last_hidden_state[:, -1])


def common(sequences: Sequence[Tensor]) -> int:
    """How many tokens all sequences begin with alike, leaving at least one of each."""
    most = min(len(one) for one in sequences) - 1
    first = sequences[0][:most]
    alike = torch.stack([one[:most] == first for one in sequences]).all(0)
    return int(alike.long().cumprod(0).sum())
