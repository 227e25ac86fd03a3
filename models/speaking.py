"""Models that say tokens about a picture, and what they may say.

A `Speaker` is given pictures, prompts and, for each step, the tokens that are allowed; it takes the likeliest of them
and tells how likely it was among them. A `Vocabulary` knows which tokens write which letters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import torch
from PIL import Image
from torch import Tensor

Allow: TypeAlias = Callable[[Sequence[int]], Sequence[int]]
"""The tokens that may follow those already said; none where the answer is whole."""

#: A token after which others are looked at: what they add to it is what they write inside of a text.
ANCHOR = "1"


@dataclass(frozen=True, eq=False)
class Prompt:
    """A picture, what is asked about it, and what may be answered, in at most `longest` tokens."""

    picture: Image.Image
    text: str
    allow: Allow
    longest: int = 1


@dataclass(frozen=True, eq=False)
class Spoken:
    """The tokens said; the log-probability of them all among those allowed; and of each token allowed first."""

    tokens: tuple[int, ...]
    log_probability: float
    first: dict[int, float]


class Speaker(Protocol):
    """A vision-language model. Not for several threads at once."""

    @property
    def tokenizer(self) -> Any:
        """A tokenizer of transformers."""
        ...

    @property
    def stop(self) -> int:
        """The token that ends an answer."""
        ...

    @property
    def parameters(self) -> int:
        """How many weights the model has."""
        ...

    def speak(self, prompts: Sequence[Prompt]) -> list[Spoken]:
        """The likeliest allowed answer to each prompt, greedily."""
        ...


class Vocabulary:
    """What each token of a tokenizer writes inside of a text."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        anchor = self._ids(ANCHOR)[-1]
        before = self._text([anchor])
        numbers = range(len(tokenizer))
        special = set(tokenizer.all_special_ids)
        whole = tokenizer.batch_decode([[anchor, one] for one in numbers], clean_up_tokenization_spaces=False)
        self.texts = [
            text[len(before) :] if text.startswith(before) and number not in special else ""
            for number, text in zip(numbers, whole, strict=True)
        ]
        # WordPiece puts a space before whatever isn't the rest of a word, and forgets capitals.
        if any(token.startswith("##") for token in tokenizer.get_vocab()):
            self.texts = [text.strip() for text in self.texts]
        self._lower = not any(letter.isupper() for text in self.texts for letter in text)
        self._writing: dict[tuple[str, bool], list[tuple[int, int]]] = {}

    def writing(self, alphabet: str, room: int, *, first: bool = False) -> list[int]:
        """The tokens that write only letters of the alphabet, and at most `room` of them. A space before an answer
        doesn't count."""
        if (alphabet, first) not in self._writing:
            letters = set(alphabet)
            every = [self.said(number, alphabet) for number in range(len(self.texts))]
            texts = [text.lstrip(" ") for text in every] if first else every
            self._writing[alphabet, first] = [
                (number, len(text)) for number, text in enumerate(texts) if text and set(text) <= letters
            ]
        return [number for number, length in self._writing[alphabet, first] if length <= room]

    def said(self, number: int, alphabet: str) -> str:
        """What a token writes under an alphabet: capitals where the tokenizer knows none and only they are allowed."""
        text = self.texts[number]
        return text.upper() if self._lower and not any(letter.islower() for letter in alphabet) else text

    def beginnings(self, word: str) -> list[int]:
        """The tokens with which a word may begin: with and without a capital, with and without a space before it."""
        forms = (word, word[:1].upper() + word[1:])
        return list(dict.fromkeys(self._ids(space + form)[0] for space in ("", " ") for form in forms))

    def told_apart(self, words: Sequence[str]) -> list[list[int]]:
        """The beginnings of each word that are no other's. Raises ValueError where a word has none."""
        begun = [self.beginnings(word) for word in words]
        apart = [[one for one in own if all(one not in other for other in begun if other is not own)] for own in begun]
        for word, own in zip(words, apart, strict=True):
            if not own:
                raise ValueError(f"the tokenizer begins {word!r} like another of {', '.join(words)}")
        return apart

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _text(self, numbers: list[int]) -> str:
        return str(self._tokenizer.decode(numbers, clean_up_tokenization_spaces=False))


def one_of(numbers: Iterable[int]) -> Allow:
    """An answer of one token."""
    allowed = tuple(numbers)
    return lambda said: () if said else allowed


def allowed_only(logits: Tensor, allowed: Sequence[int]) -> Tensor:
    """Log-probabilities (vocabulary) among the allowed tokens; minus infinity for the others."""
    mask = torch.full_like(logits, float("-inf"))
    mask[list(allowed)] = 0.0
    return (logits + mask).log_softmax(-1)
