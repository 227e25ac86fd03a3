"""Bounds hold as often as they promise, and say 299 where the books do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.bounds import MONEY, first_safe, labels_shown, log_wealth, needed, p_value, running_upper, upper

SIMULATED = 1000

#: A limit that is read at every moment is broken with a chance of nearly δ; in so many streams by this much more.
CHANCE = 2 * (0.05 * 0.95 / SIMULATED) ** 0.5


def test_numbers_that_are_known() -> None:
    assert (needed(0), needed(1), needed(2)) == (299, 473, 628)
    assert upper(0, 299) == pytest.approx(1 - 0.05 ** (1 / 299), abs=1e-6)
    assert upper(3, 10) == pytest.approx(0.6066242, abs=1e-6), "as R's binom.test says"
    assert (upper(0, 0), upper(10, 10)) == (1.0, 1.0)
    assert p_value(0, 2, 0.25) == pytest.approx(0.75**2)
    with pytest.raises(ValueError, match="can't be"):
        upper(3, 2)


def test_a_limit_holds_in_the_promised_share_of_calibrations() -> None:
    """A threshold is chosen for each of 1,000 sets of anomalies, and its true rate of misses is known.

    Of anomalies a share 2 % · (1 − λ) passes a threshold λ, so a true rate of 1 % is met at λ = 0.5 exactly.
    """
    rng, count, grid = np.random.default_rng(5), 1000, np.linspace(1, 0, 201)
    missed = rng.random((SIMULATED, count)) < 0.02
    sure = rng.random((SIMULATED, count))
    places = []
    for lost, each in zip(missed, sure, strict=True):
        passes = np.sort(each[lost])
        misses = len(passes) - np.searchsorted(passes, grid)
        places.append(first_safe(misses.tolist(), count))
    rates = np.array([0.0 if place is None else 0.02 * (1 - grid[place]) for place in places])
    assert (rates <= 0.01 + 1e-12).mean() >= 0.95
    assert np.mean([place is not None for place in places]) > 0.9
    assert (rates > 0.003).mean() > 0.5, "and it is not so careful as to be of no use"


def ever_shown(rate: float, limit: float, labels: int, seed: int) -> float:
    """The share of streams in which a rate below the limit is shown at any of so many labels."""
    missed = np.cumsum(np.random.default_rng(seed).random((SIMULATED, labels)) < rate, axis=1)
    count = np.arange(1, labels + 1)
    wealth = np.full(missed.shape, -np.inf)
    for k in range(int(missed.max()) + 1):
        now = missed == k
        wealth[now] = log_wealth(limit, (count - missed)[now], [1.0] * k)
    return float((wealth >= math.log(20)).any(axis=1).mean())


@pytest.mark.parametrize("rate", [0.005, 0.01, 0.05, 0.2])
def test_a_limit_read_at_every_label_holds(rate: float) -> None:
    """Of 1,000 streams of labels, no more than δ ever see the limit fall below the true rate."""
    # The limit is below a rate exactly when the bettors against it hold 1/δ.
    broken = ever_shown(rate, rate, 1200, seed=7)
    assert broken <= 0.05 + CHANCE
    assert broken, "a limit that never breaks is wider than it need be"


def test_a_rate_little_below_its_limit_is_shown_by_enough_labels() -> None:
    """The boldest stakes alone never show what lies above two thirds of the limit."""
    labels = labels_shown(0.2, 0.8 * 0.2)
    assert labels is not None
    assert ever_shown(0.8 * 0.2, 0.2, labels, seed=11) > 0.3, "the number is that of the expectation"
    assert ever_shown(0.8 * 0.2, 0.2, 2 * labels, seed=12) > 0.9


def test_the_number_of_labels_that_show_a_rate() -> None:
    for limit in (0.01, 0.05, 0.2):
        fewest = labels_shown(limit, 0.0)
        assert fewest is not None
        assert log_wealth(limit, fewest) >= math.log(20) > log_wealth(limit, fewest - 1)
        boldest = math.log(20 / MONEY[0]) / -math.log1p(-limit)
        assert fewest < 1.01 * boldest, "small stakes hardly cost a label where nothing is missed"
    numbers = [labels_shown(0.05, seen) for seen in (0.0, 0.01, 0.03, 0.04, 0.045)]
    assert numbers == sorted(number for number in numbers if number is not None)
    assert labels_shown(0.05, 0.05) is labels_shown(0.05, 1.0) is None


def test_a_limit_of_a_sampled_stream_holds_at_every_document() -> None:
    """Documents are audited with a probability of 1/10 or 1; a miss that was not audited is not seen."""
    rng, rate, least = np.random.default_rng(9), 0.02, 0.1
    chance = np.where(rng.random((400, 1500)) < 0.8, least, 1.0)
    seen = (rng.random(chance.shape) < rate) & (rng.random(chance.shape) < chance)
    for_plain = log_wealth(rate, 1, [], least), log_wealth(rate, 0, [least], least), log_wealth(rate, 0, [1.0], least)
    assert all(np.isfinite(one) for one in for_plain)
    broken = 0
    for sampled, probabilities in zip(seen, chance, strict=True):
        moments = np.flatnonzero(sampled)
        for k, moment in enumerate([*moments, len(sampled)]):
            # Wealth is highest just before a miss.
            lost = probabilities[moments[:k]].tolist()
            if log_wealth(rate, moment - k, lost, least) >= math.log(20):
                broken += 1
                break
    assert broken / len(seen) <= 0.05


def test_a_running_limit_narrows_and_does_not_mind_the_order() -> None:
    assert MONEY.sum() == pytest.approx(1.0)
    assert running_upper(0, 0) == 1.0
    limits = [running_upper(0, count) for count in (10, 100, 299, 1000, 100_000)]
    assert limits == sorted(limits, reverse=True)
    assert upper(0, 299) < limits[2] < 1.4 * upper(0, 299), "the price of reading it at every moment"
    assert running_upper([0.1, 1.0], 900, least=0.1) == running_upper([1.0, 0.1], 900, least=0.1)
    assert running_upper(2, 900) < running_upper([0.1, 0.1], 900, least=0.1)
    assert running_upper(10, 10) == 1.0
    for chances, count, least in (([0.05], 10, 0.1), ([2.0], 10, 0.1), ([1.0, 1.0], 1, 1.0), ([], 1, 0.0)):
        with pytest.raises(ValueError, match=r"can't be|probability"):
            running_upper(chances, count, least=least)
