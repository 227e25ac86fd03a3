"""The relay: ids from the outbox to Celery, a window a queue, by priority and then age.

On its queue an urgent document goes before those that were published earlier: a window of them may be waiting there.
Urgent ones have a window beside that.

Safe to run several times: the outbox lets one at a time count a queue's window. A crash between commit and sending
loses messages at worst; so does a wiped Redis. Both show as ids that were published and that no queue holds: they
are published again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Protocol

import structlog
from celery import Celery
from kombu.transport.redis import PRIORITY_STEPS, Channel
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy.orm import Session, sessionmaker

from records import database, outbox, trainings
from records.bell import Bell
from workers import app as celery_app
from workers import observe
from workers.config import WorkerConfig
from workers.outages import Backoff, outage
from workers.pace import Pace

log = structlog.get_logger(__name__)

#: While nothing can be sent and nothing rings it is looked so often at last (seconds).
QUIET_SECONDS = 1.0

#: Documents that run alone do so one after another.
ALONE_WINDOW = 1

#: (outbox queue, alone) → Celery queue.
LANES = {
    ("prepare", False): celery_app.PREPARE,
    ("infer", False): celery_app.INFER,
    ("prepare", True): celery_app.ALONE,
    ("infer", True): celery_app.ALONE,
}


#: On Redis a message of priority 0 goes first, and one of 9 last.
LAST = 9


def message_priority(priority: int) -> int:
    """Celery's priority on Redis of a document's: from 9 on documents are equal there, and below 0."""
    return LAST - min(LAST, max(0, priority))


def lists(queue: str) -> list[str]:
    """The lists in Redis that make up a queue: one for each step of priority."""
    return [f"{queue}{Channel.sep}{step}" if step else queue for step in PRIORITY_STEPS]


class Rung(Protocol):
    """The side of the outbox's bell that the relay needs."""

    def wait(self, seconds: float, stop: threading.Event) -> int | None:
        """As `records.bell.Bell.wait`."""
        ...


class Broker(Protocol):
    """The side of Redis that the relay needs. Both calls raise what `outages.outage` knows."""

    def send(self, queue: str, scan_id: int, stage: str, priority: int) -> None:
        """Put one id on a queue; a document's higher priority goes before a lower one."""
        ...

    def depth(self, queue: str) -> int:
        """How many messages the queue holds that no worker has fetched."""
        ...

    def ring(self) -> None:
        """Tell a worker that trains to look for a training."""
        ...


class RedisBroker:
    def __init__(self, config: WorkerConfig) -> None:
        self._app: Celery = celery_app.create(config)
        self._redis = Redis.from_url(
            config.redis_url,
            socket_timeout=celery_app.ANSWER_SECONDS,
            socket_connect_timeout=celery_app.CONNECT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    def send(self, queue: str, scan_id: int, stage: str, priority: int) -> None:
        args: Sequence[object] = [scan_id, stage] if queue == celery_app.ALONE else [scan_id]
        self._app.send_task(
            f"docvigil.{queue}", args=args, queue=queue, priority=message_priority(priority), retry=False
        )

    def depth(self, queue: str) -> int:
        return sum(int(self._redis.llen(one)) for one in lists(queue))

    def ring(self) -> None:
        self._app.send_task("docvigil.retrain", queue=celery_app.TRAIN, retry=False)

    def close(self) -> None:
        self._redis.close()
        self._app.close()


class Relay:
    """One round at a time; `run` repeats them."""

    def __init__(self, config: WorkerConfig, sessions: sessionmaker[Session], broker: Broker) -> None:
        self._config, self._sessions, self._broker = config, sessions, broker
        #: Whether the last look at the queues found fewer ids than were published.
        self._short = False

    def round(self) -> list[int]:
        """Publishes what fits in the windows; how many ids it sent to each queue on which something waited."""
        sent = []
        with database.at_once(self._sessions) as session:
            lanes = outbox.lanes(session)
        for queue, alone in lanes:
            lane = LANES[queue, alone]
            window = ALONE_WINDOW if alone else self._config.window
            with self._sessions.begin() as session:
                entries = outbox.publishable(session, queue, window, alone=alone)
            for entry in entries:
                self._broker.send(lane, entry.scan_id, queue, entry.priority)
                observe.PUBLISHED.labels(queue).inc()
            sent.append(len(entries))
        return sent

    def recover(self) -> int:
        """Lets ids be published again that the broker lost; how many.

        An id that waits in a long queue is not lost: only where more were published than the queues hold are those
        given back that have waited for long. An id on its way from the queue to a worker stands in neither, so that
        two looks in a row must find too few. A doubled message does no harm.
        """
        with self._sessions.begin() as session:
            pending = outbox.pending(session)
            for queue, one in pending.items():
                observe.WAITING.labels(queue).set(one.waiting + one.published)
            published = sum(one.published for one in pending.values())
            short = published > sum(self._broker.depth(lane) for lane in set(LANES.values()))
            before, self._short = self._short, short
            if not (before and short):
                return 0
            return outbox.expire_published(session, self._config.publish_seconds)

    def ring(self) -> bool:
        """Rings for a training that could be taken up, unless the queue holds a message already; whether it did."""
        with self._sessions.begin() as session:
            waits = trainings.waits(session)
        if not waits or self._broker.depth(celery_app.TRAIN):
            return False
        self._broker.ring()
        return True


def run(config: WorkerConfig, stop: threading.Event) -> None:
    """Relays until `stop` is set: when the outbox rings, and now and then where it doesn't, since places in a window
    come free and times come without a ring. Neither Postgres nor Redis being away ends it."""
    engine = database.engine(config.database_url, pool_size=1, ping=False)
    broker, bell = RedisBroker(config), Bell(engine)
    relay, backoff, pace = Relay(config, database.sessions(engine), broker), Backoff(), Pace(config.window)
    looked_at, wait = time.monotonic(), config.relay_seconds
    log.info("relay.started", window=config.window)
    try:
        while not stop.is_set():
            try:
                if time.monotonic() - looked_at >= config.publish_seconds / 4:
                    looked_at = time.monotonic()
                    if lost := relay.recover():
                        log.warning("relay.published_again", scans=lost)
                    if relay.ring():
                        log.info("relay.rang_for_training")
                sent = relay.round()
                if any(sent):
                    log.debug("relay.published", scans=sum(sent))
                pace.sent(max(sent, default=0))
                wait = config.relay_seconds if any(sent) else min(QUIET_SECONDS, wait * 2)
                backoff.reset()
            except Exception as error:
                if not outage(error):
                    raise
                seconds = backoff.next()
                log.warning("relay.waiting", error=type(error).__name__, seconds=round(seconds, 1))
                stop.wait(seconds)
                continue
            gather(bell, wait, pace, stop)
    finally:
        bell.close()
        broker.close()
        engine.dispose()
    log.info("relay.stopped")


def gather(bell: Rung, seconds: float, pace: Pace, stop: threading.Event) -> None:
    """Waits for a ring, and then for those that come soon after it, which go together; urgent ones wait for none."""
    rang = bell.wait(seconds, stop)
    if rang is None:
        return
    until = time.monotonic() + pace.rang()
    while not rang and (left := until - time.monotonic()) > 0 and not stop.is_set():
        rang = bell.wait(left, stop)
