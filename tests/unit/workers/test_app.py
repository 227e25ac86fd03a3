"""The Celery application: JSON ids only, nothing kept, and a calendar that outlives its broker."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from workers import app as celery_app
from workers import schedule
from workers.config import WorkerConfig
from workers.schedule import Calendar

CONFIG = WorkerConfig("postgresql://db", "redis://localhost:1/0", "/objects", "a.b:c")


def test_urls_of_sockets_are_written_as_celery_wants_them() -> None:
    assert celery_app.broker_url("unix:///run/redis.sock?db=3") == "redis+socket:///run/redis.sock?virtual_host=3"
    assert celery_app.broker_url("unix:///run/redis.sock") == "redis+socket:///run/redis.sock"
    assert celery_app.broker_url("rediss://:secret@host:6380/1") == "rediss://:secret@host:6380/1"


def test_messages_are_json_and_results_are_not_kept() -> None:
    conf = celery_app.create(CONFIG).conf
    assert conf.accept_content == ["json"] and conf.task_serializer == "json"
    assert conf.task_ignore_result and conf.result_backend is None
    assert conf.task_acks_late and conf.worker_prefetch_multiplier == 1


def test_every_task_has_its_queue() -> None:
    conf = celery_app.create(CONFIG).conf
    queues = {queue.name for queue in conf.task_queues}
    assert {route["queue"] for route in celery_app.ROUTES.values()} == queues
    assert {entry["task"] for entry in celery_app.CALENDAR.values()} <= set(celery_app.ROUTES)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    failures = iter([RedisConnectionError("away"), RedisConnectionError("away")])

    def send_task(self: Any, name: str, **_: Any) -> None:
        for failure in failures:
            raise failure
        names.append(name)

    monkeypatch.setattr("celery.Celery.send_task", send_task)
    return names


def test_what_was_missed_is_sent_at_the_start_and_then_when_due(sent: list[str]) -> None:
    calendar = Calendar(celery_app.create(CONFIG), threading.Event(), max_interval=30)
    waits = [calendar.tick() for _ in range(4)]
    assert sorted(sent) == ["docvigil.anchor", "docvigil.expire"], "once, although the broker was away at first"
    assert calendar.schedule.keys() == celery_app.CALENDAR.keys(), "nothing of Celery's own"
    assert waits[-1] > 0


def test_the_calendar_stops_also_while_the_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = threading.Event()

    def send_task(self: Any, name: str, **_: Any) -> None:
        tried.set()
        raise RedisConnectionError("away")

    monkeypatch.setattr("celery.Celery.send_task", send_task)
    stop = threading.Event()
    thread = threading.Thread(target=schedule.run, args=(CONFIG, stop))
    thread.start()
    assert tried.wait(10)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
