"""Starting scans of documents that are known; the first of a new one comes into being with it (`records/intake.py`)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import Session, aliased, sessionmaker

from records import cases
from records.audit import event
from records.tables import Document, Outbox, Scan, scan_ids
from records.words import Refused, Versions


def start(session: Session, document_id: str, *, cause: str, arrival_id: int, judged_on: date) -> int:
    """A new scan of a document whose row the caller holds locked, and its place in the queue; the document is in
    flight again."""
    scan_id = session.scalar(select(scan_ids.next_value())) or 0
    number = 1 + (session.scalar(select(func.max(Scan.number)).where(Scan.document_id == document_id)) or 0)
    priority = session.execute(
        update(Document)
        .where(Document.id == document_id)
        .values(
            status="in_flight",
            scan_id=scan_id,
            reason=None,
            verdict_at=None,
            reviewed_at=None,
            updated_at=func.now(),
        )
        .returning(Document.priority)
    ).scalar_one()
    cases.supersede(session, document_id)
    session.execute(
        insert(Scan).values(
            id=scan_id,
            document_id=document_id,
            number=number,
            arrival_id=arrival_id,
            cause=cause,
            judged_on=judged_on,
        )
    )
    session.execute(insert(Outbox).values(scan_id=scan_id, queue="prepare", priority=priority))
    return scan_id


def retry(session: Session, document_id: str, *, actor: str) -> int:
    """Scan a document again, whatever its verdict; the id of the new scan.

    Dates are judged as of the same day as before. Raises LookupError, and Refused while a scan is in flight.
    """
    one = session.execute(
        select(Document.status, Document.scan_id).where(Document.id == document_id).with_for_update(key_share=True)
    ).one_or_none()
    if one is None:
        raise LookupError(f"there is no document {document_id}")
    if one.status == "in_flight":
        raise Refused(f"document {document_id[:12]} is being scanned already; wait for its verdict")
    # Read by itself: a join would not see the scan that whoever held the lock before has just started.
    last = session.execute(select(Scan.arrival_id, Scan.judged_on).where(Scan.id == one.scan_id)).one()
    scan_id = start(session, document_id, cause="retry", arrival_id=last.arrival_id, judged_on=last.judged_on)
    event(session, "retry", document_id, actor=actor, scan=scan_id)
    return scan_id


def rescan(
    session: Session,
    versions: Versions,
    *,
    actor: str,
    doctype: str | None = None,
    since: datetime | None = None,
    only: Collection[str] | None = None,
    after: str = "",
    limit: int = 500,
) -> tuple[int, str | None]:
    """Scan documents again that these versions have never judged: those of a type, those first seen `since`, `only`
    those with these ids, or all.

    One batch in the order of ids from `after`; returns how many scans were started and where to go on, None at the
    end. Documents in flight and quarantined are left alone.
    """
    query = (
        select(Document.id, Scan.arrival_id, Scan.judged_on)
        .join(Scan, Scan.id == Document.scan_id)
        .where(Document.id > after, _never_judged(versions))
        .order_by(Document.id)
        .limit(limit)
        .with_for_update(of=Document, key_share=True)
    )
    if doctype is not None:
        query = query.where(Scan.document_types.contains([doctype]))
    if since is not None:
        query = query.where(Document.created_at >= since)
    if only is not None:
        query = query.where(Document.id.in_(only))
    rows = session.execute(query).all()
    for row in rows:
        scan_id = start(session, row.id, cause="rescan", arrival_id=row.arrival_id, judged_on=row.judged_on)
        event(session, "rescan", row.id, actor=actor, scan=scan_id)
    return len(rows), rows[-1].id if len(rows) == limit else None


def judged_otherwise(session: Session, versions: Versions, only: Collection[str]) -> int:
    """How many of these documents have a verdict, but none of these versions'."""
    counted = select(func.count()).select_from(Document).where(Document.id.in_(only), _never_judged(versions))
    return session.scalar(counted) or 0


def _never_judged(versions: Versions) -> ColumnElement[bool]:
    """Of documents with a verdict those that these versions have never given one."""
    earlier = aliased(Scan)
    judged = (
        select(earlier.id)
        .where(
            earlier.document_id == Document.id,
            earlier.model_version == versions.model,
            earlier.rules_version == versions.rules,
            earlier.doctypes_version == versions.doctypes,
        )
        .exists()
    )
    return Document.status.in_(["clear", "flagged"]) & ~judged


def rescan_all_cleared(sessions: sessionmaker[Session], model_version: str, *, actor: str, batch: int = 500) -> int:
    """Scan all documents again that stay cleared by this model version, a batch a transaction; how many. Where it is
    interrupted, the same call does the rest."""
    again = 0
    while True:
        with sessions.begin() as session:
            started = rescan_cleared(session, model_version, actor=actor, limit=batch)
        if not started:
            return again
        again += started


def rescan_cleared(session: Session, model_version: str, *, actor: str, limit: int = 500) -> int:
    """Scan documents again whose newest scan is by this model version and cleared them; how many, `limit` at most."""
    rows = session.execute(
        select(Document.id, Scan.arrival_id, Scan.judged_on)
        .join(Scan, Scan.id == Document.scan_id)
        .where(Scan.model_version == model_version, Scan.verdict == "clear", Document.status == "clear")
        .order_by(Document.id)
        .limit(limit)
        .with_for_update(of=Document, key_share=True)
    ).all()
    for row in rows:
        scan_id = start(session, row.id, cause="rescan", arrival_id=row.arrival_id, judged_on=row.judged_on)
        event(session, "rescan", row.id, actor=actor, scan=scan_id)
    return len(rows)


def set_priority(session: Session, document_id: str, priority: int, *, actor: str) -> None:
    """Move a document forward or back in every queue; a higher number goes first. Raises LookupError."""
    if not write_priority(session, document_id, priority):
        raise LookupError(f"there is no document {document_id}")
    event(session, "priority", document_id, actor=actor, priority=priority)


def write_priority(session: Session, document_id: str, priority: int) -> bool:
    """Write a document's priority, also on its place in the queue; False where there is none."""
    # Workers lock scan, place in the queue and document in this order; so do we.
    session.execute(
        update(Outbox)
        .where(Outbox.scan_id == select(Document.scan_id).where(Document.id == document_id).scalar_subquery())
        .values(priority=priority)
    )
    found = session.scalar(
        update(Document).where(Document.id == document_id).values(priority=priority).returning(Document.id)
    )
    cases.write_priority(session, document_id, priority)
    return found is not None
