"""CSV of the queue and of decisions, row by row, so that a long table is never in memory; each export is an event.

A cell that a spreadsheet would take for a formula gets an apostrophe before it. Nothing tells which documents were
drawn at random: what they were shown with is told as a doubt here as well.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Numeric, case, func, select
from sqlalchemy.orm import Session

from records.audit import exported
from records.desk_filters import ALL, Filters, conditions
from records.desk_tables import Case
from records.tables import Document, Finding, Review, Scan, Source

#: Rows that are fetched at a time.
BATCH = 1000

#: What makes a spreadsheet calculate, or break out of its cell.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

QUEUE = (
    "document_id",
    "priority",
    "risk",
    "document_types",
    "checks",
    "source",
    "findings",
    "undecided",
    "arrived_at",
    "verdict_at",
    "due_at",
    "overdue",
    "assignee",
)

DECISIONS = (
    "review_id",
    "decided_at",
    "document_id",
    "document_types",
    "page",
    "field",
    "check",
    "outcome",
    "confidence",
    "rule",
    "decision",
    "value",
    "note",
    "reviewer",
    "round",
    "withdrawn_at",
)


def queue_csv(session: Session, *, actor: str, filters: Filters = ALL) -> Iterator[str]:
    """The waiting documents that the filters leave, urgent and risky ones first."""
    overdue = func.coalesce(Case.due_at < func.now(), False)
    rows = session.execute(
        select(
            Case.document_id,
            Case.priority,
            func.round(Case.risk.cast(Numeric), 4).label("risk"),
            Case.document_types,
            Case.checks,
            Source.location.label("source"),
            func.cardinality(Case.asked).label("findings"),
            func.cardinality(Case.undecided).label("undecided"),
            Document.created_at.label("arrived_at"),
            Case.verdict_at,
            Case.due_at,
            overdue.label("overdue"),
            Case.assignee,
        )
        .join(Document, Document.id == Case.document_id)
        .join(Source, Source.id == Case.source_id)
        .where(Case.waiting, *conditions(filters))
        .order_by(-Case.priority, -Case.risk, Case.scan_id)
        .execution_options(yield_per=BATCH)
    )
    yield from _told(session, actor, "queue", QUEUE, rows)


def decisions_csv(
    session: Session, *, actor: str, since: datetime | None = None, until: datetime | None = None
) -> Iterator[str]:
    """Decisions in the order in which they were made, those taken back too."""
    doubt = Finding.outcome == "pass"
    query = (
        select(
            Review.id.label("review_id"),
            Review.decided_at,
            Scan.document_id,
            Scan.document_types,
            Finding.page,
            Finding.field,
            Finding.check,
            case((doubt, "uncertain"), else_=Finding.outcome).label("outcome"),
            case((Finding.outcome == "anomaly", Finding.confidence)).label("confidence"),
            Finding.rule,
            Review.decision,
            Review.value,
            Review.note,
            Review.reviewer,
            Review.round,
            Review.withdrawn_at,
        )
        .join(Finding, Finding.id == Review.finding_id)
        .join(Scan, Scan.id == Finding.scan_id)
        .order_by(Review.decided_at, Review.id)
        .execution_options(yield_per=BATCH)
    )
    if since is not None:
        query = query.where(Review.decided_at >= since)
    if until is not None:
        query = query.where(Review.decided_at < until)
    yield from _told(session, actor, "decisions", DECISIONS, session.execute(query))


def cell(value: object) -> str:
    """A value as a cell: lists with spaces between, times in ISO 8601, text never a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, list | tuple):
        return cell(" ".join(str(one) for one in value))
    text = str(value)
    # Numbers are ours; text is what somebody wrote.
    return "'" + text if isinstance(value, str) and text.lstrip(" ").startswith(_FORMULA) else text


def _told(session: Session, actor: str, what: str, columns: tuple[str, ...], rows: Iterable[Any]) -> Iterator[str]:
    digest, count = hashlib.sha256(), 0
    try:
        for place, row in enumerate(_lines(columns, rows)):
            digest.update(row.encode())
            count = place
            yield row
    finally:
        # Also of what somebody stopped reading half way.
        exported(session, actor, what, count, digest.hexdigest())


def _lines(columns: tuple[str, ...], rows: Iterable[Any]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    yield buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([cell(value) for value in row])
        yield buffer.getvalue()
