"""What a task leaves behind for people: log lines with its ids bound, counters and durations."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from records.words import Lease

log = structlog.get_logger(__name__)

STARTED = Counter("docvigil_tasks_started", "Tasks that took up a scan", ["stage"])
FINISHED = Counter("docvigil_tasks_finished", "Tasks by what became of them", ["stage", "outcome"])
SECONDS = Histogram(
    "docvigil_task_seconds",
    "Time from taking up a scan to giving it on",
    ["stage"],
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800),
)
PAGES = Counter("docvigil_pages", "Pages rendered, matched and cut, by the ink on them: some, or none", ["ink"])
MISS_BOUND = Gauge(
    "docvigil_miss_bound",
    "Of the documents cleared by the model in production, the share with a missed defect of a check, at most",
    ["check"],
    multiprocess_mode="mostrecent",
)
DRIFT = Gauge(
    "docvigil_drift", "Population stability index of a check's confidences", ["check"], multiprocess_mode="mostrecent"
)
TRIAL = Gauge(
    "docvigil_trial", "Documents of the version on trial, and its errors", ["what"], multiprocess_mode="mostrecent"
)
MOVES = Counter("docvigil_model_moves", "Versions on trial that the guard moved, by where to", ["stage"])
SHADOWED = Counter(
    "docvigil_shadow_scans", "Scans that a version in shadow has read as well, by what came of it", ["outcome"]
)
QUESTIONS = Counter("docvigil_questions", "Questions put to the model")
UNTOUCHED = Counter("docvigil_untouched", "Fields that show nothing but their blank, so that nothing was asked")
DUE = Gauge(
    "docvigil_cases_due", "Documents overdue for a decision, and due soon", ["state"], multiprocess_mode="mostrecent"
)
WAITING = Gauge("docvigil_waiting", "Scans that no worker has taken up", ["stage"], multiprocess_mode="mostrecent")
PUBLISHED = Counter("docvigil_published", "Scans put on a queue, once more after a loss", ["stage"])
SENT = Counter("docvigil_calendar_sent", "Tasks started by the calendar", ["task"])
MESSAGES = Counter("docvigil_webhook_messages", "Messages to webhooks by what became of an attempt", ["outcome"])
TRAININGS = Gauge("docvigil_trainings", "Trainings by how far they are", ["stage"], multiprocess_mode="mostrecent")
TRAINING_STEPS = Gauge(
    "docvigil_training_steps",
    "Steps of the training under way, done and in all",
    ["of"],
    multiprocess_mode="mostrecent",
)
TRAINING_LOSS = Gauge(
    "docvigil_training_loss",
    "Newest loss of the training under way, on what it learns from and on what it is evaluated on",
    ["on"],
    multiprocess_mode="mostrecent",
)
TRAINED = Counter("docvigil_trainings_ended", "Trainings by how they ended", ["outcome"])
REAPED = Counter("docvigil_leases_reaped", "Scans taken back from lost workers", ["outcome"])


def trained(progress: Mapping[str, Any]) -> None:
    """How far the training under way is, as its records say it."""
    TRAINING_STEPS.labels("done").set(progress["step"])
    TRAINING_STEPS.labels("all").set(progress["steps"])
    for of in ("loss", "evaluation"):
        if progress[of] is not None:
            TRAINING_LOSS.labels(of).set(progress[of])


class Outcome:
    """What became of a task: the task sets `name`."""

    def __init__(self) -> None:
        #: A word of `workers.stages`; this one when the task itself broke.
        self.name = "broken"


def bound(lease: Lease, model: str | None) -> dict[str, object]:
    """The ids that every log line about a piece of work carries."""
    ids: dict[str, object] = {
        "stage": lease.stage,
        "scan": lease.scan_id,
        "document": lease.document_id,
        "arrival": lease.arrival_id,
        "token": lease.token,
    }
    return ids if model is None else {**ids, "model": model}


@contextmanager
def task(lease: Lease, model: str | None, **ids: object) -> Iterator[Outcome]:
    """Binds the ids to every log line of the block, counts it and times it. `model` is the version that answers in
    this process, None where none does."""
    stage = lease.stage
    outcome = Outcome()
    started = time.perf_counter()
    STARTED.labels(stage).inc()
    with structlog.contextvars.bound_contextvars(**bound(lease, model), **ids):
        try:
            yield outcome
        finally:
            seconds = time.perf_counter() - started
            FINISHED.labels(stage, outcome.name).inc()
            SECONDS.labels(stage).observe(seconds)
            level = log.info if outcome.name == "done" else log.warning
            level(f"{stage}.{outcome.name}", seconds=round(seconds, 3))


def serve(port: int, host: str, folder: Path | None = None) -> None:
    """Offers the metrics at http://HOST:PORT/metrics, from a thread of its own. Raises OSError where the port is taken.

    What processes with `PROMETHEUS_MULTIPROC_DIR` wrote into that folder is added up, the ended ones included; `folder`
    names another.
    """
    registry, shared = REGISTRY, folder or os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if shared:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(shared))  # type: ignore[no-untyped-call]
    start_http_server(port, addr=host, registry=registry)
    log.info("metrics.offered", port=port)
