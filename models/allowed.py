"""What the bundled model may say: masks over its vocabulary, 0 for a token that may come next, else minus infinity.

A choice is one of its words. A string is written in the field's alphabet, no longer than the field; letters in a date
make up months. Which dates exist no mask knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from models import spelling
from models.answers import EMPTY, ILLEGIBLE, longest
from models.nanovlm.config import NanoVLMConfig
from models.nanovlm.tokens import CHARACTERS, CHOICES, EOS, ID, VOCABULARY
from pipeline.reading import Question, QuestionKind

#: The embedding is padded to a round number of rows.
SIZE = NanoVLMConfig().vocabulary


def first(question: Question) -> Tensor:
    """What an answer may begin with (vocabulary)."""
    if question.kind in CHOICES:
        return _only(tuple(ID[choice] for choice in CHOICES[question.kind]))
    mask = _only((ID[EMPTY], ID[ILLEGIBLE], *_letters(question.alphabet)))
    return mask + spelling.after("", SIZE) if _spelled(question) else mask


def further(question: Question, said: Sequence[int]) -> Tensor:
    """What may follow the letters of a string that were said (vocabulary)."""
    if len(said) >= longest(question):
        return _only((ID[EOS],))
    mask = _only((ID[EOS], *_letters(question.alphabet)))
    return mask + spelling.after("".join(VOCABULARY[token] for token in said), SIZE) if _spelled(question) else mask


def _spelled(question: Question) -> bool:
    """Whether what is read may have words in it, and only those of dates."""
    return question.kind is QuestionKind.DATE and any(letter.isalpha() for letter in question.alphabet or CHARACTERS)


@lru_cache(256)
def _letters(alphabet: str | None) -> tuple[int, ...]:
    return tuple(ID[letter] for letter in alphabet or CHARACTERS if letter in CHARACTERS)


@lru_cache(512)
def _only(tokens: tuple[int, ...]) -> Tensor:
    mask = torch.full((SIZE,), float("-inf"))
    mask[list(tokens)] = 0.0
    return mask
