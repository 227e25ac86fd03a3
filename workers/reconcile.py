"""The reconciler: work of lost workers goes back to the queue, and events are appended to the audit chain.

A loop of its own, and no Celery task: it must go on while Redis is away. Several may run; both jobs lock in Postgres.
"""

from __future__ import annotations

import threading
import time

import structlog
from sqlalchemy.orm import Session, sessionmaker

from pipeline.desk import DeskRules
from records import audit, database, leases, selection, tallies, trainings
from records.learning_tables import TRAINING_STAGES
from records.trainings import LostTraining
from records.words import Reaped
from workers import observe
from workers.config import WorkerConfig
from workers.guard import guard_once, watch_once
from workers.outages import Backoff, outage

log = structlog.get_logger(__name__)


def reap_once(config: WorkerConfig, sessions: sessionmaker[Session]) -> list[Reaped]:
    """Gives back what expired leases held.

    A lease's length after the database started nothing is taken back: its outage kept workers from renewing.
    """
    with sessions.begin() as session:
        reaped = leases.reap(session, grace_seconds=config.lease_seconds)
    for one in reaped:
        observe.REAPED.labels(one.outcome).inc()
        log.warning(
            "lease.expired",
            scan=one.scan_id,
            document=one.document_id,
            stage=one.stage,
            owner=one.owner,
            deaths=one.deaths,
            outcome=one.outcome,
        )
    return reaped


def return_trainings_once(config: WorkerConfig, sessions: sessionmaker[Session]) -> list[LostTraining]:
    """Gives back the training of a lost worker, and counts trainings by how far they are."""
    with sessions.begin() as session:
        lost = trainings.reap(session, grace_seconds=config.lease_seconds)
        counts = trainings.counts(session)
    for stage in TRAINING_STAGES:
        observe.TRAININGS.labels(stage).set(counts.get(stage, 0))
    for one in lost:
        observe.REAPED.labels(f"training {one.outcome}").inc()
        log.warning("training.lost", training=one.id, owner=one.owner, outcome=one.outcome)
    return lost


def chain_once(sessions: sessionmaker[Session]) -> int:
    """Appends waiting events to the audit chain; how many."""
    with database.at_once(sessions) as session:
        if not audit.unchained(session):
            return 0
    with sessions.begin() as session:
        return audit.chain_once(session)


def count_once(sessions: sessionmaker[Session]) -> None:
    """Keeps what the desk's queue counts short, and tells how many documents are overdue."""
    with sessions.begin() as session:
        tallies.fold(session)
        due = tallies.due(session)
    for state, number in due.items():
        observe.DUE.labels(state).set(number)


def select_once(config: WorkerConfig, sessions: sessionmaker[Session]) -> int:
    """Puts the documents of yesterday that teach most before people; how many."""
    with sessions.begin() as session:
        chosen = selection.choose(session, DeskRules.model_validate(config.desk), config.timezone)
    if chosen:
        log.info("documents.selected", documents=len(chosen))
    return len(chosen)


def run(config: WorkerConfig, stop: threading.Event) -> None:
    """Reconciles until `stop` is set; the database being away doesn't end it."""
    engine = database.engine(config.database_url, pool_size=1, ping=False)
    sessions, backoff = database.sessions(engine), Backoff()
    reap_at, guard_at, watch_at = 0.0, 0.0, 0.0
    log.info("reconcile.started", every_seconds=config.reconcile_seconds)
    try:
        while not stop.is_set():
            wait = config.chain_seconds
            try:
                if chain_once(sessions) >= audit.AT_ONCE:
                    # More are waiting than one round takes.
                    wait = 0.0
                if time.monotonic() >= reap_at:
                    reap_once(config, sessions)
                    return_trainings_once(config, sessions)
                    count_once(sessions)
                    reap_at = time.monotonic() + config.reconcile_seconds
                if time.monotonic() >= guard_at:
                    guard_once(config, sessions)
                    guard_at = time.monotonic() + config.guard_seconds
                if time.monotonic() >= watch_at:
                    watch_once(config, sessions)
                    select_once(config, sessions)
                    watch_at = time.monotonic() + config.watch_seconds
                backoff.reset()
            except Exception as error:
                if not outage(error):
                    raise
                wait = backoff.next()
                # Workers that couldn't reach the database either get time to renew what they hold.
                reap_at = time.monotonic() + config.lease_seconds
                log.warning("reconcile.waiting", error=type(error).__name__, seconds=round(wait, 1))
            stop.wait(wait)
    finally:
        engine.dispose()
    log.info("reconcile.stopped")
