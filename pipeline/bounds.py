"""What counted misses prove: limits of a share that hold with a stated confidence, without scipy.

Two kinds. `upper` and `Binomial` are exact for a number of independent trials fixed beforehand (Clopper and Pearson,
1934); a threshold is chosen by them in a fixed sequence (Learn then Test: Angelopoulos, Bates, Candès, Jordan and Lei,
2021). `running_upper` holds at every moment at once, however often it is read and whenever one stops: a test by betting
(Waudby-Smith and Ramdas, “Estimating means of bounded random variables by betting”, 2024; Ville's inequality, 1939),
for samples taken with known probabilities by inverse weights (Horvitz and Thompson, 1952).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: The share of true anomalies that may end as clear, and the chance that the statement is wrong.
ALPHA, DELTA = 0.01, 0.05

#: Shares are found to within this.
PRECISION = 1e-7

#: Bettors on a rate below the one tested: how much of the most that can be staked each stakes. The boldest wins most
#: while no miss comes and is ruined by the first of full weight; the others are there for that. Who stakes a share s
#: wins where the true rate is below some (1 - s/2) of the one tested: a rate little below it takes small stakes.
BOLD, SMALL = tuple(1 - 0.5**j for j in range(10, 0, -1)), (0.35, 0.2, 0.1, 0.05, 0.02, 0.01)
STAKES: Floats = np.array([1.0, *BOLD, *SMALL])

#: How the first money is shared out: half to the boldest, since misses are to be rare, a tenth to the small stakes.
MONEY: Floats = np.array([0.5, *(0.4 / len(BOLD) for _ in BOLD), *(0.1 / len(SMALL) for _ in SMALL)])


@lru_cache(maxsize=64)
def _at_most(count: int, rate: float) -> Floats:
    """P(Binomial(count, rate) ≤ k) for k = 0 … count."""
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])
    k = np.arange(count + 1)
    chosen = factorials[count] - factorials[k] - factorials[count - k]
    chances: Floats = np.exp(chosen + k * math.log(rate) + (count - k) * math.log1p(-rate))
    total: Floats = np.minimum(1.0, np.cumsum(chances))
    return total


def p_value(misses: int, count: int, rate: float) -> float:
    """The chance of so few misses among `count` if the true rate were `rate` (0 < rate < 1): exact binomial."""
    return float(_at_most(count, rate)[misses])


def upper(misses: int, count: int, delta: float = DELTA) -> float:
    """The rate that the true one does not exceed, wrong with a chance of `delta` at most (Clopper and Pearson, 1934).

    1 without any trial. Raises ValueError for more misses than trials.
    """
    if not 0 <= misses <= count:
        raise ValueError(f"{misses} misses among {count} can't be")
    if misses == count:
        return 1.0
    low, high = misses / count, 1.0
    while high - low > PRECISION:
        middle = (low + high) / 2
        low, high = (middle, high) if p_value(misses, count, middle) > delta else (low, middle)
    return high


def interval(hits: int, count: int, delta: float = DELTA) -> tuple[float, float]:
    """The share lies between these, wrong with a chance of `delta` at most (Clopper and Pearson); from 0 to 1 without
    any trial."""
    if count == 0:
        return 0.0, 1.0
    return 1 - upper(count - hits, count, delta / 2), upper(hits, count, delta / 2)


@lru_cache(maxsize=256)
def needed(misses: int = 0, alpha: float = ALPHA, delta: float = DELTA) -> int:
    """How many trials with so many misses prove a rate of `alpha` at most: 299 without a miss at 1 % and 5 %."""
    low, high = misses, misses + 1
    while p_value(misses, high, alpha) > delta:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if p_value(misses, middle, alpha) > delta else (low, middle)
    return high


def first_safe(misses: Sequence[int], count: int, alpha: float = ALPHA, delta: float = DELTA) -> int | None:
    """Of settings from the strictest to the loosest, each with its misses among the same `count` trials, the loosest
    whose rate is at most `alpha`; None where not even the strictest is.

    A fixed sequence: each setting is tested at the full `delta`, and the first that fails ends it, so that the chance
    of passing any setting that is too loose is `delta` however many there are. Bonferroni's correction would divide
    `delta` by their number.
    """
    safe = None
    for place, missed in enumerate(misses):
        if count == 0 or p_value(missed, count, alpha) > delta:
            break
        safe = place
    return safe


def log_wealth(rate: float, plain: npt.ArrayLike, missed: Sequence[float] = (), least: float = 1.0) -> Floats:
    """The logarithm of what the bettors together hold, from 1 at first, by betting that the true rate is below `rate`.

    `plain` counts the trials without a miss (an array for many moments at once); `missed` are the probabilities with
    which those with one were sampled, none below `least`. At the true rate it is fair, so it ever reaches 1/δ with a
    chance of δ at most.
    """
    most = 1 / least - rate
    gains: Floats = np.multiply.outer(np.asarray(plain, float), np.log1p(STAKES * rate / most))
    with np.errstate(divide="ignore"):
        for chance, times in Counter(missed).items():
            gains = gains + times * np.log1p(np.maximum(-1.0, -STAKES * (1 / chance - rate) / most))
    return _together(gains)


def labels_shown(rate: float, seen: float, delta: float = DELTA) -> int | None:
    """How many labels show a rate below `rate` where misses come at the rate `seen`; None where no number does."""
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = seen * np.log1p(-STAKES) if seen else 0.0
        each: Floats = (1 - seen) * np.log1p(STAKES * rate / (1 - rate)) + lost
    if each.max() <= 0:
        return None
    # A sum of growing and shrinking bettors starts at 1 and is convex, so it crosses the goal once.
    low, high, goal = 0, 1, math.log(1 / delta)
    while float(_together(high * each)) < goal:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if float(_together(middle * each)) >= goal else (middle, high)
    return high


def _together(gains: Floats) -> Floats:
    """The logarithm of what all hold, by that of how many times each multiplied the first money (last axis)."""
    with np.errstate(divide="ignore"):
        held = gains + np.log(MONEY)
    highest: Floats = held.max(-1)
    together: Floats = highest + np.log(np.exp(held - highest[..., None]).sum(-1))
    return together


def running_upper(missed: int | Sequence[float], count: int, delta: float = DELTA, least: float = 1.0) -> float:
    """The rate that the true one does not exceed, wrong with a chance of `delta` at most over all the times it is read.

    `missed` is the number of misses among `count` trials. Where documents are sampled for an audit, `count` is how many
    could have been, sampled or not, and `missed` holds the probability with which each was sampled that proved a miss;
    `least` is the smallest probability used, fixed beforehand. Every document must have been as likely to be a miss.
    The order does not matter. Raises ValueError for probabilities that can't be.
    """
    chances = [1.0] * missed if isinstance(missed, int) else list(missed)
    if not 0 < least <= 1 or any(not least <= chance <= 1 for chance in chances):
        raise ValueError(f"documents are sampled with a probability from the least, {least}, to 1; not with {chances}")
    if len(chances) > count:
        raise ValueError(f"{len(chances)} misses among {count} can't be")
    # Wealth rises with the rate that is bet against.
    low, high, goal = 0.0, 1.0, math.log(1 / delta)
    if least == 1.0 and len(chances) == count:
        return 1.0
    while high - low > PRECISION:
        middle = (low + high) / 2
        wealth = float(log_wealth(middle, count - len(chances), chances, least))
        low, high = (low, middle) if wealth >= goal else (middle, high)
    return high
