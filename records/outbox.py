"""The relay's side of the queues: which scans to publish next, and which to publish again."""

from __future__ import annotations

from sqlalchemy import func, select, text, true, update
from sqlalchemy.orm import Session

from records.tables import QUEUES, Document, Outbox
from records.words import Entry, Pending

#: The queues, each with whether its scans run alone.
_LANES = [(queue, alone) for queue in QUEUES for alone in (False, True)]

#: A window of whose places fewer than one in so many are free is nearly full.
NEARLY = 4

#: Made once: making it takes longer than asking it.
_WAITING = select(
    *(
        select(Outbox.scan_id)
        .where(
            Outbox.queue == queue,
            Outbox.alone.is_(alone),
            Outbox.published_at.is_(None),
            Outbox.not_before <= func.now(),
        )
        .exists()
        for queue, alone in _LANES
    )
)


def lanes(session: Session) -> list[tuple[str, bool]]:
    """The queues, each with whether its scans run alone, in which something waits to be published now.

    One cheap question, so that a relay may ask it all day.
    """
    found = session.execute(_WAITING).one()
    return [lane for lane, waiting in zip(_LANES, found, strict=True) if waiting]


def publishable(session: Session, queue: str, window: int, *, alone: bool = False) -> list[Entry]:
    """Mark as published and return the next scans of a queue, by priority, then age: as many as keep the published
    ones that nobody has taken up at `window` at most.

    Those of a priority above 0 may be as many again, so that they needn't wait until one of the others is taken up;
    and those that must run `alone` have a window of their own. A window that is nearly full is left alone: filling up a
    place at a time costs as much as filling up several. Commit before sending anything; a message lost
    afterwards is published again by `expire_published`.
    """
    # One relay at a time counts a queue's window; the second finds nothing and comes back.
    key = f"docvigil.publish.{queue}.{alone}"
    if not session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(key, 0)))):
        return []
    of_queue = (Outbox.queue == queue, Outbox.alone.is_(alone))
    waiting = (*of_queue, Outbox.published_at.is_(None), Outbox.not_before <= func.now())
    out = (
        select(Outbox.priority)
        .where(*of_queue, Outbox.published_at.is_not(None), Outbox.taken_at.is_(None))
        .limit(2 * window)
        .subquery()
    )
    above = out.c.priority > 0
    published, hurried, hurry = session.execute(
        select(
            func.count(),
            func.count().filter(above),
            select(Outbox.scan_id).where(*waiting, Outbox.priority > 0).exists(),
        ).select_from(out)
    ).one()
    room, urgent = window - published, False
    if room < max(1, window // NEARLY) and not alone:
        room, urgent = window - hurried if hurry else 0, True
    if room <= 0:
        return []
    chosen = (
        select(Outbox.scan_id)
        .where(*waiting, Outbox.priority > 0 if urgent else true())
        .order_by(Outbox.priority.desc(), Outbox.created_at, Outbox.scan_id)
        .limit(room)
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    rows = session.execute(
        update(Outbox)
        .where(Outbox.scan_id == chosen.c.scan_id)
        .where(Document.scan_id == Outbox.scan_id)
        .values(published_at=func.now())
        .returning(Outbox.scan_id, Document.id, Outbox.queue, Outbox.priority, Outbox.alone, Outbox.created_at)
    ).all()
    # UPDATE returns rows in any order.
    ordered = sorted(rows, key=lambda row: (-row.priority, row.created_at, row.scan_id))
    return [Entry(row.scan_id, row.id, row.queue, row.priority, row.alone) for row in ordered]


def expire_published(session: Session, older_than_seconds: float) -> int:
    """Let scans be published again that were published so long ago and never taken up; how many."""
    stale = (
        select(Outbox.scan_id)
        .where(
            Outbox.published_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, older_than_seconds),
            Outbox.taken_at.is_(None),
        )
        .with_for_update(skip_locked=True)
    )
    done = session.execute(
        update(Outbox).where(Outbox.scan_id.in_(stale)).values(published_at=None).returning(Outbox.scan_id)
    )
    return len(done.all())


def pending(session: Session) -> dict[str, Pending]:
    """What stands in each queue."""
    rows = session.execute(
        text("""
            SELECT queue,
                   count(*) FILTER (WHERE published_at IS NULL) AS waiting,
                   count(*) FILTER (WHERE published_at IS NOT NULL AND taken_at IS NULL) AS published,
                   count(*) FILTER (WHERE taken_at IS NOT NULL) AS taken,
                   extract(epoch FROM now() - min(created_at) FILTER (WHERE taken_at IS NULL))::float8 AS oldest
              FROM outbox GROUP BY queue
        """)
    )
    found = {row.queue: Pending(row.queue, row.waiting, row.published, row.taken, row.oldest) for row in rows}
    return {queue: found.get(queue, Pending(queue, 0, 0, 0, None)) for queue in ("prepare", "infer")}
