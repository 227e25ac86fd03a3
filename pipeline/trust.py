"""Whose labels are learned from: those of people and sources that do not disagree with the truth beyond chance.

The truth is what two people said blind, or a supervisor. Who is set aside is named with the class and the numbers, so
that somebody can look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.bounds import p_value

#: Labels that may be wrong by chance wherever people work, and how unlikely more must be, over all that is looked at.
USUAL, CHANCE = 0.02, 0.01

#: Fewer labels of a class than this say nothing about who gave them.
LEAST = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """A label whose truth is known."""

    reviewer: str
    source: int | None
    check: str
    right: bool


@dataclass(frozen=True, slots=True)
class Doubt:
    """Somebody, or a source, whose labels of a class are wrong more often than chance allows."""

    what: Literal["reviewer", "source"]
    who: str
    check: str
    labels: int
    wrong: int
    chance: float

    def __str__(self) -> str:
        return (
            f"{self.what} {self.who}: {self.wrong} of {self.labels} labels of {self.check} disagree with confirmed ones"
        )


def doubts(labels: Iterable[Checked]) -> list[Doubt]:
    """Those whose labels are set aside, the most doubtful first. What others get wrong in a class is taken as usual,
    and at least `USUAL`; the chances are shared among all that are looked at (Bonferroni)."""
    counted: Counter[tuple[str, str, str]] = Counter()
    wrong: Counter[tuple[str, str, str]] = Counter()
    for one in labels:
        for key in _keys(one):
            counted[key] += 1
            wrong[key] += not one.right
    looked_at = [key for key, count in counted.items() if count >= LEAST]
    found = []
    for key in looked_at:
        what, who, check = key
        usual = max(USUAL, _others(key, looked_at, counted, wrong))
        chance = 1.0 if not wrong[key] else 1 - p_value(wrong[key] - 1, counted[key], usual)
        if chance * len(looked_at) < CHANCE:
            found.append(
                Doubt("reviewer" if what == "reviewer" else "source", who, check, counted[key], wrong[key], chance)
            )
    return sorted(found, key=lambda one: (one.chance, one.what, one.who, one.check))


def _others(
    key: tuple[str, str, str],
    every: Sequence[tuple[str, str, str]],
    counted: Counter[tuple[str, str, str]],
    wrong: Counter[tuple[str, str, str]],
) -> float:
    """The share of wrong labels that half of the others of the same class stay below."""
    rates = sorted(wrong[one] / counted[one] for one in every if one != key and one[0] == key[0] and one[2] == key[2])
    return rates[(len(rates) - 1) // 2] if rates else 0.0


def _keys(one: Checked) -> list[tuple[str, str, str]]:
    keys = [("reviewer", one.reviewer, one.check)]
    return keys if one.source is None else [*keys, ("source", str(one.source), one.check)]
