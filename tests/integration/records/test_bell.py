"""The bell of the outbox rings for what comes there or comes back, and its loss is survived."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from records import database, outbox, scans
from records.bell import Bell
from tests.integration.records.steps import arrive, prepare, sha, source

#: Longer than any ring takes.
SECONDS = 20.0


@pytest.fixture
def bell(database_url: str) -> Iterator[Bell]:
    engine = database.engine(database_url)
    made = Bell(engine)
    assert made.wait(0.01, threading.Event()) is None, "nothing came yet"
    yield made
    made.close()
    engine.dispose()


def rings(bell: Bell) -> int | None:
    """The priority of what it has rung for; and it has no more to say after that."""
    began = time.monotonic()
    rang = bell.wait(SECONDS, threading.Event())
    assert time.monotonic() - began < SECONDS / 2
    while bell.wait(0.01, threading.Event()) is not None:
        pass
    return rang


def test_it_rings_for_a_scan_that_comes_comes_back_and_grows_urgent(
    bell: Bell, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        scan = arrive(session, source(sessions), "a").scan_id or 0
    assert rings(bell) == 0
    with sessions.begin() as session:
        scans.set_priority(session, sha("a"), 9, actor="alice")
    assert rings(bell) == 9, "the relay waits for no others then"
    with sessions.begin() as session:
        outbox.publishable(session, "prepare", 3)
    assert bell.wait(0.1, threading.Event()) is None, "what leaves doesn't ring"
    prepare(sessions, scan)
    assert rings(bell) == 9, "it waits for the model now"


def test_many_of_one_transaction_ring_once(bell: Bell, sessions: sessionmaker[Session]) -> None:
    number = source(sessions)
    with sessions.begin() as session:
        for name in "abc":
            arrive(session, number, name)
    assert bell.wait(SECONDS, threading.Event()) == 0
    assert bell.wait(0.1, threading.Event()) is None


def test_a_lost_connection_is_made_again(bell: Bell, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        killed = session.scalars(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query = 'LISTEN outbox' AND datname = current_database()"
            )
        )
        assert list(killed) == [True]
    assert bell.wait(0.05, threading.Event()) is None, "it noticed"
    assert bell.wait(0.05, threading.Event()) is None, "and listens again"
    with sessions.begin() as session:
        arrive(session, source(sessions), "b")
    assert rings(bell) == 0


def test_where_nobody_answers_the_time_passes_or_somebody_stops_it() -> None:
    nowhere = Bell(database.engine("postgresql://nobody@127.0.0.1:1/nothing"))
    stop = threading.Event()
    began = time.monotonic()
    assert nowhere.wait(0.2, stop) is None
    assert time.monotonic() - began >= 0.2
    stop.set()
    assert nowhere.wait(SECONDS, stop) is None
    assert time.monotonic() - began < SECONDS / 2
