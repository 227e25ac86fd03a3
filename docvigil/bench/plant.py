"""A running docvigil for measurements: the processes of `docvigil up` in a folder of their own, seen from outside."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from sqlalchemy import text

from docvigil.desk import Desk, desk
from docvigil.embedded.supervisor import Child, Supervisor
from docvigil.instance import owned
from docvigil.processes import everything
from docvigil.settings import Settings
from records import balance as balance_of
from records.balance import Balance

#: How often arrivals and verdicts are counted while documents are in flight, and the sums looked at (seconds).
COUNT_SECONDS, SUMS_SECONDS = 0.25, 2.0

#: The priority of documents in the urgent folder.
URGENT = 10

#: Cheap at any number of documents: a scan in flight has a place in the queue, and one that is done has none.
COUNTS = text("SELECT (SELECT count(*) FROM arrivals), (SELECT count(*) FROM outbox)")

MIB = 2**20


@dataclass(frozen=True)
class Plant:
    """`drop` and `urgent` are watched folders, the second one's documents going first; `told` is where the
    benchmark's own worker writes what it counts."""

    desk: Desk
    supervisor: Supervisor
    drop: Path
    urgent: Path
    told: Path

    def cpu(self) -> dict[str, float]:
        """CPU seconds that each process has taken so far, its children and those that ended counted with it."""
        return {name: _seconds(pid) for name, pid in self.supervisor.pids().items()}

    def balance(self) -> Balance:
        with self.desk.sessions.begin() as session:
            return balance_of.balance(session)

    def counts(self) -> tuple[int, int]:
        """Arrivals, and documents in flight."""
        with self.desk.sessions.begin() as session:
            arrivals, in_flight = session.execute(COUNTS).one()
        return arrivals, in_flight

    def settle(
        self,
        arrivals: int,
        seconds: float,
        *,
        in_flight: int = 0,
        watch: Callable[[Balance], None] | None = None,
        done: Callable[[int], None] | None = None,
    ) -> None:
        """Waits until so many arrivals have come and at most so many documents are in flight; `watch` is shown the sums
        now and then, `done` told how many arrivals are no more in flight. Raises TimeoutError with the last counts."""
        until, sums_at = time.monotonic() + seconds, 0.0
        while True:
            if watch is not None and time.monotonic() >= sums_at:
                watch(self.balance())
                sums_at = time.monotonic() + SUMS_SECONDS
            came, left = self.counts()
            if done is not None:
                done(came - left)
            if came >= arrivals and left <= in_flight:
                return
            if time.monotonic() > until:
                raise TimeoutError(f"after {seconds:.0f} seconds {came} of {arrivals} came and {left} are in flight")
            time.sleep(COUNT_SECONDS)


@contextmanager
def plant(home: Path, reader: str | None = None) -> Iterator[Plant]:
    """Starts everything, with services of its own whatever is configured. Where a `reader` of `docvigil.bench.worker`
    is named, the benchmark's worker takes the place of the one that infers: it reads with that and counts."""
    # Somebody may use the usual port.
    settings = Settings(home=home, database_url=None, redis_url=None, object_store=None, web_port=_free_port())
    drop, urgent, told = settings.home / "drop", settings.home / "urgent", settings.home / "told.json"
    for folder in (drop, urgent):
        folder.mkdir(parents=True, exist_ok=True)
    with owned(settings, processes=True) as (instance, supervisor), desk(settings, instance) as opened:
        children = everything(settings, instance, [str(drop), str(urgent)])
        priorities = json.dumps({**settings.source_priorities, str(urgent): URGENT})
        children = [_with(child, DOCVIGIL_SOURCE_PRIORITIES=priorities) for child in children]
        if reader is not None:
            command = [sys.executable, "-m", "docvigil.bench.worker", reader, str(told)]
            children = [replace(one, command=command) if one.name == "worker-infer" else one for one in children]
        supervisor.start(children)
        yield Plant(opened, supervisor, drop, urgent, told)


def _with(child: Child, **environment: str) -> Child:
    return replace(child, environment={**child.environment, **environment})


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


class Memory:
    """Looks at the memory of workers now and then, in a thread, until the block ends: MiB of each name, shared pages
    parted among those who share them."""

    def __init__(self, supervisor: Supervisor, names: Sequence[str], every_seconds: float = 1.0) -> None:
        self._supervisor, self._names, self._every = supervisor, names, every_seconds
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self.seen: dict[str, list[float]] = defaultdict(list)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self.look()

    def look(self) -> None:
        pids = self._supervisor.pids()
        for name in self._names:
            if name in pids:
                self.seen[name].append(_memory(pids[name]))

    def _run(self) -> None:
        while True:
            self.look()
            if self._end.wait(self._every):
                return


def _family(pid: int) -> list[psutil.Process]:
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _seconds(pid: int) -> float:
    total = 0.0
    for one in _family(pid):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _memory(pid: int) -> float:
    total = 0
    for one in _family(pid):
        try:
            total += one.memory_full_info().pss
        except psutil.Error:
            continue
    return total / MIB
