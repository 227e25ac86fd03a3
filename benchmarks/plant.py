"""A running docvigil for measurements: the processes of `docvigil up` in a folder of their own, seen from outside."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from docvigil.desk import Desk, desk
from docvigil.embedded.supervisor import Supervisor
from docvigil.instance import owned
from docvigil.processes import everything
from docvigil.settings import Settings
from records import balance as balance_of
from records.balance import Balance

#: How often the sums are looked at while documents are in flight (seconds).
LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Plant:
    desk: Desk
    supervisor: Supervisor
    drop: Path

    def cpu(self) -> dict[str, float]:
        """CPU seconds that each process has taken so far, its children and those that ended counted with it."""
        return {name: _seconds(pid) for name, pid in self.supervisor.pids().items()}

    def balance(self) -> Balance:
        with self.desk.sessions.begin() as session:
            return balance_of.balance(session)

    def settle(self, arrivals: int, seconds: float, watch: Callable[[Balance], None]) -> Balance:
        """Waits until so many arrivals have come and nothing is in flight. Raises TimeoutError with the last sums."""
        until = time.monotonic() + seconds
        while True:
            now = self.balance()
            watch(now)
            if now.arrivals >= arrivals and now.in_flight == 0:
                return now
            if time.monotonic() > until:
                raise TimeoutError(f"after {seconds:.0f} seconds: {now}")
            time.sleep(LOOK_SECONDS)


@contextmanager
def plant(home: Path, *, null: bool = False) -> Iterator[Plant]:
    """Starts everything. With `null`, a reader that answers at once takes the model's place, so that what is measured
    is all the rest."""
    settings = Settings(home=home)
    drop = settings.home / "drop"
    drop.mkdir(parents=True, exist_ok=True)
    with owned(settings, processes=True) as (instance, supervisor), desk(settings, instance) as opened:
        children = everything(settings, instance, [str(drop)])
        if null:
            # The benchmark's own worker, since the product has no reader that doesn't read.
            children = [
                replace(
                    child,
                    command=[sys.executable, "-m", "benchmarks.null_worker"],
                    # Children stand in the root folder, where nobody finds this package.
                    environment={**child.environment, "PYTHONPATH": str(Path(__file__).parents[1])},
                )
                if child.name == "worker-infer"
                else child
                for child in children
            ]
        supervisor.start(children)
        yield Plant(opened, supervisor, drop)


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
