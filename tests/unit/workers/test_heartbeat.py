"""Leases are renewed while work advances, and not for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection

import pytest

from workers.heartbeat import HUNG, Heartbeat, Held, LeaseLost


class Leases:
    """Renews what it knows, and remembers what it was asked."""

    def __init__(self, *held: Held) -> None:
        self.held = set(held)
        self.asked: list[set[Held]] = []
        self.renewed = threading.Event()
        self.fails = 0

    def renew(self, held: Collection[Held]) -> set[Held]:
        self.asked.append(set(held))
        if self.fails:
            self.fails -= 1
            raise OSError("the database is away")
        self.renewed.set()
        return self.held & set(held)


def never(code: int) -> None:
    raise AssertionError(f"the process ended itself with {code}")


def test_every_held_lease_is_renewed_in_one_call() -> None:
    leases = Leases((1, 1), (2, 5))
    heart = Heartbeat(leases.renew, every=3600, stall=10, hang=20, die=never)
    with heart.holding((1, 1)), heart.holding((2, 5)):
        heart.beat()
    heart.beat()
    assert leases.asked == [{(1, 1), (2, 5)}]


def test_work_learns_that_its_lease_is_lost_at_its_next_step() -> None:
    leases = Leases((2, 5))
    heart = Heartbeat(leases.renew, every=3600, stall=10, hang=20, die=never)
    with heart.holding((1, 1)) as lost, heart.holding((2, 5)) as kept:
        heart.beat()
        kept.advanced()
        with pytest.raises(LeaseLost):
            lost.advanced()


def test_work_that_stalls_is_not_renewed_and_its_neighbour_is() -> None:
    leases = Leases((1, 1), (2, 5))
    heart = Heartbeat(leases.renew, every=3600, stall=10, hang=60, die=never)
    with heart.holding((1, 1)) as stalled, heart.holding((2, 5)):
        stalled.advanced_at -= 11
        heart.beat()
    assert leases.asked == [{(2, 5)}]


def test_work_that_waits_for_a_busy_engine_is_renewed() -> None:
    leases = Leases((1, 1))
    heart = Heartbeat(leases.renew, every=3600, stall=10, hang=20, moved_at=time.monotonic, die=never)
    with heart.holding((1, 1)) as work:
        work.advanced_at -= 1000
        heart.beat()
    assert leases.asked == [{(1, 1)}]


def test_a_process_in_which_nothing_moves_ends_itself() -> None:
    died: list[int] = []
    leases = Leases((1, 1), (2, 5))
    heart = Heartbeat(leases.renew, every=3600, stall=10, hang=20, die=died.append)
    with heart.holding((1, 1)) as first, heart.holding((2, 5)) as second:
        first.advanced_at -= 21
        heart.beat()
        assert died == [], "the other one moves"
        second.advanced_at -= 21
        heart.beat()
        assert died == [HUNG]


def test_it_beats_by_itself_and_outlives_errors() -> None:
    leases = Leases((1, 1))
    leases.fails = 2
    heart = Heartbeat(leases.renew, every=0.01, stall=10, hang=20, die=never)
    with heart.holding((1, 1)):
        assert leases.renewed.wait(5)
    heart.stop()
    assert len(leases.asked) >= 3
