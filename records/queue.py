"""What people look at: the queue of flagged documents, and one document with everything about it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, literal, select, tuple_
from sqlalchemy.orm import Session, aliased

from pipeline.geometry import Box
from records.tables import Arrival, Document, Finding, Review, Scan, Source
from records.words import (
    ArrivalView,
    DocumentView,
    FindingView,
    Page,
    QueueItem,
    Refused,
    ReviewView,
    ScanView,
)

#: Signs of an id that a person must give at least.
SHORTEST_PREFIX = 4


def flagged(
    session: Session,
    *,
    check: str | None = None,
    doctype: str | None = None,
    older_than: timedelta | None = None,
    newer_than: timedelta | None = None,
    reviewed: bool = False,
    after: str | None = None,
    limit: int = 50,
) -> Page[QueueItem]:
    """A page of flagged documents, urgent ones first, then those that have waited longest.

    `check`: with a finding of that check that didn't pass; `doctype`: with a form of that type; `older_than` and
    `newer_than`: by the time since the verdict; `reviewed`: also those with every finding decided. `after` is the
    page before's. Raises ValueError for an `after` that is none.
    """
    place = (-Document.priority, Document.verdict_at, Document.id)
    query = select(Document, Scan.document_types).join(Scan, Scan.id == Document.scan_id)
    query = query.where(Document.status == "flagged")
    if not reviewed:
        query = query.where(Document.reviewed_at.is_(None))
    if check is not None:
        found = select(Finding.scan_id).where(Finding.check == check, Finding.outcome != "pass")
        query = query.where(Document.scan_id.in_(found))
    if doctype is not None:
        query = query.where(Scan.verdict == "flagged", Scan.document_types.contains([doctype]))
    if older_than is not None:
        query = query.where(Document.verdict_at <= func.now() - older_than)
    if newer_than is not None:
        query = query.where(Document.verdict_at >= func.now() - newer_than)
    if after is not None:
        query = query.where(tuple_(*place) > tuple_(*map(literal, _read_place(after))))
    # One more than is shown tells whether there is a next page.
    rows = session.execute(query.order_by(*place).limit(limit + 1)).all()
    shown = [row.Document for row in rows[:limit]]
    types = {row.Document.id: tuple(row.document_types) for row in rows}
    told = _tell(session, [one.scan_id for one in shown])
    items = tuple(
        QueueItem(
            document_id=one.id,
            status=one.status,
            priority=one.priority,
            document_types=types[one.id],
            arrived_at=one.created_at,
            verdict_at=one.verdict_at,
            reviewed_at=one.reviewed_at,
            **told.get(one.scan_id, {"checks": (), "findings": 0, "undecided": 0}),
        )
        for one in shown
    )
    return Page(items, _write_place(shown[-1]) if len(rows) > limit else None)


def document(session: Session, document_id: str) -> DocumentView:
    """A document with its arrivals, scans and the findings of its newest scan. Raises LookupError."""
    one = session.execute(select(Document).where(Document.id == document_id)).scalar_one_or_none()
    if one is None:
        raise LookupError(f"there is no document {document_id}")
    arrivals = session.execute(
        select(Arrival, Source.kind, Source.location)
        .join(Source, Source.id == Arrival.source_id)
        .where(Arrival.document_id == document_id)
        .order_by(Arrival.id)
    )
    scans = session.scalars(select(Scan).where(Scan.document_id == document_id).order_by(Scan.number.desc()))
    return DocumentView(
        id=one.id,
        size=one.size,
        media_type=one.media_type,
        status=one.status,
        reason=one.reason,
        priority=one.priority,
        created_at=one.created_at,
        verdict_at=one.verdict_at,
        reviewed_at=one.reviewed_at,
        arrivals=tuple(_arrival(row.Arrival, row.kind, row.location) for row in arrivals),
        scans=tuple(_scan(scan) for scan in scans),
        findings=findings(session, one.scan_id),
    )


def findings(session: Session, scan_id: int) -> tuple[FindingView, ...]:
    """Every finding of a scan with the review that counts, in the order of the pages."""
    newer = aliased(Review)
    higher = select(newer.id).where(
        newer.finding_id == Finding.id, newer.withdrawn_at.is_(None), newer.round > Review.round
    )
    rows = session.execute(
        select(Finding, Review)
        .outerjoin(
            Review,
            and_(
                Review.finding_id == Finding.id,
                Review.withdrawn_at.is_(None),
                ~higher.exists(),
            ),
        )
        .where(Finding.scan_id == scan_id)
        .order_by(Finding.page, Finding.field.nulls_first(), Finding.check, Finding.ordinal)
    )
    return tuple(finding_view(row.Finding, row.Review) for row in rows)


def statuses(session: Session, document_ids: Collection[str]) -> dict[str, str]:
    """The status of each of these documents that is known."""
    rows = session.execute(select(Document.id, Document.status).where(Document.id == func.any(list(document_ids))))
    return {row.id: row.status for row in rows}


def refused(session: Session, limit: int = 100) -> list[ArrivalView]:
    """The last arrivals that could not be taken in, newest first."""
    rows = session.execute(
        select(Arrival, Source.kind, Source.location)
        .join(Source, Source.id == Arrival.source_id)
        .where(Arrival.status == "refused")
        .order_by(Arrival.id.desc())
        .limit(limit)
    )
    return [_arrival(row.Arrival, row.kind, row.location) for row in rows]


def quarantined(session: Session, limit: int = 100) -> list[tuple[str, str, datetime]]:
    """Id, reason and time of the documents in quarantine, newest first."""
    rows = session.execute(
        select(Document.id, Document.reason, Document.verdict_at)
        .where(Document.status == "quarantined")
        .order_by(Document.verdict_at.desc())
        .limit(limit)
    )
    return [(row.id, row.reason or "", row.verdict_at) for row in rows if row.verdict_at is not None]


def resolve_prefix(session: Session, prefix: str) -> str:
    """The id that begins so. Raises LookupError where none does, Refused where several do or the prefix is no id."""
    wanted = prefix.strip().lower()
    if not set(wanted) <= set("0123456789abcdef") or not SHORTEST_PREFIX <= len(wanted) <= 64:
        raise Refused(f"{prefix!r} is no document id; give at least its first {SHORTEST_PREFIX} hexadecimal digits")
    # "g" sorts behind every hexadecimal digit, in every collation: a range that the primary key's index serves.
    found = session.scalars(
        select(Document.id).where(Document.id >= wanted, Document.id < wanted + "g").order_by(Document.id).limit(2)
    ).all()
    if not found:
        raise LookupError(f"there is no document whose id begins with {wanted}")
    if len(found) > 1:
        raise Refused(f"several documents begin with {wanted}, for example {found[0][:16]} and {found[1][:16]}")
    return found[0]


def _tell(session: Session, scan_ids: list[int]) -> dict[int, dict[str, Any]]:
    """What to say of each scan in the queue: its checks that didn't pass, how many findings, how many undecided."""
    decided = select(Review.id).where(Review.finding_id == Finding.id, Review.withdrawn_at.is_(None)).exists()
    rows = session.execute(
        select(
            Finding.scan_id,
            Finding.check,
            func.count().label("findings"),
            func.count().filter(~decided).label("undecided"),
        )
        .where(Finding.scan_id == func.any(scan_ids), Finding.outcome != "pass")
        .group_by(Finding.scan_id, Finding.check)
        .order_by(
            Finding.scan_id, func.bool_or(Finding.outcome == "anomaly").desc(), func.max(Finding.confidence).desc()
        )
    )
    told: dict[int, dict[str, Any]] = {}
    for row in rows:
        one = told.setdefault(row.scan_id, {"checks": (), "findings": 0, "undecided": 0})
        one["checks"] += (row.check,)
        one["findings"] += row.findings
        one["undecided"] += row.undecided
    return told


