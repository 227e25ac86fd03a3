"""Lists for programs, page by page: queue, documents, findings; and what changes whenever a document's state does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.orm import Session

from records import desk
from records.canonical import digest
from records.desk_filters import ALL, Filters
from records.desk_words import CaseItem
from records.queue import finding_view
from records.tables import Document, Finding, Review, Scan
from records.words import FindingView, Page, QueueItem


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A document in a list."""

    id: str
    size: int
    media_type: str
    status: str
    reason: str | None
    priority: int
    document_types: tuple[str, ...]
    created_at: datetime
    verdict_at: datetime | None
    reviewed_at: datetime | None


@dataclass(frozen=True, slots=True)
class FindingLine:
    """A finding in a list, with the document it is about."""

    document_id: str
    finding: FindingView


def queue(
    session: Session, *, filters: Filters = ALL, decided: bool = False, after: str | None = None, limit: int = 50
) -> Page[QueueItem]:
    """A page of the desk's queue as an operator sees it, whoever it is for: urgent ones first, then those that have
    waited longest. `decided`: also what waits no more. Raises ValueError for an `after` that is none."""
    page = desk.page(
        session, "", supervisor=True, filters=filters, sort="age", decided=decided, after=after, limit=limit
    )
    ids = [one.document_id for one in page.items]
    rows = session.execute(select(Document.id, Document.created_at).where(Document.id == func.any(ids)))
    arrived = {row.id: row.created_at for row in rows}
    checks = _checks(session, page.items)
    items = tuple(
        QueueItem(
            document_id=one.document_id,
            # Also of a clear one that was drawn, or opened again: somebody has to look.
            status="flagged",
            priority=one.priority,
            document_types=one.document_types,
            checks=tuple(dict.fromkeys(checks.get(one.document_id, ()))),
            findings=one.findings,
            undecided=one.undecided,
            arrived_at=arrived[one.document_id],
            verdict_at=one.verdict_at,
            reviewed_at=one.decided_at,
        )
        for one in page.items
    )
    return Page(items, page.after)


def documents(
    session: Session, *, status: str | None = None, after: str | None = None, limit: int = 50
) -> Page[DocumentLine]:
    """A page of documents, the newest first. Raises ValueError for an `after` that is none."""
    place = (Document.created_at, Document.id)
    query = select(Document, Scan.document_types).join(Scan, Scan.id == Document.scan_id)
    if status is not None:
        query = query.where(Document.status == status)
    if after is not None:
        query = query.where(tuple_(*place) < tuple_(*map(literal, _document_place(after))))
    rows = session.execute(query.order_by(*(one.desc() for one in place)).limit(limit + 1)).all()
    items = tuple(
        DocumentLine(
            id=one.id,
            size=one.size,
            media_type=one.media_type,
            status=one.status,
            reason=one.reason,
            priority=one.priority,
            document_types=tuple(types),
            created_at=one.created_at,
            verdict_at=one.verdict_at,
            reviewed_at=one.reviewed_at,
        )
        for one, types in rows[:limit]
    )
    more = f"{items[-1].created_at.isoformat()}~{items[-1].id}" if len(rows) > limit else None
    return Page(items, more)


def findings(
    session: Session,
    *,
    check: str | None = None,
    outcome: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[FindingLine]:
    """A page of findings of newest scans, in the order of scanning. Those that passed only where asked for by
    `outcome`. Raises ValueError for an `after` that is none."""
    place = (Finding.scan_id, Finding.id)
    query = select(Finding, Document.id).join(Document, Document.scan_id == Finding.scan_id)
    query = query.where(Finding.outcome != "pass") if outcome is None else query.where(Finding.outcome == outcome)
    if check is not None:
        query = query.where(Finding.check == check)
    if after is not None:
        query = query.where(tuple_(*place) > tuple_(*map(literal, _finding_place(after))))
    rows = session.execute(query.order_by(*place).limit(limit + 1)).all()
    shown = rows[:limit]
    reviews = {
        one.finding_id: one
        # In this order the latest of a finding is the one that stays.
        for one in session.scalars(
            select(Review).where(Review.finding_id == func.any([row.Finding.id for row in shown])).order_by(Review.id)
        )
    }
    items = tuple(FindingLine(row.id, finding_view(row.Finding, reviews.get(row.Finding.id))) for row in shown)
    more = f"{shown[-1].Finding.scan_id}~{shown[-1].Finding.id}" if len(rows) > limit else None
    return Page(items, more)


def document_of(session: Session, finding_id: int) -> str:
    """The document that a finding is about. Raises LookupError."""
    found = session.scalar(
        select(Scan.document_id).join(Finding, Finding.scan_id == Scan.id).where(Finding.id == finding_id)
    )
    if found is None:
        raise LookupError(f"there is no finding {finding_id}")
    return found


def state(session: Session, document_id: str, *, lock: bool = False) -> str:
    """Changes with every verdict and decision on a document: what an ETag says. `lock` holds the document until the
    transaction ends, so that what is decided on this state is decided once. Raises LookupError."""
    query = select(Document.status, Document.scan_id, Document.reviewed_at).where(Document.id == document_id)
    if lock:
        query = query.with_for_update(key_share=True)
    row = session.execute(query).one_or_none()
    if row is None:
        raise LookupError(f"there is no document {document_id}")
    last = session.scalar(
        select(func.max(Review.id)).join(Finding, Finding.id == Review.finding_id).where(Finding.scan_id == row.scan_id)
    )
    reviewed = None if row.reviewed_at is None else row.reviewed_at.isoformat()
    return digest([row.status, row.scan_id, reviewed, last])[:32]


def _checks(session: Session, items: Sequence[CaseItem]) -> dict[str, list[str]]:
    """The checks of the findings asked about, by document: anomalies first, and those of the highest confidence."""
    of = {number: one.document_id for one in items for number in one.asked}
    rows = session.execute(
        select(Finding.id, Finding.check)
        .where(Finding.id == func.any(list(of)))
        .order_by((Finding.outcome == "anomaly").desc(), Finding.confidence.desc(), Finding.id)
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(of[row.id], []).append(row.check)
    return found


def _document_place(after: str) -> tuple[datetime, str]:
    try:
        created_at, document_id = after.split("~")
        return datetime.fromisoformat(created_at), document_id
    except ValueError:
        raise _nowhere(after) from None


def _finding_place(after: str) -> tuple[int, int]:
    try:
        scan_id, finding_id = map(int, after.split("~"))
    except ValueError:
        raise _nowhere(after) from None
    if max(scan_id, finding_id) >= 2**63 or min(scan_id, finding_id) < 0:
        raise _nowhere(after)
    return scan_id, finding_id


def _nowhere(after: str) -> ValueError:
    return ValueError(f"{after!r} leads to no page of this list; use what the page before gave as `after`")
