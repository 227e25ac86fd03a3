"""One document with everything about it, and what was not scanned; the queue is `records/desk.py`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from pipeline.geometry import Box
from records.tables import Arrival, Document, Finding, Review, Scan, Source
from records.words import ArrivalView, DocumentView, FindingView, Refused, ReviewView, ScanView

#: Signs of an id that a person must give at least.
SHORTEST_PREFIX = 4


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
