"""What reviewers look at: the queue of the desk, how much waits, and one document as they see it.

Nothing here tells a reviewer that a clear document was drawn: it looks like one flagged for a doubt. Nor what the
first reviewer decided, where a second opinion is asked for. Give reviewers documents through these functions only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, literal, select, tuple_
from sqlalchemy.orm import Session

from pipeline.desk import doubted
from records import tallies
from records.desk_filters import ALL, SOON, Filters, Sla, conditions, first_place, held, ordered, visible
from records.desk_tables import Case
from records.desk_words import CaseItem, DeskDocument, DeskFinding, Sort
from records.queue import box_of, review_view
from records.tables import Arrival, Document, Finding, Review, Scan, Source
from records.words import Page, ReviewView

#: Counting a filtered queue looks at no more documents.
COUNTED = 1000

#: The round of reviews at each stage of a case that waits.
ROUNDS = {"open": 1, "second": 2, "disputed": 3}


@dataclass(frozen=True, slots=True)
class Count:
    """How many documents some filters leave: `number`, or where not `all` were looked at, at least so many."""

    number: int
    all: bool


def page(
    session: Session,
    viewer: str,
    *,
    supervisor: bool = False,
    filters: Filters = ALL,
    sort: Sort = "risk",
    after: str | None = None,
    limit: int = 50,
    decided: bool = False,
) -> Page[CaseItem]:
    """A page of what waits for this person: urgent ones first, then by risk, or by age. `after` is the page before's.
    `decided`: also what waits no more; that list isn't quick.

    Disputed documents are the supervisors'; a second opinion is not asked of who gave the first. Raises ValueError
    for an `after` that leads nowhere.
    """
    key = -Case.risk if sort == "risk" else Case.verdict_at
    few = not decided and tallies.few(session, filters)
    place = (first_place(few), key, Case.scan_id)
    query = select(Case, func.now().label("now")).where(Case.stage != "superseded" if decided else Case.waiting)
    query = query.where(*conditions(filters, few), visible(viewer, supervisor))
    if after is not None:
        query = query.where(tuple_(*place) > tuple_(*_read_place(after, sort)))
    # One more than is shown tells whether there is a next page.
    rows = session.execute(query.order_by(*place).limit(limit + 1)).all()
    items = tuple(_item(row.Case, row.now) for row in rows[:limit])
    return Page(items, _write_place(rows[limit - 1].Case, sort) if len(rows) > limit else None)


def count(session: Session, viewer: str, *, supervisor: bool = False, filters: Filters = ALL) -> Count:
    """How many documents the filters leave for this person. What the tallies tell is told; beyond that the queue is
    looked through in its order, COUNTED documents far."""
    known = tallies.fitting(session, filters)
    certain = max(0, known.least - (0 if supervisor else known.later))
    if certain == known.most:
        return Count(certain, True)
    where, fits = (conditions(filters), []) if known.few else (ordered(filters), held(filters))
    some = (
        select(and_(True, *fits).label("fits"))
        .where(Case.waiting, *where, visible(viewer, supervisor))
        .order_by(first_place(known.few), -Case.risk, Case.scan_id)
        .limit(COUNTED + 1)
        .subquery()
    )
    seen, found = session.execute(select(func.count(), func.count().filter(some.c.fits))).one()
    return Count(found, True) if seen <= COUNTED else Count(max(min(found, COUNTED), certain), False)


def sources(session: Session) -> dict[int, str]:
    """Where documents come from: the location of each source."""
    rows = session.execute(select(Source.id, Source.location).order_by(Source.location))
    return {row.id: row.location for row in rows}


def document(session: Session, document_id: str, viewer: str, *, supervisor: bool = False) -> DeskDocument:
    """A document as this person may see it, with every finding of its newest scan. Raises LookupError."""
    row = session.execute(
        select(Document, Scan, Case, Arrival.arrived_at, Arrival.source_id, Source.location)
        .join(Scan, Scan.id == Document.scan_id)
        .join(Arrival, Arrival.id == Scan.arrival_id)
        .join(Source, Source.id == Arrival.source_id)
        .outerjoin(Case, Case.scan_id == Document.scan_id)
        .where(Document.id == document_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise LookupError(f"there is no document {document_id}")
    one, scan, case = row.Document, row.Scan, row.Case
    now = session.execute(select(func.clock_timestamp())).scalar_one()
    claimed = case is not None and case.claim_expires_at is not None and case.claim_expires_at > now
    return DeskDocument(
        id=one.id,
        # Who is asked about a document is not told that the machine saw nothing.
        status=one.status if case is None else "flagged",
        reason=one.reason,
        media_type=one.media_type,
        priority=one.priority,
        source_id=row.source_id,
        source=row.location,
        arrived_at=row.arrived_at,
        verdict_at=one.verdict_at,
        scan_id=scan.id,
        judged_on=scan.judged_on,
        model_version=scan.model_version,
        rules_version=scan.rules_version,
        doctypes_version=scan.doctypes_version,
        document_types=tuple(scan.document_types),
        manifest=scan.manifest,
        round=None if case is None else ROUNDS.get(case.stage),
        decided_at=None if case is None else case.decided_at,
        due_at=None if case is None else case.due_at,
        assignee=None if case is None else case.assignee,
        claimed_by=case.claimed_by if claimed else None,
        claim_expires_at=case.claim_expires_at if claimed else None,
        findings=_findings(session, scan.id, case, viewer, supervisor),
    )


def _findings(
    session: Session, scan_id: int, case: Case | None, viewer: str, supervisor: bool
) -> tuple[DeskFinding, ...]:
    rows = session.scalars(
        select(Finding)
        .where(Finding.scan_id == scan_id)
        .order_by(Finding.page, Finding.field.nulls_first(), Finding.check, Finding.ordinal)
    ).all()
    standing = select(Review).where(
        Review.finding_id == func.any([row.id for row in rows]), Review.withdrawn_at.is_(None)
    )
    blind = not supervisor and case is not None and case.stage in ("second", "disputed")
    if blind:
        standing = standing.where(Review.reviewer == viewer)
    reviews: dict[int, list[ReviewView]] = {}
    for one in session.scalars(standing.order_by(Review.round, Review.id)):
        reviews.setdefault(one.finding_id, []).append(review_view(one))
    asked = set() if case is None else {*case.asked}
    undecided = set() if case is None else {*case.undecided}
    return tuple(_finding(row, row.id in asked, row.id in undecided, reviews.get(row.id, ())) for row in rows)


def _finding(row: Finding, asked: bool, undecided: bool, reviews: Iterable[ReviewView]) -> DeskFinding:
    doubt = asked and row.outcome == "pass"
    outcome = "uncertain" if doubt else row.outcome
    return DeskFinding(
        id=row.id,
        page=row.page,
        field=row.field,
        check=row.check,
        ordinal=row.ordinal,
        outcome=outcome,
        confidence=None if outcome == "uncertain" else row.confidence,
        value=row.value,
        box=box_of(row.box),
        rule=row.rule,
        message=doubted(row.message) if doubt else row.message,
        asked=asked,
        undecided=undecided,
        reviews=tuple(reviews),
    )


def _item(case: Case, now: datetime) -> CaseItem:
    claimed = case.claimed_by is not None and case.claim_expires_at is not None and case.claim_expires_at > now
    sla: Sla = "none"
    if case.due_at is not None:
        sla = "overdue" if case.due_at < now else "soon" if case.due_at < now + SOON else "in_time"
    return CaseItem(
        document_id=case.document_id,
        priority=case.priority,
        risk=case.risk,
        document_types=tuple(case.document_types),
        checks=tuple(case.checks),
        source_id=case.source_id,
        findings=len(case.asked),
        undecided=len(case.undecided),
        verdict_at=case.verdict_at,
        due_at=case.due_at,
        sla=sla,
        assignee=case.assignee,
        claimed_by=case.claimed_by if claimed else None,
        round=ROUNDS.get(case.stage),
        asked=tuple(case.asked),
        decided_at=case.decided_at,
    )


def _write_place(case: Case, sort: Sort) -> str:
    key = repr(-case.risk) if sort == "risk" else case.verdict_at.isoformat()
    return f"{-case.priority}~{key}~{case.scan_id}"


def _read_place(after: str, sort: Sort) -> tuple[ColumnElement[object], ...]:
    wrong = ValueError(f"{after!r} leads to no page of this queue; use what the page before gave as `after`")
    parts = after.split("~")
    if len(parts) != 3:
        raise wrong
    try:
        key = _number(parts[1]) if sort == "risk" else datetime.fromisoformat(parts[1])
        return literal(int(parts[0])), literal(key), literal(int(parts[2]))
    except ValueError:
        raise wrong from None


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
