"""Cases: what is put before people, and how far it has come.

    open ──every finding decided──► decided            superseded: the document was scanned again
      └──some need a second opinion──► second ──all agree──► decided
                                         └──some differ──► disputed ──the supervisor decides──► decided

Locks are taken in the order of `records/leases.py`, and the case last: scan, place in the queue, document, case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.orm import Session

from pipeline import desk
from pipeline.desk import DeskRules
from pipeline.findings import Finding, Outcome, Verdict
from records.desk_tables import Case
from records.words import Lease


@dataclass(frozen=True, slots=True)
class Opening:
    """A case to be opened: why, how likely it was to be, the probability of a defect, and the findings asked about
    (page, field, check, ordinal)."""

    cause: str
    probability: float
    risk: float
    asked: frozenset[tuple[int, str | None, str, int]]


def opening(
    lease: Lease, verdict: Verdict, findings: Sequence[Finding], rules: DeskRules, canary: bool
) -> Opening | None:
    """The case of a scan that is flagged, or clear and drawn at random; None where nobody has to look. What a canary
    cleared is drawn at a rate of its own."""
    shown = [one for one in findings if one.outcome is not Outcome.PASS]
    cause, probability, risk = "flagged", 1.0, desk.risk(shown)
    if verdict is Verdict.CLEAR:
        rate = max(rules.audit_rate, rules.canary_audit_rate if canary else 0.0)
        if not findings or not desk.drawn(lease.document_id, lease.scan_id, rate):
            return None
        shown = [desk.shown_finding(findings, lease.document_id, lease.scan_id)]
        cause, probability, risk = "drawn", rate, desk.shown_risk(lease.document_id, lease.scan_id)
    asked = frozenset((one.page, one.field, one.check, one.ordinal) for one in shown)
    return Opening(cause, probability, risk, asked)


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
