"""Rounds of the relay grow apart while ids keep coming, and are close together again when they matter."""

from __future__ import annotations

import pytest

from workers import pace
from workers.pace import GATHER_SECONDS, REST_SECONDS, Pace

LEAST, LONGEST = GATHER_SECONDS


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    return now


def test_it_waits_longer_while_ids_keep_coming_and_not_at_first(clock: list[float]) -> None:
    own = Pace(32)
    waited = []
    for _ in range(8):
        waited.append(own.rang())
        own.sent(1)
        clock[0] += 0.1
    assert waited[:4] == [LEAST, 2 * LEAST, 4 * LEAST, 8 * LEAST] and waited[-1] == LONGEST
    clock[0] += REST_SECONDS
    assert own.rang() == LEAST, "what comes alone waits for nothing"


def test_rounds_that_take_half_a_window_are_closer_together(clock: list[float]) -> None:
    own = Pace(32)
    own.rang()
    for _ in range(5):
        own.sent(4)
    own.sent(0)
    assert own.rang() == LONGEST, "a round that found nothing says nothing"
    for _ in range(5):
        own.sent(17)
    assert own.rang() == LEAST
