"""The calendar: what `workers.app.CALENDAR` names is put on its queue when it is due.

Celery's beat, without its file of last times: every task here looks for itself whether there is anything to do, so
that one too many does no harm. Run one of these; what a second sends is done twice.
"""

from __future__ import annotations

import threading
from typing import Any

import structlog
from celery import Celery
from celery.beat import ScheduleEntry, Scheduler

from workers import app as celery_app
from workers import observe
from workers.config import WorkerConfig
from workers.outages import Backoff, outage

log = structlog.get_logger(__name__)

#: Seconds between two looks at the clock, at most.
LOOK_SECONDS = 30.0


class Calendar(Scheduler):
    """Sends what is due, however long the broker is away."""

    def __init__(self, app: Celery, stop: threading.Event, **options: Any) -> None:
        self._stop = stop
        super().__init__(app, **options)

    def setup_schedule(self) -> None:
        self.merge_inplace(self.app.conf.beat_schedule)

    #: Celery's would keep one connection open from one hour to the next; each message here takes its own.
    producer = None  # type: ignore[assignment]

    def apply_entry(self, entry: ScheduleEntry, producer: object = None) -> None:
        backoff = Backoff()
        while not self._stop.is_set():
            try:
                self.app.send_task(str(entry.task), args=entry.args, kwargs=entry.kwargs, retry=False)
            except Exception as error:
                if not outage(error):
                    raise
                wait = backoff.next()
                log.warning("calendar.waiting", task=entry.task, error=type(error).__name__, seconds=round(wait, 1))
                self._stop.wait(wait)
            else:
                observe.SENT.labels(str(entry.task)).inc()
                log.info("calendar.sent", task=entry.task)
                return


def run(config: WorkerConfig, stop: threading.Event) -> None:
    """Sends what is due until `stop` is set."""
    app = celery_app.create(config)
    calendar = Calendar(app, stop, max_interval=LOOK_SECONDS)
    log.info("calendar.started", entries=len(calendar.schedule))
    try:
        while not stop.is_set():
            stop.wait(min(LOOK_SECONDS, calendar.tick()))
    finally:
        app.close()
    log.info("calendar.stopped")
