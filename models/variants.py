"""What else a look at a string held possible: the string that was read with one letter changed, or two.

Greedy decoding names one string. The probabilities it met on its way tell of others for nothing: how likely another
letter was at a place, given the letters before it. What follows that place is taken to stay as likely as it was, which
holds where each letter is read from the paper and not from the letters before it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import TypeAlias

#: The letters that were likeliest at a place, each with the logarithm of its probability, likeliest first.
Place: TypeAlias = Sequence[tuple[str, float]]

#: Letters of a place that are remembered, the one that was read among them.
LETTERS = 3

#: What is less likely than this part of what was read is not told, and no more strings than this.
LEAST, MOST = 0.02, 12


def variants(places: Sequence[Place], confidence: float) -> list[tuple[str, float]]:
    """Other strings than that of each place's first letter, whose probability is `confidence`, with theirs, likeliest
    first."""
    floor = math.log(LEAST)
    changes = [
        (at, letter, chance - place[0][1])
        for at, place in enumerate(places)
        for letter, chance in place[1:]
        if chance - place[0][1] >= floor
    ]
    pairs = [
        (one, other) for one, other in combinations(changes, 2) if one[0] != other[0] and one[2] + other[2] >= floor
    ]
    found = [*((one,) for one in changes), *pairs]
    found.sort(key=lambda several: -sum(change for _, _, change in several))
    told = []
    for several in found[:MOST]:
        letters = [place[0][0] for place in places]
        for at, letter, _ in several:
            letters[at] = letter
        told.append(("".join(letters), confidence * math.exp(sum(change for _, _, change in several))))
    return told
