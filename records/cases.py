"""Cases: what is put before people, and how far it has come.

    open ──every finding decided──► decided            superseded: the document was scanned again
      └──some need a second opinion──► second ──all agree──► decided
                                         └──some differ──► disputed ──the supervisor decides──► decided

Locks are taken in the order of `records/leases.py`, and the case last: scan, place in the queue, document, case.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from pipeline import desk
from pipeline.desk import DeskRules
from pipeline.findings import Finding, Outcome
from records.audit import event
from records.desk_tables import Case
from records.tables import Arrival, Document, ModelVersion, Scan, Source
from records.tables import Finding as Row


def open_case(
    session: Session, scan_id: int, rules: DeskRules, findings: Sequence[Finding], document_types: Collection[str]
) -> str | None:
    """Put a scan's verdict before people where it is flagged, or clear and drawn at random; the cause, None where
    nobody has to look. In the transaction of the verdict."""
    place = session.execute(
        select(Document.id, Document.status, Document.priority, Document.verdict_at, Source.id.label("source"))
        .add_columns(Source.location, ModelVersion.stage.label("judge"))
        .join(Scan, Scan.id == Document.scan_id)
        .join(Arrival, Arrival.id == Scan.arrival_id)
        .join(Source, Source.id == Arrival.source_id)
        .outerjoin(ModelVersion, ModelVersion.version == Scan.model_version)
        .where(Document.scan_id == scan_id)
    ).one()
    shown = [one for one in findings if one.outcome is not Outcome.PASS]
    cause, probability, risk = "flagged", 1.0, desk.risk(shown)
    if place.status == "clear":
        rate = max(rules.audit_rate, rules.canary_audit_rate if place.judge == "canary" else 0.0)
        if not findings or not desk.drawn(place.id, scan_id, rate):
            return None
        shown = [desk.shown_finding(findings, place.id, scan_id)]
        cause, probability, risk = "drawn", rate, desk.shown_risk(place.id, scan_id)
    asked = _ids(session, scan_id, shown)
    session.execute(
        insert(Case).values(
            scan_id=scan_id,
            document_id=place.id,
            source_id=place.source,
            cause=cause,
            probability=probability,
            priority=place.priority,
            risk=risk,
            document_types=sorted(set(document_types)),
            checks=sorted({one.check for one in shown}),
            asked=asked,
            undecided=asked,
            verdict_at=place.verdict_at,
            due_at=rules.due_at(place.verdict_at, document_types, place.location),
        )
    )
    event(session, "case.opened", place.id, scan=scan_id, cause=cause, asked=len(asked))
    return cause


def supersede(session: Session, document_id: str) -> None:
    """The document is scanned again: nobody has to look at its older scan any more. The caller holds its lock."""
    session.execute(
        update(Case)
        .where(Case.document_id == document_id, Case.waiting)
        .values(stage="superseded", claimed_by=None, claim_expires_at=None)
    )


def write_priority(session: Session, document_id: str, priority: int) -> None:
    """Move a document's case along with it."""
    session.execute(update(Case).where(Case.document_id == document_id, Case.waiting).values(priority=priority))


def _ids(session: Session, scan_id: int, shown: Sequence[Finding]) -> list[int]:
    """The ids of these findings, which stand in the tables by now."""
    wanted = {(one.page, one.field, one.check, one.ordinal) for one in shown}
    rows = session.execute(
        select(Row.id, Row.page, Row.field, Row.check, Row.ordinal)
        .where(Row.scan_id == scan_id, Row.check == func.any(sorted({one.check for one in shown})))
        .order_by(Row.id)
    )
    return [row.id for row in rows if (row.page, row.field, row.check, row.ordinal) in wanted]
