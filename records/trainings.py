"""Trainings: asked for, taken up by one worker under a lease, finished by what the gate said.

One runs at a time, by an index as well as by a lock. A training whose worker was lost keeps its stage and is taken up
before any other; what was done stays in its folder and in `progress`. Functions that write under a lease return False
when it is no longer theirs (expired, or cancelled meanwhile); then nothing was written, and the worker drops its work.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Interval, and_, cast, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from records.audit import event
from records.learning_tables import FINISHED_STAGES, RUNNING_STAGES, Training
from records.privacy import masked
from records.tables import Event
from records.words import Refused

#: Asking and taking up are done one after another.
TRAININGS_LOCK = 0x64766967_00000007
#: A training that lost so many workers without a step forward between is given up.
MOST_LOST = 3


@dataclass(frozen=True, slots=True)
class TrainingLease:
    """The right to work on a training; every write names its token."""

    id: int
    owner: str
    token: int
    cause: str
    stage: str
    asked_by: str
    parent: str | None
    golden_set_id: int | None
    created_at: datetime
    progress: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TrainingView:
    """A training as it is recorded. `at_work`: a worker has it in hand now."""

    id: int
    cause: str
    asked_by: str
    due_on: date | None
    stage: str
    at_work: bool
    parent: str | None
    candidate: str | None
    golden_set_id: int | None
    progress: Mapping[str, Any]
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def finished(self) -> bool:
        return self.stage in FINISHED_STAGES


@dataclass(frozen=True, slots=True)
class LostTraining:
    """What became of a training whose worker was lost: `returned` or `failed`."""

    id: int
    owner: str
    outcome: str


def ask(session: Session, *, by: str, cause: str = "asked") -> int:
    """Ask for a training now; its id. Raises Refused while another waits or runs."""
    _lock(session)
    other = session.execute(
        select(Training.id, Training.stage).where(Training.stage.not_in(FINISHED_STAGES)).order_by(Training.id).limit(1)
    ).one_or_none()
    if other is not None:
        raise Refused(
            f"Training {other.id} is {'waiting' if other.stage == 'waiting' else 'under way'} already; wait for it "
            f"(docvigil trainings show {other.id}), or cancel it first."
        )
    number = session.execute(
        upsert(Training).values(cause=cause, asked_by=by).returning(Training.id),
    ).scalar_one()
    event(session, "training.asked", f"training:{number}", actor=by, cause=cause)
    return number


def ask_scheduled(session: Session, due_at: datetime, due_on: date) -> int | None:
    """Ask for the training that the calendar had due at that moment, of that day; its id.

    None where it was asked for before, however often the calendar rings, and where nothing was recorded here yet at
    that moment: a new instance doesn't make up for what was due before it was there.
    """
    _lock(session)
    began = session.scalar(select(Event.at).order_by(Event.id).limit(1))
    if began is None or began > due_at:
        return None
    number = session.scalar(
        upsert(Training)
        .values(cause="scheduled", asked_by="calendar", due_on=due_on)
        # The other side's condition must be named for its index to be found.
        .on_conflict_do_nothing(index_elements=["due_on"], index_where=Training.due_on.is_not(None))
        .returning(Training.id)
    )
    if number is not None:
        event(session, "training.asked", f"training:{number}", actor="calendar", cause="scheduled")
    return number


def take(session: Session, owner: str, lease_seconds: float) -> TrainingLease | None:
    """Take up the training that a lost worker left, or else the one that has waited longest; None where there is
    nothing to do, or one is in somebody's hands."""
    _lock(session)
    free = (
        select(Training.id)
        .where(Training.stage.not_in(FINISHED_STAGES), Training.lease_owner.is_(None))
        .where(
            Training.stage.in_(RUNNING_STAGES)
            | ~select(Training.id).where(Training.stage.in_(RUNNING_STAGES)).correlate(None).exists()
        )
        .order_by(Training.id)
        .limit(1)
        .scalar_subquery()
    )
    row = session.execute(
        update(Training)
        .where(Training.id == free)
        .values(
            lease_owner=owner,
            lease_expires_at=_from_now(lease_seconds),
            token=Training.token + 1,
            stage=func.replace(Training.stage, "waiting", "gathering"),
            started_at=func.coalesce(Training.started_at, func.now()),
        )
        .returning(
            Training.id,
            Training.lease_owner.label("owner"),
            Training.token,
            Training.cause,
            Training.stage,
            Training.asked_by,
            Training.parent,
            Training.golden_set_id,
            Training.created_at,
            Training.progress,
        )
    ).one_or_none()
    if row is None:
        return None
    event(session, "training.taken", f"training:{row.id}", token=row.token, stage=row.stage)
    return TrainingLease(**row._mapping)


