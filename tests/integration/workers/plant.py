"""Workers on real Postgres and Redis, and paper to put through them."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import yaml
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from docvigil.embedded.supervisor import Child, Supervisor
from pipeline.reading import Pixels
from records import database, intake
from records.objects import FolderStore
from tests.unit.pipeline.paper import blank_of, handwriting, make_type, scan
from workers import reconcile, relay
from workers.config import WorkerConfig

ROOT = Path(__file__).parents[3]
#: What may stand in the box to sign in. One that is empty bears a smudge, so that the reader is asked; a bare one none.
SIGNED, EMPTY, BARE, KILLER, RAISER, BLACK = "signed", "empty", "bare", "killer", "raiser", "black"
_numbers = itertools.count()


class Paper:
    """One small form, and filled copies of it that are never the same bytes twice."""

    def __init__(self, types: Path) -> None:
        made = make_type(types, 7)
        assert made.folder is not None
        signature = next(one for one in made.fields if one.kind.value == "signature")
        path = made.folder / "type.yaml"
        data = yaml.safe_load(path.read_text())
        # One field is enough: whatever else is judged is the domain's business, and tested there.
        data["fields"] = [one for one in data["fields"] if one["name"] == signature.name]
        data["fields"][0] |= {"name": "signature", "required": True, "checks": [{"check": "signature.missing"}]}
        path.write_text(yaml.safe_dump(data))
        self.key = made.key
        self._blank = blank_of(made)
        height, width = self._blank.shape
        self._box = signature.where.pixels(width, height)

    def copy(self, what: str) -> bytes:
        """A scan, as PNG."""
        seed = next(_numbers)
        x0, y0, x1, y1 = self._box
        page: Pixels = self._blank.copy()
        if what == SIGNED:
            page = handwriting(page, [self._box], seed)
        elif what == EMPTY:
            cv2.circle(page, ((x0 + x1) // 2, (y0 + y1) // 2), 7, 200, -1)
        elif what in (KILLER, RAISER):
            page[y0 + 3 : y1 - 3, x0 + 3 : x1 - 3] = 10 if what == KILLER else 135
        image = scan(page, seed, dpi=110).page.image
        if what == BLACK:
            image = np.zeros_like(image)
            image.flat[0] = seed % 200
        done, body = cv2.imencode(".png", image)
        assert done
        return body.tobytes()


@dataclass
class Plant:
    """Relay and reconciler in this process, prepare and infer in their own, restarted when they die."""

    config: WorkerConfig
    sessions: sessionmaker[Session]
    store: FolderStore
    paper: Paper
    supervisor: Supervisor
    dropped: list[str] = field(default_factory=list)

    def drop(self, *what: str) -> list[str]:
        """Takes in a new document of each kind; their ids."""
        return [self.drop_bytes(self.paper.copy(each)) for each in what]

    def drop_bytes(self, body: bytes) -> str:
        received = self.store.receive([body])
        with self.sessions.begin() as session:
            source = intake.source(session, "folder", "/drop")
            intake.arrive(
                session,
                source_id=source.id,
                path="form.png",
                identity=f"file-{next(_numbers)}",
                sha256=received.sha256,
                size=received.size,
                media_type="image/png",
                arrived_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
                on_date=date(2026, 3, 2),
            )
        self.dropped.append(received.sha256)
        return received.sha256

    def statuses(self, ids: Sequence[str]) -> list[str]:
        with self.sessions.begin() as session:
            rows = session.execute(text("SELECT id, status FROM documents WHERE id = ANY(:ids)"), {"ids": list(ids)})
            found = {row.id: row.status for row in rows}
        return [found[one] for one in ids]

    def settled(self, ids: Sequence[str], seconds: float = 120.0) -> list[str]:
        """Waits until all have a verdict; their statuses."""
        until(lambda: "in_flight" not in self.statuses(ids), seconds, lambda: str(self.statuses(ids)))
        return self.statuses(ids)

    def column(self, statement: str, ids: Sequence[str]) -> list[object]:
        """The first column of a query that names the documents as `:ids`."""
        with self.sessions.begin() as session:
            return list(session.execute(text(statement), {"ids": list(ids)}).scalars())

    def kill(self, name: str) -> None:
        """kill -9, and wait until its successor is there."""
        pid = self.supervisor.pids()[name]
        starts = self.supervisor.starts()[name]
        children = psutil.Process(pid).children(recursive=True)
        os.kill(pid, signal.SIGKILL)
        psutil.wait_procs(children, 5)
        assert not any(one.is_running() for one in children), "processes of a killed worker live on"
        until(lambda: self.supervisor.starts()[name] > starts)


def until(
    condition: Callable[[], bool], seconds: float = 60.0, what: Callable[[], str] = lambda: "waited in vain"
) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.03)


@contextmanager
def running(database_url: str, redis_url: str, folder: Path, **different: Any) -> Iterator[Plant]:
    """`different` are fields of the workers' configuration that are not as usual here."""
    types = folder / "types"
    paper = Paper(types)
    config = WorkerConfig(
        database_url=database_url,
        redis_url=redis_url,
        object_store=str(folder / "objects"),
        reader="tests.integration.workers.scripted:reader",
        start_up="tests.integration.workers.scripted:install",
        doctypes_folder=str(types),
        lease_seconds=3.0,
        heartbeat_seconds=0.5,
        window=8,
        relay_seconds=0.05,
        publish_seconds=1.0,
        reconcile_seconds=0.3,
        chain_seconds=0.2,
        prepare_processes=2,
        infer_threads=8,
        alone_memory_bytes=8 * 2**30,
        retry_seconds=0.2,
        outage_seconds=0.2,
    )
    config = replace(config, **different)
    (folder / "config.json").write_text(config.to_json())
    engine = database.engine(database_url)
    supervisor, stop = Supervisor(), threading.Event()
    loops = [threading.Thread(target=each.run, args=(config, stop)) for each in (relay, reconcile)]
    try:
        for loop in loops:
            loop.start()
        supervisor.start([_child(name, folder) for name in ("prepare", "infer")])
        yield Plant(config, database.sessions(engine), FolderStore(folder / "objects"), paper, supervisor)
    finally:
        stop.set()
        supervisor.stop()
        for loop in loops:
            loop.join()
        engine.dispose()


def _child(name: str, folder: Path) -> Child:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return Child(
        name=name,
        command=[sys.executable, "-m", "tests.integration.workers.process", name, str(folder / "config.json")],
        log=folder / f"{name}.log",
        environment={"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stop_seconds=5.0,
    )
