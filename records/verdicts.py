"""Verdicts as they come, for somebody who watches: what is new since the last look, and the main reason of each.

The audit chain is followed, since its order is that of being chained: nothing that commits late is passed over.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records.tables import Document, Event, Finding, Link, Scan


@dataclass(frozen=True, slots=True)
class Glance:
    """A document's verdict in one line. `reason` is a sentence, None where all is well; `check` is what it comes from;
    `others` counts the findings beside it that didn't pass."""

    document_id: str
    verdict: str
    document_types: tuple[str, ...]
    at: datetime
    check: str | None
    reason: str | None
    others: int


def since(session: Session, sequence: int, limit: int = 1000) -> tuple[list[str], int]:
    """The documents with a verdict in the links after this one, in their order and each once; and the link to go on
    from."""
    rows = session.execute(
        select(Link.sequence, Event.kind, Event.subject)
        .join(Event, Event.id == Link.event_id)
        .where(Link.sequence > sequence)
        .order_by(Link.sequence)
        .limit(limit)
    ).all()
    judged = dict.fromkeys(row.subject for row in rows if row.kind == "verdict" and row.subject)
    return list(judged), rows[-1].sequence if rows else sequence


def glances(session: Session, document_ids: Collection[str]) -> list[Glance]:
    """One line a document, in the order given; those in flight again are left out."""
    documents = session.execute(
        select(Document.id, Document.status, Document.reason, Document.verdict_at, Document.scan_id)
        .add_columns(Scan.document_types)
        .join(Scan, Scan.id == Document.scan_id)
        .where(Document.id == func.any(list(document_ids)), Document.status != "in_flight")
    ).all()
    # The surest anomaly speaks for the document; a doubt only where there is none.
    ranked = (
        select(
            Finding.scan_id,
            Finding.check,
            Finding.message,
            func.count().over(partition_by=Finding.scan_id).label("all"),
            func.row_number()
            .over(
                partition_by=Finding.scan_id,
                order_by=[(Finding.outcome == "anomaly").desc(), Finding.confidence.desc(), Finding.id],
            )
            .label("place"),
        )
        .where(Finding.scan_id == func.any([row.scan_id for row in documents]), Finding.outcome != "pass")
        .subquery()
    )
    first = {row.scan_id: row for row in session.execute(select(ranked).where(ranked.c.place == 1))}
    told: dict[str, Glance] = {}
    for row in documents:
        finding = first.get(row.scan_id) if row.status == "flagged" else None
        told[row.id] = Glance(
            document_id=row.id,
            verdict=row.status,
            document_types=tuple(row.document_types),
            at=row.verdict_at,
            check=finding.check if finding else None,
            reason=finding.message if finding else row.reason,
            others=finding.all - 1 if finding else 0,
        )
    return [told[one] for one in document_ids if one in told]


def counts(session: Session) -> dict[str, int]:
    """How many documents stand at each status."""
    rows = session.execute(select(Document.status, func.count()).group_by(Document.status))
    found = {row[0]: int(row[1]) for row in rows}
    return {status: found.get(status, 0) for status in ("clear", "flagged", "quarantined", "in_flight")}
