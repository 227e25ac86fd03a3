"""What a batch costs, learned from how long batches took."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest

from models.cost import Cost


def learned(told: Iterable[tuple[int, float]]) -> Cost:
    cost = Cost()
    for questions, seconds in told:
        cost.learn(questions, seconds)
    return cost


def test_what_a_batch_and_what_a_question_costs_are_told_apart() -> None:
    cost = learned((size, 0.03 + 0.001 * size) for size in (1, 8, 64, 32))
    assert cost.within(0.05) == pytest.approx(20)
    assert cost.within(0.02) == pytest.approx(0), "no batch is done so soon"


def test_batches_of_one_size_tell_what_a_question_takes() -> None:
    assert learned([(64, 0.64)] * 3).within(0.1) == pytest.approx(10)


def test_nothing_costs_less_than_nothing() -> None:
    assert learned([(1, 0.5), (64, 0.1)]).within(1.0) == math.inf
    assert learned([(10, 0.05), (20, 0.2)]).within(0.1) < 20
    assert Cost().within(0.1) == math.inf


def test_a_machine_that_became_slow_is_soon_known() -> None:
    cost = learned([(32, 0.032), (64, 0.064)] * 50 + [(32, 0.32), (64, 0.64)] * 30)
    assert cost.within(0.5) == pytest.approx(50, rel=0.15)
