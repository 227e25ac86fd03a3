"""Who is in a hurry goes before those that came earlier."""

from __future__ import annotations

import threading
import time

import pytest

from models.turns import USUAL, Turns, Urgency

URGENT, PERSON = (False, 10), (True, 0)


def test_the_most_urgent_is_next_and_among_equals_the_first() -> None:
    turns, order = Turns(), list[str]()

    def wait(name: str, urgency: Urgency) -> None:
        with turns.turn(urgency):
            order.append(name)

    waiting = [
        threading.Thread(target=wait, args=each)
        for each in (("a", USUAL), ("b", USUAL), ("late", (False, -1)), ("urgent", URGENT), ("person", PERSON))
    ]
    with turns.turn():
        for one in waiting:
            one.start()
            time.sleep(0.05)
        assert order == [], "one at a time"
    for one in waiting:
        one.join(10)
    assert order == ["person", "urgent", "a", "b", "late"]


def test_a_turn_that_fails_ends() -> None:
    turns = Turns()
    with pytest.raises(RuntimeError), turns.turn():
        raise RuntimeError
    with turns.turn():
        pass