def renew(
    session: Session, held: Collection[tuple[int, int]], owner: str, lease_seconds: float
) -> set[tuple[int, int]]:
    """Prolong leases, given as (training id, token); those that are still this owner's."""
    if not held:
        return set()
    rows = session.execute(
        update(Training)
        .where(tuple_(Training.id, Training.token).in_(list(held)), Training.lease_owner == owner)
        .values(lease_expires_at=_from_now(lease_seconds))
        .returning(Training.id, Training.token)
    )
    return {(row.id, row.token) for row in rows}


def advance(
    session: Session,
    lease: TrainingLease,
    stage: str,
    *,
    parent: str | None = None,
    golden_set_id: int | None = None,
    progress: Mapping[str, Any] | None = None,
) -> bool:
    """On to a stage of work, with what is known by then."""
    if stage not in RUNNING_STAGES:
        raise ValueError(f"{stage} is no stage of work; finish() ends a training")
    values: dict[str, Any] = {"stage": stage}
    values |= {"parent": parent} if parent is not None else {}
    values |= {"golden_set_id": golden_set_id} if golden_set_id is not None else {}
    if not _write(session, lease, progress or {}, **values):
        return False
    event(session, "training.advanced", f"training:{lease.id}", token=lease.token, stage=stage)
    return True


def tell(session: Session, lease: TrainingLease, progress: Mapping[str, Any]) -> bool:
    """Write down how far it is: these keys of `progress` are set, the others stay."""
    return _write(session, lease, progress)


def finish(
    session: Session,
    lease: TrainingLease,
    stage: str,
    *,
    error: str | None = None,
    candidate: str | None = None,
    progress: Mapping[str, Any] | None = None,
) -> bool:
    """End it: `passed` with its candidate, `refused` (too little data, or the gate's no) or `failed`, each with a
    sentence that says why."""
    if stage not in FINISHED_STAGES:
        raise ValueError(f"{stage} is no end of a training")
    done = _write(
        session,
        lease,
        progress or {},
        stage=stage,
        error=None if error is None else masked(error),
        candidate=candidate,
        finished_at=func.now(),
        lease_owner=None,
        lease_expires_at=None,
    )
    if done:
        event(session, "training.finished", f"training:{lease.id}", stage=stage, candidate=candidate)
    return done


def release(session: Session, lease: TrainingLease) -> bool:
    """Give it back as it is, for instance when a worker is asked to stop: it is the next to be taken up."""
    return _write(session, lease, {}, lease_owner=None, lease_expires_at=None)


def cancel(session: Session, number: int, *, by: str) -> None:
    """End a training that waits or runs; its worker notices at the next heartbeat. Raises LookupError for an unknown
    one and Refused for one that has ended."""
    row = session.execute(select(Training.stage).where(Training.id == number).with_for_update()).one_or_none()
    if row is None:
        raise LookupError(f"there is no training {number}")
    if row.stage in FINISHED_STAGES:
        raise Refused(f"Training {number} has ended already ({row.stage}).")
    session.execute(
        update(Training)
        .where(Training.id == number)
        .values(stage="cancelled", finished_at=func.now(), lease_owner=None, lease_expires_at=None)
    )
    event(session, "training.finished", f"training:{number}", actor=by, stage="cancelled")


