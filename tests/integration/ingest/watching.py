"""Watchers on real Postgres and a store in a folder, in threads or in a process to kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from ingest import watch
from ingest.config import WatchConfig
from records import balance
from records.balance import SourceBalance
from records.objects import FolderStore, original_key

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Row:
    """An arrival as it is recorded."""

    path: str
    status: str
    reason: str | None
    document: str | None
    identity: str
    source: str


@dataclass
class Watch:
    """What tests look at."""

    config: WatchConfig
    sessions: sessionmaker[Session]
    folder: Path

    @property
    def store(self) -> FolderStore:
        return FolderStore(Path(self.config.object_store))

    def arrivals(self) -> list[Row]:
        with self.sessions.begin() as session:
            found = session.execute(
                text(
                    "SELECT a.path, a.status, a.reason, a.document_id, a.identity, s.location"
                    " FROM arrivals a JOIN sources s ON s.id = a.source_id ORDER BY a.id"
                )
            )
            return [Row(*row) for row in found]

    def count(self) -> int:
        with self.sessions.begin() as session:
            return session.execute(text("SELECT count(*) FROM arrivals")).scalar_one()

    def contents(self) -> list[bytes]:
        """What each document holds, in order; a document whose original isn't whole fails here."""
        with self.sessions.begin() as session:
            rows = session.execute(text("SELECT id, size FROM documents")).all()
        found = [self.store.get(original_key(row.id)) for row in rows]
        assert [len(one) for one in found] == [row.size for row in rows]
        return sorted(found)

    def arrived(self, count: int, seconds: float = 60.0) -> list[Row]:
        """Waits for so many arrivals; there must not be more."""
        until(lambda: self.count() >= count, seconds, lambda: f"{self.count()} arrivals of {count}")
        found = self.arrivals()
        assert len(found) == count
        return found

    def balanced(self) -> tuple[SourceBalance, ...]:
        """The sources, when all sums come out."""
        with self.sessions.begin() as session:
            now = balance.balance(session)
        assert now.differences == ()
        return now.sources

    def listed(self, files: int, waiting: int = 0, seconds: float = 60.0) -> None:
        """Waits until the listings of all sources together count this."""

        def counts() -> tuple[int, int]:
            sources = self.balanced()
            return sum(one.files or 0 for one in sources), sum(one.waiting or 0 for one in sources)

        until(lambda: counts() == (files, waiting), seconds, lambda: f"listed {counts()}")

    @contextmanager
    def running(self, *sources: object) -> Iterator[None]:
        """Watchers in threads of this process."""
        stop = threading.Event()
        errors: list[BaseException] = []

        def run() -> None:
            try:
                watch.run([str(one) for one in sources], self.config, stop)
            except BaseException as error:
                errors.append(error)
                raise

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive() and not errors

    @contextmanager
    def process(self, *sources: object) -> Iterator[subprocess.Popen[bytes]]:
        """Watchers in a process of their own, killed at the end if they weren't before."""
        told = self.folder / "config.json"
        told.write_text(json.dumps(asdict(self.config)))
        words = ["-m", "tests.integration.ingest.process", str(told), *[str(one) for one in sources]]
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        with (self.folder / "process.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *words], env={**os.environ, "PYTHONPATH": path}, stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def until(
    condition: Callable[[], bool], seconds: float = 30.0, what: Callable[[], str] = lambda: "waited in vain"
) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.05)


def files_in(folder: Path) -> list[str]:
    """Paths of all that isn't a folder, in order."""
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_symlink() or not one.is_dir())


def bodies(count: int, start: int = 0) -> Sequence[bytes]:
    """Small documents, each different."""
    return [b"%PDF-1.7 " + str(number).encode() * 40 for number in range(start, start + count)]
