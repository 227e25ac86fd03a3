"""Documents that cost two workers their lives run alone: in a process of their own, with limits, one at a time.

The worker that took such a document up keeps its lease alive and watches; the process it starts
(`python -m workers.alone`) carries out the stage and writes what became of it. If that process dies, nobody else is
hurt, and the document is to blame.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import date, datetime
from typing import IO, Any, cast

import structlog

from records.words import Lease
from workers import observe
from workers.bonds import die_with_parent, limit_memory
from workers.config import WorkerConfig
from workers.heartbeat import Work
from workers.outages import FailedAlone
from workers.resolve import resolve
from workers.stages import DONE, LOST, QUARANTINED, RETRIED, STAGES, WAITING, carry_out
from workers.station import Station

#: How the process says what became of the scan. 0 and small numbers are what Python itself ends with.
EXITS = {DONE: 80, LOST: 81, WAITING: 82, RETRIED: 83, QUARANTINED: 84}

#: How often the watching worker looks, in seconds.
LOOK_SECONDS = 0.1


def supervise(station: Station, lease: Lease, work: Work) -> str:
    """Runs the lease's stage in a process of its own. Raises FailedAlone when that process dies or takes too long."""
    config = station.config
    job = json.dumps({"config": config.to_json(), "lease": _to_json(lease)})
    process = subprocess.Popen([sys.executable, "-m", "workers.alone"], stdin=subprocess.PIPE, text=True)
    try:
        # A process that is dead already can't be told anything; its status says so below.
        with contextlib.suppress(BrokenPipeError), cast(IO[str], process.stdin) as stdin:
            stdin.write(job)
        until = time.monotonic() + config.alone_seconds
        while process.poll() is None:
            if time.monotonic() > until:
                raise FailedAlone(
                    f"The document brought down its workers; scanned alone, it took longer than "
                    f"{config.alone_seconds:.0f} seconds. Look at the original, then `docvigil retry`."
                )
            work.advanced()
            time.sleep(LOOK_SECONDS)
    finally:
        process.kill()
        process.wait()
    for outcome, code in EXITS.items():
        if process.returncode == code:
            return outcome
    raise FailedAlone(
        f"The document brought down its workers; scanned alone, its process {_how(process.returncode)}. "
        "Look at the original, then `docvigil retry`."
    )


def main() -> int:
    """Carries out the job on standard input; the exit status says what became of it."""
    die_with_parent()
    job = json.load(sys.stdin)
    config = WorkerConfig.from_json(job["config"])
    limit_memory(config.alone_memory_bytes)
    if config.start_up is not None:
        resolve(config.start_up)()
    lease = _from_json(job["lease"])
    reader = resolve(config.reader)() if lease.stage == "infer" else None
    station = Station(config, reader)
    if station.fleet is not None:
        station.fleet.look(wait=True)
    model = None if station.fleet is None else station.fleet.version_for(lease.document_id)
    ids = observe.bound(lease, model)
    with structlog.contextvars.bound_contextvars(**ids, alone=True):
        # The lease is kept alive by the worker that watches.
        outcome = carry_out(station, lease, Work((lease.scan_id, lease.token)), STAGES[lease.stage])
    station.close()
    return EXITS[outcome]


def _how(status: int) -> str:
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _to_json(lease: Lease) -> dict[str, Any]:
    values = asdict(lease)
    return {**values, "expires_at": lease.expires_at.isoformat(), "judged_on": lease.judged_on.isoformat()}


def _from_json(values: dict[str, Any]) -> Lease:
    days = {
        "expires_at": datetime.fromisoformat(values["expires_at"]),
        "judged_on": date.fromisoformat(values["judged_on"]),
    }
    return Lease(**{**values, **days})


if __name__ == "__main__":
    sys.exit(main())
