"""A tokenizer made on the spot: every byte is a token, and so are some words. Nothing is fetched."""

from __future__ import annotations

from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

#: Words that are one token each, built up letter by letter as byte-pair encoding wants it.
WORDS = ("nothing", "12", "2016")

END, SAYS, SAID = "<|endoftext|>", "<|im_start|>", "<|im_end|>"


def byte_tokenizer(end: str = END) -> PreTrainedTokenizerFast:
    vocabulary = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    merges = []
    for word in WORDS:
        for length in range(1, len(word)):
            if (pair := (word[:length], word[length])) not in merges:
                merges.append(pair)
            vocabulary.setdefault(word[: length + 1], len(vocabulary))
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(one, special=True, normalized=False) for one in (END, SAYS, SAID)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=end, pad_token=end)


def save_byte_tokenizer(folder: Path, end: str = END) -> int:
    """Writes the tokenizer's files and gives the number of its tokens."""
    tokenizer = byte_tokenizer(end)
    tokenizer.save_pretrained(folder)
    return len(tokenizer)
