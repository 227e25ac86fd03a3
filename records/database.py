"""Connections. Make the engine after a fork, one a process; a session is one transaction's."""

from __future__ import annotations

from typing import Any

from psycopg import errors
from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

#: Seconds to wait for a connection before the database counts as unreachable.
CONNECT_SECONDS = 10


class WrongServer(RuntimeError):
    """This Postgres, or its database, can't be used; the message says why and what to do."""


def engine(url: str | URL, *, pool_size: int = 5, max_overflow: int = 20, ping: bool = True, **options: Any) -> Engine:
    """An engine for a `postgresql://` URL. Dead connections are noticed before they are used; without `ping` only when
    they are, which a loop that tries again anyway does with."""
    return create_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_pre_ping=ping,
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "docvigil"},
        **options,
    )


def driver_url(url: str | URL) -> URL:
    """The URL with the driver that is installed; `postgres://` and `postgresql://` are the same here."""
    given = make_url(url)
    if given.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError(f"{given.drivername}:// is no Postgres; a postgresql:// URL is needed")
    return given.set(drivername="postgresql+psycopg")


def sessions(engine: Engine) -> sessionmaker[Session]:
    return sessionmaker(engine, expire_on_commit=False, autoflush=False)


def transient(error: BaseException) -> bool:
    """Whether the database, and not the document, is to blame: it is away, busy or had to break a deadlock."""
    if isinstance(error, DBAPIError):
        original = error.orig
        if isinstance(original, errors.DeadlockDetected | errors.SerializationFailure | errors.LockNotAvailable):
            return True
        return error.connection_invalidated or isinstance(error, OperationalError)
    return isinstance(error, PoolTimeout)
