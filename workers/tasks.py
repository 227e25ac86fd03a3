"""The tasks: take up a lease, carry out a stage, say what became of it.

A task never raises for what happens to a document: it is written to Postgres, and the message is done with. What must
be tried again comes back through the outbox.
"""

from __future__ import annotations

from typing import Any

import structlog
from celery import Celery

from records import database, handing
from workers import alone, observe
from workers.anchor import anchor_head
from workers.outages import outage
from workers.retention import expire_examples
from workers.stages import STAGES, Stage, carry_out
from workers.station import Station, station

log = structlog.get_logger(__name__)


def register(app: Celery) -> None:
    """Adds the tasks to an application."""

    @app.task(name="docvigil.prepare", bind=True)
    def prepare(self: Any, scan_id: int) -> None:
        perform(station(), scan_id, "prepare", STAGES["prepare"], task=self.request.id)

    @app.task(name="docvigil.infer", bind=True)
    def infer(self: Any, scan_id: int) -> None:
        perform(station(), scan_id, "infer", STAGES["infer"], task=self.request.id)

    @app.task(name="docvigil.alone", bind=True)
    def run_alone(self: Any, scan_id: int, stage: str) -> None:
        perform(station(), scan_id, stage, alone.supervise, alone=True, task=self.request.id)

    @app.task(name="docvigil.anchor")
    def anchor() -> None:
        anchor_head(station())

    @app.task(name="docvigil.expire")
    def expire() -> None:
        expire_examples(station())


def perform(station: Station, scan_id: int, name: str, stage: Stage, *, alone: bool = False, **ids: object) -> None:
    """Takes up a stage of a scan, and does it. A message that comes twice, or too late, does nothing."""
    seconds = station.config.lease_seconds
    try:
        with database.at_once(station.sessions) as session:
            lease = handing.take(session, scan_id, name, station.owner, seconds, alone=alone)
    except Exception as error:
        if not outage(error):
            raise
        # The id is still in the outbox; the relay publishes it again.
        log.warning("task.not_taken_up", scan=scan_id, stage=name, error=type(error).__name__)
        return
    if lease is None:
        log.debug("task.nothing_to_do", scan=scan_id, stage=name)
        return
    model = None if station.fleet is None else station.fleet.version_for(lease.document_id)
    with (
        observe.task(lease, model, alone=alone, **ids) as outcome,
        station.heartbeat.holding((lease.scan_id, lease.token)) as work,
    ):
        outcome.name = carry_out(station, lease, work, stage)
