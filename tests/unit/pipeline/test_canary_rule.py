"""A canary that is no worse stays; one that is goes back within the number of labels that is shown."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.canary_rule import Rate, documents_needed, labels_missing, labels_needed, log_excess, shown_below, state

SIMULATED = 1000


def gone_by(rate: float, limit: float, labels: int, seed: int) -> float:
    """The share of simulated canaries that go back by then, read at every label."""
    errors = np.cumsum(np.random.default_rng(seed).random((SIMULATED, labels)) < rate, axis=1)
    counts = np.broadcast_to(np.arange(1, labels + 1), errors.shape)
    return float((log_excess(errors, counts, limit) >= math.log(20)).any(axis=1).mean())


@pytest.mark.parametrize("limit", [0.01, 0.2])
def test_a_canary_at_the_limit_is_seldom_taken_back(limit: float) -> None:
    assert gone_by(limit, limit, 1000, seed=3) <= 0.05 + 2 * (0.05 * 0.95 / SIMULATED) ** 0.5


@pytest.mark.parametrize(("rate", "limit"), [(0.1, 0.01), (0.4, 0.2)])
def test_a_bad_canary_is_back_within_the_number_shown(rate: float, limit: float) -> None:
    labels = labels_needed(rate, limit)
    assert labels is not None
    assert gone_by(rate, limit, labels, seed=4) == pytest.approx(0.95, abs=0.02)
    assert documents_needed(rate, limit, labelled=0.25, share=0.2) == math.ceil(labels / 0.05)


def test_no_number_is_shown_for_one_that_is_not_worse() -> None:
    assert labels_needed(0.01, 0.01) is None
    with pytest.raises(ValueError, match="shares"):
        documents_needed(0.1, 0.01, labelled=0)


def test_what_is_waited_for_is_said() -> None:
    few, near, over = Rate("misses", 0, 20, 0.05), Rate("misses", 8, 200, 0.05), Rate("misses", 3, 50, 0.05)
    missing = labels_missing(few)
    assert missing is not None
    assert shown_below(Rate("misses", 0, 20 + missing, 0.05))
    assert not shown_below(Rate("misses", 0, 19 + missing, 0.05))
    assert labels_missing(Rate("misses", 0, 20 + missing, 0.05)) == 0
    later = labels_missing(near)
    assert later is not None
    assert shown_below(Rate("misses", int((200 + later) * 0.04), 200 + later, 0.05))
    assert labels_missing(over) is None
    (told,) = state([few], 20, 20, delta=0.05).reasons
    assert told.startswith("misses: 0 of 20 don't yet show a rate below 5.00%; without an error about ")
    assert f" {missing} more labels" in told
    assert f"about {later} more labels" in state([near], 20, 20).reasons[0]
    assert "no number of labels" in state([over], 20, 20).reasons[0]


def test_moves() -> None:
    good, bad, few = Rate("misses", 0, 900, 0.01), Rate("misses", 9, 60, 0.01), Rate("misses", 0, 20, 0.01)
    assert state([good], 500, 500) == state([good], 501, 500)
    assert state([good], 500, 500).move == "promote"
    assert state([good], 499, 500).move == "wait"
    assert state([few], 500, 500).move == "wait"
    assert state([good, bad], 500, 500).move == "back"
    assert state([good], 500, 500, alerts=["The model answers nothing."]).reasons == ("The model answers nothing.",)
    with pytest.raises(ValueError, match="can't be"):
        Rate("misses", 2, 1, 0.01)
