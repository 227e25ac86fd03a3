"""What a stage takes is told by the clock and of the processor."""

from __future__ import annotations

import time

import pytest

from workers.stopwatch import Stopwatch


def test_waiting_takes_time_and_no_processor() -> None:
    watch = Stopwatch()
    with watch.timed("store"):
        time.sleep(0.05)
    assert watch.seconds["store"] >= 0.05
    assert watch.seconds["store_cpu"] < 0.04


def test_work_takes_both_and_adds_up() -> None:
    watch = Stopwatch()
    for _ in range(2):
        until = time.thread_time() + 0.02
        with watch.timed("render"):
            while time.thread_time() < until:
                pass
    assert watch.seconds["render_cpu"] == pytest.approx(0.04, abs=0.01)
    assert watch.seconds["render"] >= watch.seconds["render_cpu"] - 0.001


def test_a_stage_that_raises_counts() -> None:
    watch = Stopwatch()
    with pytest.raises(ValueError, match="broken"), watch.timed("cut"):
        raise ValueError("broken")
    assert set(watch.seconds) == {"cut", "cut_cpu"}
