"""The process that trains: takes a training up when it is rung, and carries it out under its lease.

A ring says no more than that there may be something to do. Each time what the calendar has due is asked for first, so
that a ring which is lost costs nothing but time, and one too many does nothing.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Collection
from datetime import UTC, datetime

import structlog
from celery import Celery
from sqlalchemy.orm import Session, sessionmaker

from records import database, trainings
from records.objects import ObjectStore, open_store
from records.traces import where
from records.trainings import TrainingLease
from workers import observe, programs
from workers.config import TrainingConfig, WorkerConfig
from workers.course import Course
from workers.files import Files, sweep
from workers.heartbeat import Heartbeat, Held, LeaseLost, Work
from workers.outages import Backoff, outage
from workers.quarters import last_due

log = structlog.get_logger(__name__)


class Trainer:
    """What the training process works with, and its one loop. `stop` makes it give back what it has in hand."""

    def __init__(self, config: WorkerConfig, training: TrainingConfig, stop: threading.Event) -> None:
        self._config, self._training, self._stop = config, training, stop
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._engine = database.engine(config.database_url, pool_size=2)
        self._sessions: sessionmaker[Session] = database.sessions(self._engine)
        self._store: ObjectStore = open_store(config.object_store, endpoint_url=config.object_store_endpoint)
        self._heartbeat = Heartbeat(
            self._renew,
            every=config.heartbeat_seconds,
            stall=training.stall_seconds,
            hang=2 * training.stall_seconds,
        )

    def begin(self) -> None:
        """Asks for what fell due while nothing trained. With the database away the first ring does it."""
        try:
            self.ask_due()
        except Exception as error:
            if not outage(error):
                raise
            log.warning("training.not_asked", error=type(error).__name__)

    def ask_due(self, now: datetime | None = None) -> int | None:
        """Asks for the training that the calendar has due, unless it was asked for before; its number."""
        if self._config.retrain_at is None:
            return None
        due = last_due(self._config.retrain_at, self._config.timezone, now or datetime.now(UTC))
        if due is None:
            return None
        with self._sessions.begin() as session:
            number = trainings.ask_scheduled(session, due, due.date())
        if number is not None:
            log.info("training.due", training=number, due_on=due.date().isoformat())
        return number

    def work(self) -> int:
        """Carries out trainings as long as there are any; how many it had in hand."""
        taken = 0
        while not self._stop.is_set():
            self.ask_due()
            self._sweep()
            with self._sessions.begin() as session:
                lease = trainings.take(session, self.owner, self._config.lease_seconds)
            if lease is None:
                break
            taken += 1
            self._carry_out(lease)
        return taken

    def _carry_out(self, lease: TrainingLease) -> None:
        with (
            structlog.contextvars.bound_contextvars(training=lease.id, token=lease.token),
            self._heartbeat.holding((lease.id, lease.token)) as work,
        ):
            log.info("training.taken", stage=lease.stage, cause=lease.cause)
            outcome = self._outcome(lease, work)
            observe.TRAINED.labels(outcome).inc()
            log.info(f"training.{outcome}")

    def _outcome(self, lease: TrainingLease, work: Work) -> str:
        course = Course(self._training, self._sessions, self._store, lease, work, self._stop)
        backoff = Backoff()
        while True:
            try:
                return course.run()
            except LeaseLost:
                return "lost"
            except programs.Asked:
                self._release(lease)
                return "given_back"
            except Exception as error:  # noqa: BLE001 — whatever it is, the training ends and says so.
                # A file that isn't there won't be there later either.
                if not outage(error) or isinstance(error, FileNotFoundError):
                    log.error("training.broke", training=lease.id, error=type(error).__name__, where=where(error))
                    return self._failed(lease, error)
                wait = backoff.next()
                log.warning("training.waiting", error=type(error).__name__, seconds=round(wait, 1))
                self._stop.wait(wait)
                if self._stop.is_set():
                    return "given_back"

    def _failed(self, lease: TrainingLease, error: Exception) -> str:
        why = str(error) if isinstance(error, programs.Failed) else f"The training broke: {type(error).__name__}."
        with self._sessions.begin() as session:
            return "failed" if trainings.finish(session, lease, "failed", error=why) else "lost"

    def _release(self, lease: TrainingLease) -> None:
        try:
            with self._sessions.begin() as session:
                trainings.release(session, lease)
        except Exception as error:
            if not outage(error):
                raise
            # The lease runs out by itself.
            log.warning("training.not_released", error=type(error).__name__)

    def _sweep(self) -> None:
        with self._sessions.begin() as session:
            left = trainings.unfinished(session)
        sweep(self._training.folder, [Files(self._training.folder, one.id, one.created_at) for one in left])

    def _renew(self, held: Collection[Held]) -> set[Held]:
        with self._sessions.begin() as session:
            return trainings.renew(session, list(held), self.owner, self._config.lease_seconds)

    def close(self) -> None:
        self._heartbeat.stop()
        self._engine.dispose()


def register(app: Celery, trainer: Trainer) -> None:
    """Adds the task to an application."""

    # What is lost with a worker is rung for again by the relay: nothing is gained by keeping the message for days.
    @app.task(name="docvigil.retrain", acks_late=False)
    def retrain() -> None:
        try:
            trainer.work()
        except Exception as error:
            if not outage(error):
                raise
            log.warning("training.not_taken_up", error=type(error).__name__)