def reap(session: Session, *, grace_seconds: float = 0.0) -> list[LostTraining]:
    """Take trainings back whose lease has run out: they can be taken up again, and go on where they were.

    One that lost several workers without a step forward between would lose the next one too, and fails. Within
    `grace_seconds` of the database's own start nothing is taken back: its outage kept the worker from renewing.
    """
    rows = session.execute(
        select(Training.id, Training.lease_owner, Training.progress)
        .where(
            Training.lease_owner.is_not(None),
            Training.lease_expires_at < func.clock_timestamp(),
            func.clock_timestamp() > func.pg_postmaster_start_time() + _seconds(grace_seconds),
        )
        .with_for_update(skip_locked=True)
    ).all()
    lost = []
    for row in rows:
        times = int(row.progress.get("lost", 0)) + 1
        values: dict[str, Any] = {"lease_owner": None, "lease_expires_at": None}
        outcome = "returned"
        if times >= MOST_LOST:
            outcome = "failed"
            reason = (
                f"The worker was lost {times} times without a step forward; give it more memory "
                "(DOCVIGIL_RETRAIN_MEMORY_BYTES), or look at its log."
            )
            values |= {"stage": "failed", "error": reason, "finished_at": func.now()}
        merged = Training.progress.op("||")(cast({"lost": times}, JSONB))
        session.execute(update(Training).where(Training.id == row.id).values(progress=merged, **values))
        event(session, f"training.{'lost' if outcome == 'returned' else 'finished'}", f"training:{row.id}", lost=times)
        lost.append(LostTraining(row.id, row.lease_owner, outcome))
    return lost


def waits(session: Session) -> bool:
    """Whether a training could be taken up now."""
    runs = select(Training.id).where(Training.stage.in_(RUNNING_STAGES))
    return bool(
        session.scalar(
            select(
                or_(
                    runs.where(Training.lease_owner.is_(None)).exists(),
                    and_(select(Training.id).where(Training.stage == "waiting").exists(), ~runs.exists()),
                )
            )
        )
    )


def get(session: Session, number: int) -> TrainingView:
    """Raises LookupError for an unknown one."""
    row = session.get(Training, number)
    if row is None:
        raise LookupError(f"there is no training {number}")
    return _view(row)


def latest(session: Session, limit: int = 50) -> list[TrainingView]:
    """The newest trainings first."""
    return [_view(row) for row in session.scalars(select(Training).order_by(Training.id.desc()).limit(limit))]


def unfinished(session: Session) -> list[TrainingView]:
    """Those that wait or run; the oldest first."""
    rows = session.scalars(select(Training).where(Training.stage.not_in(FINISHED_STAGES)).order_by(Training.id))
    return [_view(row) for row in rows]


def counts(session: Session) -> dict[str, int]:
    """How many trainings there are at each stage that has any."""
    rows = session.execute(select(Training.stage, func.count().label("number")).group_by(Training.stage))
    return {row.stage: row.number for row in rows}


def _view(row: Training) -> TrainingView:
    return TrainingView(
        id=row.id,
        cause=row.cause,
        asked_by=row.asked_by,
        due_on=row.due_on,
        stage=row.stage,
        at_work=row.lease_owner is not None,
        parent=row.parent,
        candidate=row.candidate,
        golden_set_id=row.golden_set_id,
        progress=row.progress,
        error=row.error,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _write(session: Session, lease: TrainingLease, progress: Mapping[str, Any], **values: Any) -> bool:
    """Set columns and keys of progress, where the lease is still the newest and unreaped."""
    if progress:
        values["progress"] = Training.progress.op("||")(cast(dict(progress), JSONB))
    held = session.scalar(
        update(Training)
        .where(Training.id == lease.id, Training.token == lease.token, Training.lease_owner == lease.owner)
        .values(**values)
        .returning(Training.id)
    )
    return held is not None


def _lock(session: Session) -> None:
    session.execute(select(func.pg_advisory_xact_lock(TRAININGS_LOCK)))


def _seconds(seconds: float) -> Any:
    return cast(literal(f"{seconds:.3f} seconds"), Interval)


def _from_now(seconds: float) -> Any:
    # The clock and not the transaction's start: a lease counts from the moment it is written.
    return func.clock_timestamp() + _seconds(seconds)
