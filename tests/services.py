"""Real Postgres and Redis for tests, started once and shared; each test has a database of its own."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from docvigil.embedded import postgres, redis
from docvigil.embedded.folders import Folders
from docvigil.embedded.supervisor import Supervisor
from records.migrate import upgrade

TEMPLATE = "docvigil_template"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Services:
    """Embedded services of a folder of their own."""

    folders: Folders
    supervisor: Supervisor

    @property
    def redis_url(self) -> str:
        return redis.url(self.folders)

    def url(self, database: str, *, owner: bool = False) -> str:
        return postgres.url(self.folders, postgres.OWNER if owner else postgres.APPLICATION, database)

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """A fresh database, dropped at the end; yields its name."""
        name = f"test_{next(_numbers)}"
        template = TEMPLATE if migrated else "template0"
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield name
        finally:
            self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres", owner=True), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, removed at the end. In a closed one root's Postgres would lie elsewhere, and
    stay there."""
    with tempfile.TemporaryDirectory(prefix="dv", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def services() -> Iterator[Services]:
    """Starts both servers, and makes a migrated database to copy from."""
    with open_folder() as home:
        folders = Folders.of(home)
        supervisor = Supervisor()
        try:
            supervisor.start([postgres.child(folders), redis.child(folders)])
            postgres.create_database(folders)
            started = Services(folders, supervisor)
            started._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
            upgrade(started.url(TEMPLATE, owner=True))
            yield started
        finally:
            supervisor.stop()
