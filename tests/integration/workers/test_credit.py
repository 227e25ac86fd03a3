"""A worker whose slots are taken still takes up what is urgent, and others again as soon as it may."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from kombu import Connection, Consumer, Producer, Queue
from kombu.transport.redis import Channel, Transport

from tests.services import Services
from workers import credit
from workers.app import broker_url
from workers.relay import message_priority

QUEUE = Queue("credit")


@pytest.fixture
def connection(postgres: Services) -> Iterator[Connection]:
    credit.install(kept=1)
    try:
        with Connection(broker_url(postgres.redis_url)) as opened:
            yield opened
            opened.channel().queue_purge(QUEUE.name)
    finally:
        credit.install()
        Transport.Channel = Channel


def fetched(connection: Connection, seconds: float = 1.5) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            connection.drain_events(timeout=0.2)
        except TimeoutError:
            continue


def test_the_last_of_a_workers_credit_is_for_urgent_messages(connection: Connection) -> None:
    got: list[Any] = []
    producer = Producer(connection.channel())

    def send(body: str, priority: int) -> None:
        producer.publish(
            body, routing_key=QUEUE.name, declare=[QUEUE], serializer="json", priority=message_priority(priority)
        )

    channel = connection.channel()
    for number in range(4):
        send(f"bulk {number}", 0)
    with Consumer(channel, [QUEUE], callbacks=[lambda _body, message: got.append(message)], prefetch_count=3):
        fetched(connection)
        assert [one.payload for one in got] == ["bulk 0", "bulk 1"]
        send("urgent", 1)
        fetched(connection)
        assert [one.payload for one in got[2:]] == ["urgent"]
        send("another", 10)
        fetched(connection)
        assert len(got) == 3, "nobody holds more than there are slots"
        got[0].ack()
        got[2].ack()
        fetched(connection)
        assert [one.payload for one in got[3:]] == ["another"], "what is urgent counts as held too"
        got[3].ack()
        fetched(connection)
        assert [one.payload for one in got[4:]] == ["bulk 2"]
        for one in (got[1], got[4]):
            one.ack()
