"""An urgent document among many that wait: how long until its verdict, against an idle system."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text

from docvigil.bench.plant import COUNT_SECONDS, Plant
from docvigil.bench.supply import Supply

#: Urgent documents on the idle system, and among those that wait; the medians count.
TIMES = 5

#: Documents dropped together beyond those that are missing: at least, and at most.
LEAST, MOST = 10, 500

#: Seconds for one document, or for those that wait to be taken in.
MOST_SECONDS = 1800.0

TIMES_OF = text("""
    SELECT extract(epoch FROM created_at)::float8, extract(epoch FROM verdict_at)::float8
      FROM documents WHERE id = :id
""")


@dataclass(frozen=True)
class Priority:
    """Seconds from the drop to the verdict, and the part of them after the document was taken in; `waiting` is how many
    waited at least."""

    waiting: int
    idle_s: float
    waiting_s: float
    over_idle: float
    idle_taken_in_s: float
    waiting_taken_in_s: float
    taken_in_over_idle: float


def measured(running: Plant, supply: Supply, waiting: int, say: Callable[[str], None] = lambda _: None) -> Priority:
    """Leaves many documents waiting behind it."""
    say("urgent documents on an idle system")
    idle = [_urgent(running, supply) for _ in range(TIMES)]
    say(f"{waiting} documents come to wait")
    busy, least = [], []
    for number in range(TIMES):
        _fill(running, supply, waiting)
        say(f"urgent document {number + 1} of {TIMES} among {waiting}")
        least.append(running.counts()[1])
        busy.append(_urgent(running, supply))
    dropped, dropped_busy = (statistics.median(one for one, _ in times) for times in (idle, busy))
    taken, taken_busy = (statistics.median(one for _, one in times) for times in (idle, busy))
    return Priority(min(least), dropped, dropped_busy, dropped_busy / dropped, taken, taken_busy, taken_busy / taken)


def _fill(running: Plant, supply: Supply, waiting: int) -> None:
    """Drops documents until so many are in flight: some are done while others come."""
    while True:
        arrived, in_flight = running.counts()
        if in_flight >= waiting:
            return
        # More than are missing, and not so few that as many are done while they come.
        wanted = waiting - in_flight + min(MOST, waiting // 2 + LEAST)
        supply.put(running.drop, wanted)
        running.settle(arrived + wanted, MOST_SECONDS, in_flight=waiting + wanted)


def _urgent(running: Plant, supply: Supply) -> tuple[float, float]:
    dropped = time.time()
    (document,) = supply.put(running.urgent, 1)
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < until:
        with running.desk.sessions.begin() as session:
            row = session.execute(TIMES_OF, {"id": document}).one_or_none()
        if row is not None and row[1] is not None:
            return row[1] - dropped, row[1] - row[0]
        time.sleep(COUNT_SECONDS / 5)
    raise TimeoutError(f"an urgent document had no verdict after {MOST_SECONDS:.0f} seconds")
