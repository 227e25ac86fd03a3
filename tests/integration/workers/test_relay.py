"""What the relay puts on a queue is taken from it by priority, then age; and counted, whatever its priority."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from celery import Celery
from kombu import Connection
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from records import intake
from tests.integration.workers.plant import until
from tests.services import Services
from workers import app as celery_app
from workers import relay
from workers.config import WorkerConfig
from workers.relay import RedisBroker, Relay


@pytest.fixture
def config(postgres: Services, database_url: str) -> WorkerConfig:
    return WorkerConfig(
        database_url=database_url, redis_url=postgres.redis_url, object_store=os.devnull, reader="nobody:nothing"
    )


def taken(app: Celery, queue: str, count: int) -> list[int]:
    """Scan ids in the order in which a worker is given them."""
    got: list[int] = []
    with Connection(app.conf.broker_url) as connection, connection.channel() as channel:
        (declared,) = [one for one in app.conf.task_queues if one.name == queue]

        def take(body: object, message: object) -> None:
            got.append(body[0][0])  # type: ignore[index]
            message.ack()  # type: ignore[attr-defined]

        with connection.Consumer([declared(channel)], callbacks=[take], channel=channel):
            while len(got) < count:
                connection.drain_events(timeout=5)
    return got


def test_an_urgent_document_goes_before_those_published_earlier(config: WorkerConfig) -> None:
    broker = RedisBroker(config)
    try:
        for scan, priority in ((1, 0), (2, 0), (3, 10), (4, 5), (5, 10), (6, -3)):
            broker.send(celery_app.PREPARE, scan, "prepare", priority)
        assert broker.depth(celery_app.PREPARE) == 6
        app = celery_app.create(config)
        assert taken(app, celery_app.PREPARE, 6) == [3, 5, 4, 1, 2, 6]
        assert broker.depth(celery_app.PREPARE) == 0
    finally:
        broker.close()


class Holding:
    """A broker that holds so many messages, whatever is sent."""

    def __init__(self) -> None:
        self.held = 0

    def send(self, queue: str, scan_id: int, stage: str, priority: int) -> None:
        self.held += 1

    def depth(self, queue: str) -> int:
        return self.held if queue == celery_app.PREPARE else 0

    def ring(self) -> None:
        raise AssertionError


def arrives(sessions: sessionmaker[Session], number: int) -> None:
    """A document that differs from those of other numbers."""
    with sessions.begin() as session:
        intake.arrive(
            session,
            source_id=intake.source(session, "folder", "/drop").id,
            path="form.pdf",
            identity=str(number),
            sha256=f"{number:064x}",
            size=1,
            media_type="application/pdf",
            arrived_at=datetime.now(UTC),
            on_date=date(2026, 3, 2),
        )


def test_only_what_is_missing_twice_is_published_again(config: WorkerConfig, sessions: sessionmaker[Session]) -> None:
    for number in range(3):
        arrives(sessions, number)
    broker = Holding()
    one = Relay(replace(config, publish_seconds=0.0), sessions, broker)
    assert one.round() == [3] and one.recover() == 0
    broker.held = 2
    assert one.recover() == 0, "one is on its way to a worker"
    broker.held = 3
    assert one.recover() == 0
    broker.held = 0
    assert [one.recover(), one.recover()] == [0, 3]
    assert one.round() == [3]


def test_a_document_is_published_when_the_outbox_rings(
    config: WorkerConfig, sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    # By itself the relay would look again after minutes.
    monkeypatch.setattr(relay, "QUIET_SECONDS", 300.0)
    broker, stop = RedisBroker(config), threading.Event()
    running = threading.Thread(target=relay.run, args=(replace(config, relay_seconds=300.0), stop))
    running.start()
    try:
        until(lambda: listeners(sessions) == 1)
        assert broker.depth(celery_app.PREPARE) == 0
        arrives(sessions, 1)
        until(lambda: broker.depth(celery_app.PREPARE) == 1)
    finally:
        stop.set()
        # A ring lets it see that it should stop.
        arrives(sessions, 2)
        running.join(20)
        broker.close()
    assert not running.is_alive()


def listeners(sessions: sessionmaker[Session]) -> int:
    """How many listen to the outbox."""
    with sessions.begin() as session:
        found = session.scalar(
            text("SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN outbox' AND datname = current_database()")
        )
    return int(found or 0)
