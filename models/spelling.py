"""How dates are spelled: letters in a date make up a month or follow the number of a day, and nothing else.

That is the alphabet of a date on a line, one letter at a time. Which days exist it doesn't know: `31 Feb` and `45 May`
are spelled rightly.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from models.nanovlm.tokens import CHARACTERS, ID
from pipeline.dates import MONTHS, ORDINALS

LETTERS = [letter for letter in CHARACTERS if letter.isalpha()]


def after(text: str, size: int) -> Tensor:
    """What may follow the beginning of a date: 0 for each of `size` tokens that may, minus infinity for others."""
    rest = text.rstrip("".join(LETTERS))
    return _after(text[len(rest) :].lower(), rest[-1:].isdigit(), size)


@lru_cache(512)
def _after(begun: str, behind_digit: bool, size: int) -> Tensor:
    words = MONTHS | ORDINALS if behind_digit else MONTHS
    following = {word[len(begun)] for word in words if word.startswith(begun) and len(word) > len(begun)}
    mask = torch.zeros(size)
    if begun and begun not in words:
        # A word that was begun is finished before anything else.
        mask[:] = float("-inf")
    for letter in LETTERS:
        mask[ID[letter]] = 0.0 if letter.lower() in following else float("-inf")
    return mask
