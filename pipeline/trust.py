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

What = Literal["reviewer", "source"]

#: Labels that may be wrong by chance wherever people work, and how unlikely more must be, over all that is looked at.
USUAL, CHANCE = 0.02, 0.01

#: Where everybody errs nobody stands out.
MOST = 0.9

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

    what: What
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
    every = list(labels)
    people = _found(("reviewer", one.reviewer, one.check, one.right) for one in every)
    # A source is not to blame for those who are set aside already.
    aside = {(one.who, one.check) for one in people}
    sources = _found(
        ("source", str(one.source), one.check, one.right)
        for one in every
        if one.source is not None and (one.reviewer, one.check) not in aside
    )
    return sorted([*people, *sources], key=lambda one: (one.chance, one.what, one.who, one.check))


def _found(labels: Iterable[tuple[What, str, str, bool]]) -> list[Doubt]:
    counted: Counter[tuple[What, str, str]] = Counter()
    wrong: Counter[tuple[What, str, str]] = Counter()
    for what, who, check, right in labels:
        counted[what, who, check] += 1
        wrong[what, who, check] += not right
    looked_at = [key for key, count in counted.items() if count >= LEAST]
    found = []
    for key in looked_at:
        what, who, check = key
        usual = min(MOST, max(USUAL, _others(key, looked_at, counted, wrong)))
        chance = 1.0 if not wrong[key] else 1 - p_value(wrong[key] - 1, counted[key], usual)
        if chance * len(looked_at) < CHANCE:
            found.append(Doubt(what, who, check, counted[key], wrong[key], chance))
    return found


def _others(
    key: tuple[What, str, str],
    every: Sequence[tuple[What, str, str]],
    counted: Counter[tuple[What, str, str]],
    wrong: Counter[tuple[What, str, str]],
) -> float:
    """The share of wrong labels that half of the others of the same class stay below."""
    rates = sorted(wrong[one] / counted[one] for one in every if one != key and one[2] == key[2])
    return rates[(len(rates) - 1) // 2] if rates else 0.0
