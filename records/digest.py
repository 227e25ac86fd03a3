"""The daily digest: what it counts, and that it goes out once a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from records import tallies
from records.desk_tables import Case, Delivery, Digest
from records.tables import Document


@dataclass(frozen=True, slots=True)
class Counted:
    """Numbers only. `waiting` to `dead_messages` as of now; `decided` and `late` in the time before."""

    waiting: int
    overdue: int
    soon: int
    quarantined: int
    in_flight: int
    dead_messages: int
    decided: int
    late: int


def counted(session: Session, since: datetime, until: datetime) -> Counted:
    """What waits now, and what was decided from `since` until before `until`."""
    due = tallies.due(session)
    decided, late = session.execute(
        select(func.count(), func.count().filter(Case.decided_at > Case.due_at)).where(
            Case.decided_at >= since, Case.decided_at < until
        )
    ).one()
    standing = {status: _documents(session, status) for status in ("quarantined", "in_flight")}
    return Counted(
        waiting=sum(tallies.counts(session)["stage"].values()),
        overdue=due["overdue"],
        soon=due["soon"],
        quarantined=standing["quarantined"],
        in_flight=standing["in_flight"],
        dead_messages=session.scalar(select(func.count()).select_from(Delivery).where(Delivery.status == "dead")) or 0,
        decided=decided,
        late=late,
    )


def first_today(session: Session, day: date) -> bool:
    """Whether this day's digest has not gone out: noted in this transaction. A second sender waits."""
    done = session.scalar(upsert(Digest).values(day=day).on_conflict_do_nothing().returning(Digest.day))
    return done is not None


def _documents(session: Session, status: str) -> int:
    return session.scalar(select(func.count()).select_from(Document).where(Document.status == status)) or 0