def _write_place(one: Document) -> str:
    assert one.verdict_at is not None  # noqa: S101 flagged documents have a time, by constraint
    return f"{-one.priority}~{one.verdict_at.isoformat()}~{one.id}"


def _read_place(after: str) -> tuple[int, datetime, str]:
    try:
        priority, verdict_at, document_id = after.split("~")
        return int(priority), datetime.fromisoformat(verdict_at), document_id
    except ValueError:
        raise ValueError(f"{after!r} leads to no page of the queue; use what the page before gave as `after`") from None


def _arrival(row: Arrival, kind: str, location: str) -> ArrivalView:
    return ArrivalView(
        row.id, row.source_id, kind, location, row.path, row.status, row.reason, row.document_id, row.arrived_at
    )


def _scan(row: Scan) -> ScanView:
    return ScanView(
        id=row.id,
        number=row.number,
        cause=row.cause,
        stage=row.stage,
        verdict=row.verdict,
        judged_on=row.judged_on,
        model_version=row.model_version,
        rules_version=row.rules_version,
        doctypes_version=row.doctypes_version,
        document_types=tuple(row.document_types),
        attempts=row.attempts,
        deaths=row.deaths,
        alone=row.alone,
        error=row.error,
        manifest=row.manifest,
        timings=row.timings,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def finding_view(row: Finding, review: Review | None) -> FindingView:
    """A row of findings as a value, with its latest review."""
    return FindingView(
        id=row.id,
        page=row.page,
        field=row.field,
        check=row.check,
        ordinal=row.ordinal,
        outcome=row.outcome,
        confidence=row.confidence,
        value=row.value,
        box=box_of(row.box),
        rule=row.rule,
        message=row.message,
        evidence_key=row.evidence_key,
        review=None if review is None else review_view(review),
    )


def box_of(values: list[float] | None) -> Box | None:
    # A line thinner than a ten-thousandth of the page has no height left once its box is rounded.
    if values is None or values[0] >= values[2] or values[1] >= values[3]:
        return None
    return Box.of(values)


def review_view(row: Review) -> ReviewView:
    """A row of reviews as a value."""
    return ReviewView(
        row.id,
        row.finding_id,
        row.reviewer,
        row.decision,
        row.value,
        row.note,
        row.decided_at,
        row.round,
        box_of(row.box),
    )
