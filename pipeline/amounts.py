"""Amounts in figures and in words, as India writes them: `2,05,000` and `Two lakh five thousand only`.

Nothing is guessed: what can't be read as it stands is None, and a comparison with it is not made.
"""

from __future__ import annotations

import re

#: What figures are written with.
ALPHABET = "0123456789,."

_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SMALL = {name: value for value, name in enumerate(_UNITS)} | {
    name: value * 10 for value, name in enumerate(_TENS, start=2)
}
_SMALL["fourty"] = 40  # a misspelling as common as the word
_SCALES = {"thousand": 1_000, "lakh": 100_000, "lac": 100_000, "crore": 10_000_000, "million": 1_000_000}
_FILLERS = ("and", "only", "rupees", "rupee", "shares", "share", "units", "unit", "nos", "no", "inr", "rs")

# Hands and OCR run words together, so words are told by their letters alone, the longest first. The s of a plural is
# not that of a six or seven.
_PLURALS = [f"{scale}s(?!ix|even)" for scale in _SCALES]
_WORD = re.compile("|".join(sorted(("hundred", *_SMALL, *_SCALES, *_PLURALS, *_FILLERS), key=len, reverse=True)))


def figures(text: str) -> int | None:
    """The number that figures say; None where they say none, or a part of a whole.

    Commas may stand anywhere but at the ends: a wrong grouping does not change the number.
    """
    found = re.fullmatch(r"(\d+(?:,\d+)*)(?:\.0{0,2})?", re.sub(r"\s", "", text).removesuffix("/-"))
    return int(found[1].replace(",", "")) if found else None


def words(text: str) -> int | None:
    """The number that English number words say, with lakh and crore; None where any word is not understood.

    >>> words("Two lakh five thousand only")
    205000
    """
    letters = re.sub(r"[^a-z]", "", text.lower())
    names: list[str] = []
    at = 0
    while at < len(letters):
        found = _WORD.match(letters, at)
        if found is None:
            return None
        names.append(found[0])
        at = found.end()
    return _sum([name for name in names if name not in _FILLERS])


def _sum(names: list[str]) -> int | None:
    """The value of number words; None unless scales fall from left to right and each group is one number."""
    if not names:
        return None
    if names == ["zero"]:
        return 0
    total, group, last_scale = 0, [], float("inf")
    for name in names:
        scale = _SCALES.get(name) or _SCALES.get(name.removesuffix("s"))
        if scale is None:
            group.append(name)
            continue
        value = _below_thousand(group)
        if value is None or scale >= last_scale:
            return None
        total, group, last_scale = total + value * scale, [], scale
    if not group:
        return total
    rest = _below_thousand(group)
    return None if rest is None else total + rest


def _below_thousand(names: list[str]) -> int | None:
    """1 to 999 (`three hundred forty two`), None where the words are no such number."""
    if "hundred" in names:
        place = names.index("hundred")
        before, after = names[:place], names[place + 1 :]
        hundreds = _below_hundred(before) if before else 1
        rest = _below_hundred(after) if after else 0
        return None if hundreds is None or rest is None else hundreds * 100 + rest
    return _below_hundred(names)


def _below_hundred(names: list[str]) -> int | None:
    values = [_SMALL.get(name, 0) for name in names]
    if len(values) == 1 and values[0] > 0:
        return values[0]
    if len(values) == 2 and values[0] >= 20 and 0 < values[1] < 10:
        return sum(values)
    return None
