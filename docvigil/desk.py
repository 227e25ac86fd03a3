"""The opened instance: settings, services, sessions and object store, as commands and processes use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from docvigil.instance import Instance, running
from docvigil.settings import Settings
from records.database import engine, sessions
from records.migrate import upgrade
from records.objects import ObjectStore, open_store


@dataclass(frozen=True)
class Desk:
    settings: Settings
    instance: Instance
    sessions: sessionmaker[Session]
    store: ObjectStore


@contextmanager
def open_desk(settings: Settings, *, migrate: bool = False) -> Iterator[Desk]:
    """Uses the configured or running services, or starts embedded ones and stops them at the end.

    The tables are brought up to date when the services were started here, or when `migrate` says so; a long-running
    installation migrates on purpose, once.
    """
    with running(settings) as instance:
        if migrate or instance.started_here:
            upgrade(instance.owner_url)
        database = engine(instance.database_url)
        try:
            yield Desk(settings, instance, sessions(database), open_store(instance.object_store))
        finally:
            database.dispose()
