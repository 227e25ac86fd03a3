"""Decisions of people on findings. None is ever changed: a second thought is a second row, and the latest counts."""

from __future__ import annotations

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from records.audit import event
from records.canonical import digest
from records.privacy import masked
from records.queue import review_view
from records.tables import DECISIONS, Document, Finding, Review, Scan
from records.words import Refused, ReviewView


def review(
    session: Session,
    finding_id: int,
    decision: str,
    *,
    reviewer: str,
    value: str | None = None,
    note: str | None = None,
) -> ReviewView:
    """Decide on a finding: `confirmed`, `dismissed`, or `corrected` with the value that is right.

    Once every finding that didn't pass is decided, the document leaves the queue. The verdict stays as it was judged.
    Raises LookupError, and Refused where the document has been scanned again since.
    """
    if decision not in DECISIONS:
        raise Refused(f"there is no decision {decision!r}; one is {', '.join(DECISIONS)}")
    if (decision == "corrected") != (value is not None):
        raise Refused("a correction needs the value that is right, and no other decision has one")
    if not reviewer.strip():
        raise Refused("a decision needs the reviewer's name")
    document_id = _lock(session, finding_id)
    row = session.scalars(
        insert(Review)
        .values(
            finding_id=finding_id,
            reviewer=reviewer,
            decision=decision,
            value=None if value is None else masked(value),
            note=None if note is None else masked(note),
        )
        .returning(Review)
    ).one()
    done = review_view(row)
    session.expunge(row)
    _mark(session, document_id)
    content = digest([done.reviewer, done.decision, done.value, done.note])
    event(
        session,
        "review",
        document_id,
        actor=reviewer,
        finding=finding_id,
        review=done.id,
        decision=decision,
        digest=content,
    )
    return done


def _lock(session: Session, finding_id: int) -> str:
    """Lock the finding's document, so that of two reviewers who decide the last two findings one comes second."""
    found = session.execute(
        select(Document.id, Document.scan_id, Finding.scan_id.label("of_scan"))
        .select_from(Finding)
        .join(Scan, Scan.id == Finding.scan_id)
        .join(Document, Document.id == Scan.document_id)
        .where(Finding.id == finding_id)
        .with_for_update(of=Document, key_share=True)
    ).one_or_none()
    if found is None:
        raise LookupError(f"there is no finding {finding_id}")
    if found.scan_id != found.of_scan:
        raise Refused(f"document {found.id[:12]} has been scanned again; decide on the findings of its newest scan")
    return str(found.id)


def _mark(session: Session, document_id: str) -> None:
    undecided = (
        select(Finding.id)
        .where(
            Finding.scan_id == Document.scan_id,
            Finding.outcome != "pass",
            ~select(Review.id).where(Review.finding_id == Finding.id).exists(),
        )
        .exists()
    )
    session.execute(
        update(Document)
        .where(Document.id == document_id, Document.status == "flagged", ~undecided)
        .values(reviewed_at=func.coalesce(Document.reviewed_at, func.now()), updated_at=func.now())
        .execution_options(synchronize_session=False)
    )
