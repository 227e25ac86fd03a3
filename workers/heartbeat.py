"""Leases are renewed only while work advances, and a process in which nothing moves ends itself.

A thread that renewed blindly would keep a hung document for ever in the hands of a dead worker.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)

Held = tuple[int, int]
"""Scan id and token."""

#: Exit status of a process that ended itself because it hung (sysexits.h, EX_TEMPFAIL).
HUNG = 75


class LeaseLost(RuntimeError):
    """The work belongs to another worker now; drop it."""


class Work:
    """One piece of work under a lease; its task says whenever a step is done."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self.lost = False
        self.advanced_at = time.monotonic()

    def advanced(self) -> None:
        """A step forward. Raises LeaseLost when there is no sense in going on."""
        self.advanced_at = time.monotonic()
        if self.lost:
            raise LeaseLost(f"scan {self.held[0]} was given to another worker")


class Heartbeat:
    """Renews what this process holds, every `every` seconds.

    `renew` takes the held leases and returns those that are still ours; it may raise while the database is away.
    `moved_at` tells (on the monotonic clock) when the process as a whole last got something done, for work that
    waits its turn in a shared engine. After `hang` seconds in which neither moved, `die` is called.
    """

    def __init__(
        self,
        renew: Callable[[Collection[Held]], set[Held]],
        *,
        every: float,
        stall: float,
        hang: float,
        moved_at: Callable[[], float] = lambda: 0.0,
        die: Callable[[int], None] = os._exit,
    ) -> None:
        self._renew, self._every, self._stall, self._hang = renew, every, stall, hang
        self._moved_at, self._die = moved_at, die
        self._works: set[Work] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def holding(self, held: Held) -> Iterator[Work]:
        """Keeps the lease alive while the context lasts."""
        work = Work(held)
        with self._lock:
            self._works.add(work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
                self._thread.start()
        try:
            yield work
        finally:
            with self._lock:
                self._works.discard(work)

    def beat(self) -> None:
        """Renews once what advances, marks what was lost, and ends the process if nothing moves at all."""
        now = time.monotonic()
        with self._lock:
            works = list(self._works)
        if not works:
            return
        process = self._moved_at()
        if all(now - max(work.advanced_at, process) > self._hang for work in works):
            log.critical("worker.hung", scans=len(works), seconds=round(self._hang))
            self._die(HUNG)
        moving = {work.held: work for work in works if now - max(work.advanced_at, process) <= self._stall}
        kept = self._renew(moving.keys()) if moving else set()
        for held, work in moving.items():
            # A task that ended meanwhile gave its lease back itself.
            if held not in kept and not work.lost and work in self._works:
                work.lost = True
                log.warning("lease.lost", scan=held[0], token=held[1])

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self.beat()
            except Exception as error:  # noqa: BLE001 — a missed beat is made up for by the next, whatever it was.
                log.warning("heartbeat.missed", error=type(error).__name__)
