"""A lock whose next holder is the one in the greatest hurry, and among equals the one who came first."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import TypeAlias

Urgency: TypeAlias = tuple[bool, int]
"""Whether a person waits, and a document's priority: `pipeline.reading.Question.urgency`."""

USUAL: Urgency = (False, 0)


class Turns:
    """For what one thread does at a time and many wait for. Not to be taken twice by one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._numbers = count()
        self._waiting: list[tuple[bool, int, int, threading.Event]] = []

    @contextmanager
    def turn(self, urgency: Urgency = USUAL) -> Iterator[None]:
        """Waits for its turn, which lasts as long as the context."""
        person, priority = urgency
        called = threading.Event()
        with self._lock:
            if self._taken:
                heapq.heappush(self._waiting, (not person, -priority, next(self._numbers), called))
            else:
                self._taken = True
                called.set()
        called.wait()
        try:
            yield
        finally:
            with self._lock:
                if self._waiting:
                    heapq.heappop(self._waiting)[-1].set()
                else:
                    self._taken = False
