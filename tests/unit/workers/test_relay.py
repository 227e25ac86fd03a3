"""What is gathered after a ring, and that nothing urgent waits for it."""

from __future__ import annotations

import threading
import time

import pytest

from workers.pace import GATHER_SECONDS, Pace
from workers.relay import gather


class Ringing:
    """A bell that rings for these priorities at once, and then no more."""

    def __init__(self, *priorities: int) -> None:
        self.left = list(priorities)

    def wait(self, seconds: float, stop: threading.Event) -> int | None:
        if self.left:
            return self.left.pop(0)
        time.sleep(seconds)
        return None


@pytest.mark.parametrize(("priorities", "waits"), [((0, 0, 0), True), ((0, 9), False), ((9,), False)])
def test_others_are_waited_for_unless_one_is_urgent(priorities: tuple[int, ...], waits: bool) -> None:
    bell, began = Ringing(*priorities), time.monotonic()
    gather(bell, 30.0, Pace(32), threading.Event())
    assert bell.left == [] and (time.monotonic() - began >= GATHER_SECONDS[0]) is waits
