"""In whose hands a document is. A claim ends by the database's clock unless it is renewed; then anybody may take it.

The clock and not the transaction's start decides, so that a long transaction prolongs nothing.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Interval, Select, and_, cast, func, literal, or_, select, update
from sqlalchemy.orm import Session

from records import tallies
from records.audit import event
from records.canonical import as_id
from records.desk_filters import ALL, Filters, conditions, first_place, visible
from records.desk_tables import Case
from records.words import Refused


def next_for(
    session: Session,
    reviewer: str,
    *,
    seconds: float,
    supervisor: bool = False,
    besides: Collection[str] = (),
    filters: Filters = ALL,
) -> str | None:
    """Claim the next document for a reviewer, and return its id; None where nothing waits.

    First what the reviewer holds already, then what is assigned to the reviewer, then what is nobody's: of each the
    urgent, then the riskiest. Two who ask at once get different ones. `besides` are documents not wanted, for
    instance the one still on the screen.
    """
    few = tallies.few(session, filters)
    place = (first_place(few), -Case.risk, Case.scan_id)
    held = and_(Case.claimed_by == reviewer, Case.claim_expires_at > func.clock_timestamp())
    for which in (
        held,
        and_(Case.assignee == reviewer, _free()),
        and_(Case.assignee.is_(None), _free()),
    ):
        query = select(Case).where(Case.waiting, which, *conditions(filters, few), ~Case.document_id.in_(list(besides)))
        found = _first(session, query.where(visible(reviewer, supervisor)).order_by(*place))
        if found is not None:
            hold(found, reviewer, seconds)
            session.flush()
            if which is not held:
                event(session, "case.claimed", found.document_id, actor=reviewer, scan=found.scan_id)
            return found.document_id
    return None


def claim(
    session: Session,
    document_id: str,
    reviewer: str,
    *,
    seconds: float,
    supervisor: bool = False,
    take_over: bool = False,
) -> None:
    """Claim one document. A live claim of somebody else gives way to a supervisor who takes it over.

    Raises LookupError where nothing about the document waits for a decision, and Refused where it is in other hands
    or not for this person.
    """
    case = _locked(session, document_id)
    if case.stage == "second" and reviewer in case.first_reviewers:
        raise Refused("a second opinion comes from somebody who has not decided on this document yet")
    if case.stage == "disputed" and not supervisor:
        raise Refused("two reviewers differ on this document; a supervisor decides")
    if held_by_another(session, case, reviewer) and not (take_over and supervisor):
        raise Refused(f"document {document_id[:12]} is in somebody else's hands; take another, or ask a supervisor")
    before = case.claimed_by
    hold(case, reviewer, seconds)
    session.flush()
    previous = as_id(before) if before is not None and before != reviewer else None
    event(session, "case.claimed", document_id, actor=reviewer, scan=case.scan_id, before=previous)


def renew(session: Session, document_id: str, reviewer: str, *, seconds: float) -> bool:
    """Prolong one's claim; False where it is no longer one's own (it ran out and somebody has taken it up).

    One that ran out and that nobody has taken is one's own still. No event: nothing changes hands.
    """
    done = session.execute(
        update(Case)
        .where(Case.document_id == document_id, Case.waiting, Case.claimed_by == reviewer)
        .values(claim_expires_at=from_now(seconds))
        .returning(Case.scan_id)
        .execution_options(synchronize_session=False)
    )
    return done.one_or_none() is not None


def release(session: Session, document_id: str, reviewer: str) -> bool:
    """Put a document back; False where it was not in one's hands."""
    done = session.execute(
        update(Case)
        .where(Case.document_id == document_id, Case.waiting, Case.claimed_by == reviewer)
        .values(claimed_by=None, claim_expires_at=None)
        .returning(Case.scan_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if done is None:
        return False
    event(session, "case.released", document_id, actor=reviewer, scan=done.scan_id)
    return True


def assign(session: Session, document_ids: Collection[str], assignee: str | None, *, actor: str) -> list[str]:
    """Give documents to a reviewer, or with None to nobody in particular; those that still waited.

    What somebody has in hand stays there until it is put back.
    """
    mine = (
        select(Case.scan_id)
        .where(Case.document_id == func.any(list(document_ids)), Case.waiting)
        .order_by(Case.scan_id)
        .with_for_update()
    )
    rows = session.execute(
        update(Case)
        .where(Case.scan_id.in_(mine))
        .values(assignee=assignee)
        .returning(Case.document_id, Case.scan_id)
        .execution_options(synchronize_session=False)
    ).all()
    to = None if assignee is None else as_id(assignee)
    for row in sorted(rows, key=lambda one: one.scan_id):
        event(session, "case.assigned", row.document_id, actor=actor, scan=row.scan_id, to=to)
    return [row.document_id for row in rows]


def held_by_another(session: Session, case: Case, reviewer: str) -> bool:
    """Whether somebody else has a live claim on a case that the caller has locked."""
    if case.claimed_by in (None, reviewer) or case.claim_expires_at is None:
        return False
    return session.execute(select(func.clock_timestamp() < case.claim_expires_at)).scalar_one()


def hold(case: Case, reviewer: str, seconds: float) -> None:
    """Write a claim on a case that the caller has locked."""
    case.claimed_by = reviewer
    case.claim_expires_at = from_now(seconds)  # type: ignore[assignment]  # An expression until it is flushed.


def from_now(seconds: float) -> ColumnElement[object]:
    """So many seconds from now by the database's clock."""
    return func.clock_timestamp() + cast(literal(f"{seconds:.3f} seconds"), Interval)


def _free() -> ColumnElement[bool]:
    return or_(Case.claim_expires_at.is_(None), Case.claim_expires_at < func.clock_timestamp())


def _first(session: Session, query: Select[Case]) -> Case | None:
    locked = query.limit(1).with_for_update(skip_locked=True).execution_options(populate_existing=True)
    return session.scalars(locked).one_or_none()


def _locked(session: Session, document_id: str) -> Case:
    query = select(Case).where(Case.document_id == document_id, Case.waiting)
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise LookupError(f"nothing about document {document_id[:12]} waits for a decision")
    return found
