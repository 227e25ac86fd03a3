"""The opened instance: settings, services, sessions and object store, as commands and processes use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from docvigil.instance import Children, Instance, running
from docvigil.settings import Settings
from records.database import engine, sessions
from records.objects import ObjectStore, open_store


@dataclass(frozen=True)
class Desk:
    settings: Settings
    instance: Instance
    sessions: sessionmaker[Session]
    store: ObjectStore


@contextmanager
def open_desk(settings: Settings, processes: Children | None = None) -> Iterator[Desk]:
    """Uses the configured or running services, or starts embedded ones, with `processes`, and stops them at the end."""
    with running(settings, processes) as instance, desk(settings, instance) as opened:
        yield opened


@contextmanager
def desk(settings: Settings, instance: Instance) -> Iterator[Desk]:
    """Connections to services that run."""
    database = engine(instance.database_url)
    try:
        store = open_store(instance.object_store, endpoint_url=settings.s3_endpoint_url)
        yield Desk(settings, instance, sessions(database), store)
    finally:
        database.dispose()
