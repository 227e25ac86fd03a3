"""The bell of the outbox: Postgres tells whoever waits at it that a scan has come there to be published.

A trigger of the table rings (`NOTIFY`), whoever writes there. It saves asking all day, and is never relied on: a ring
is lost with its connection, and a pooler in between may swallow all of them.
"""

from __future__ import annotations

import threading
from typing import cast

import psycopg
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

log = structlog.get_logger(__name__)


class Bell:
    """Listens on a connection of its own, which is made again when it is lost. For one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: psycopg.Connection | None = None

    def wait(self, seconds: float, stop: threading.Event) -> int | None:
        """Returns when it has rung since the last call, else after so many seconds: the highest priority of what it
        rang for, None where it didn't ring. Where Postgres can't be listened to, the seconds pass, or `stop` is set."""
        try:
            connection = self._connection or self._listening()
            rings = connection.notifies(timeout=seconds, stop_after=1)
            # Another program may ring too, and say nothing that is a number.
            return max((int(one.payload) if one.payload.isdigit() else 0 for one in rings), default=None)
        except (psycopg.Error, DBAPIError) as error:
            # Whoever waits asks Postgres next, and says so where it is away.
            log.debug("bell.silent", error=type(error).__name__)
            self.close()
            stop.wait(seconds)
            return None

    def _listening(self) -> psycopg.Connection:
        pooled = self._engine.raw_connection()
        # Kept before it listens, so that it is closed where it can't.
        self._connection = connection = cast("psycopg.Connection", pooled.driver_connection)
        pooled.detach()
        connection.autocommit = True
        connection.execute("LISTEN outbox")
        return connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
