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


def test_dear_batches_are_shared_by_many_and_cheap_ones_needn_t_be() -> None:
    sizes = (1, 8, 64, 32)
    assert learned((size, 0.03 + 0.001 * size) for size in sizes).efficient(1000) == pytest.approx(300)
    assert learned((size, 0.03 + 0.001 * size) for size in sizes).efficient(32) == 32
    assert learned((size, 0.01 * size) for size in sizes).efficient(32) == pytest.approx(0, abs=1e-6)
    assert Cost().efficient(32) == 32
    assert learned([(8, 0.08)] * 3).efficient(32) == 32, "it may all be the batch's"
