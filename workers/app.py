"""The Celery application: ids on queues, nothing else.

Nothing that Celery keeps is relied upon. Messages are JSON and carry a scan's id; results are not kept; a message that
is lost, doubled or late changes nothing, since work is taken up by a lease in Postgres (`records.leases`). Celery's
own remote control, gossip and event traffic is off: a flushed or restarted Redis then leaves nothing to repair.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from celery import Celery
from celery.schedules import crontab
from kombu import Queue

from workers.config import WorkerConfig

PREPARE, INFER, ALONE, CONTROL, TRAIN = "prepare", "infer", "alone", "control", "train"

#: Task names as they stand in messages, and the queue of each.
ROUTES = {
    "docvigil.prepare": {"queue": PREPARE},
    "docvigil.infer": {"queue": INFER},
    "docvigil.alone": {"queue": ALONE},
    "docvigil.anchor": {"queue": CONTROL},
    "docvigil.expire": {"queue": CONTROL},
    "docvigil.retrain": {"queue": TRAIN},
}

#: Each entry of the calendar is due at the start too: it may have been missed while nothing ran.
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

#: What is due when, by the clocks of the time zone that is set.
CALENDAR: dict[str, dict[str, Any]] = {
    "anchor the audit chain": {"task": "docvigil.anchor", "schedule": crontab(minute=7), "last_run_at": LONG_AGO},
    "remove old examples": {
        "task": "docvigil.expire",
        "schedule": crontab(hour=3, minute=23),
        "last_run_at": LONG_AGO,
    },
}

#: Seconds after which Redis hands an unacknowledged message to another worker. Leases decide long before.
VISIBILITY_SECONDS = 6 * 3600

#: Seconds to wait for Redis to accept a connection, and to answer on an open one.
CONNECT_SECONDS, ANSWER_SECONDS = 5, 30


def create(config: WorkerConfig) -> Celery:
    """The application on the broker of `config`; `workers.tasks.register` adds the tasks to it."""
    app = Celery("docvigil", broker=broker_url(config.redis_url), set_as_current=False)
    app.conf.update({**settings(), "timezone": config.timezone, "beat_schedule": calendar(config)})
    return app


def calendar(config: WorkerConfig) -> dict[str, dict[str, Any]]:
    """What is due when, the training that the settings want included."""
    if config.retrain_at is None:
        return CALENDAR
    due = {"task": "docvigil.retrain", "schedule": crontab.from_string(config.retrain_at), "last_run_at": LONG_AGO}
    return {**CALENDAR, "learn from reviewers": due}


def settings() -> dict[str, Any]:
    """Celery's settings, each with its reason."""
    return {
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "result_backend": None,
        "task_queues": [Queue(name) for name in (PREPARE, INFER, ALONE, CONTROL, TRAIN)],
        "task_default_queue": CONTROL,
        "task_create_missing_queues": False,
        "task_routes": ROUTES,
        # A message leaves Redis when its work is done or refused, not when it is read.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        # Redis may go away for as long as it likes.
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_SECONDS,
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": ANSWER_SECONDS,
        },
        # Tasks under way go on when the broker is lost; their leases are in Postgres.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        # Results aren't kept, so that nothing of them is to be cleaned up by the calendar.
        "result_expires": None,
        "enable_utc": True,
    }


def broker_url(redis_url: str) -> str:
    """A Redis URL as Celery writes it: `unix:///path?db=0` is `redis+socket:///path?virtual_host=0` there."""
    scheme, separator, rest = redis_url.partition("://")
    if scheme != "unix":
        return redis_url
    return f"redis+socket{separator}{rest.replace('db=', 'virtual_host=')}"
