"""Whose fault an error is, and how long to wait."""

from __future__ import annotations

import errno

import pytest
from kombu.exceptions import OperationalError as BrokerError
from psycopg import errors
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pipeline.pages import BadFile
from pipeline.reading import ReaderUnavailable
from records.objects import Missing, StoreUnavailable
from workers.outages import FIRST_WAIT, LONGEST_WAIT, Backoff, FailedAlone, TypesUnavailable, outage


def of_database(original: Exception, *, lost: bool = False) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, original, connection_invalidated=lost)


AWAY = [
    ReaderUnavailable("the model is loading"),
    StoreUnavailable("no route to host"),
    TypesUnavailable("type.yaml is wrong"),
    BrokerError("connection refused"),
    RedisConnectionError("connection refused"),
    OperationalError("SELECT 1", {}, Exception("server closed the connection")),
    PoolTimeout("QueuePool limit"),
    of_database(errors.DeadlockDetected("deadlock")),
    of_database(errors.SerializationFailure("could not serialize")),
    of_database(errors.LockNotAvailable("timeout")),
    of_database(Exception("terminating connection"), lost=True),
    OSError(errno.ENOSPC, "No space left on device"),
    FileNotFoundError(errno.ENOENT, "No such file or directory"),
    ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
]

OF_THE_DOCUMENT = [
    ValueError("cannot decode"),
    OSError("image file is truncated"),
    MemoryError(),
    RecursionError(),
    BadFile("empty", "The file is empty."),
    FailedAlone("it died"),
    Missing("originals/ab/cd/x"),
    IntegrityError("INSERT", {}, errors.CheckViolation("findings_box")),
]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_what_is_away_is_nobodys_fault(error: Exception) -> None:
    assert outage(error)


@pytest.mark.parametrize("error", OF_THE_DOCUMENT, ids=lambda error: type(error).__name__)
def test_everything_else_is_charged(error: Exception) -> None:
    assert not outage(error)


def test_waits_grow_to_a_limit_and_start_anew() -> None:
    backoff = Backoff()
    waits = [backoff.next() for _ in range(12)]
    bounds = [min(LONGEST_WAIT, FIRST_WAIT * 2**step) for step in range(12)]
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))
    backoff.reset()
    assert backoff.next() <= FIRST_WAIT
