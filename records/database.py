"""Connections. Make the engine after a fork, one a process; a session is one transaction's."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import errors
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

#: Seconds to wait for a connection before the database counts as unreachable.
CONNECT_SECONDS = 10
#: A connection that rested for so long is asked for an answer before it is used.
REST_SECONDS = 1.0


class WrongServer(RuntimeError):
    """This Postgres, or its database, can't be used; the message says why and what to do."""


def engine(
    url: str | URL,
    *,
    pool_size: int = 5,
    max_overflow: int = 20,
    ping: bool = True,
    plan_for_values: bool = False,
    **options: Any,
) -> Engine:
    """An engine for a `postgresql://` URL. Dead connections are noticed before they are used, where they were not used
    for a second; without `ping` only when they are, which a loop that tries again anyway does with.

    `plan_for_values`: a statement that is asked again and again is planned for its values each time. It takes some
    0.1 ms; the plan for any values may suit none, where they say how much is found."""
    made = create_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=max_overflow,
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "docvigil"},
        **options,
    )
    if ping:
        _ping_rested(made)
    if plan_for_values:
        _plan_for_values(made)
    return made


def _ping_rested(engine: Engine) -> None:
    """Has connections that rested asked for an answer before they are given out; SQLAlchemy itself asks every time."""

    @event.listens_for(engine, "checkin")
    def _rests(connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _wakes(connection: Any, record: Any, proxy: Any) -> None:
        if time.monotonic() - record.info.get("rests_since", math.inf) < REST_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:
            # Its neighbours of the same age are as dead: all are made anew, this one first.
            raise InvalidatePoolError from error


def _plan_for_values(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _asks(connection: Any, record: Any) -> None:
        connection.execute("SET plan_cache_mode = force_custom_plan")
        connection.commit()


def driver_url(url: str | URL) -> URL:
    """The URL with the driver that is installed; `postgres://` and `postgresql://` are the same here."""
    given = make_url(url)
    if given.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError(f"{given.drivername}:// is no Postgres; a postgresql:// URL is needed")
    return given.set(drivername="postgresql+psycopg")


@contextmanager
def at_once(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """A session for one statement, or some that need not hold together: each is a transaction by itself, which takes
    one way to the database in place of three."""
    with sessions() as session:
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        yield session


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
