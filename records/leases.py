"""Leases on scans: prolonged while work goes on, given back after an error, and taken from workers that are lost.
How a scan is taken up and handed on is `records/handing.py`.

Everybody locks in one order, scan, place in the queue, document, so that nobody waits in a circle. Expiry is by the
database's clock. Functions that write under a lease return False (or None) when it is no longer theirs; then nothing
was written, and the worker drops its result.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Interval, cast, delete, func, literal, select, tuple_, update
from sqlalchemy.orm import Session

from records.audit import event
from records.privacy import masked
from records.tables import Document, Outbox, Scan
from records.words import Lease, Reaped

#: A scan that lost this many workers runs alone from then on.
DEATHS_BEFORE_ALONE = 2
#: Seconds before a scan that failed is published again; doubled with each error that was charged.
RETRY_SECONDS = 5.0


def renew(
    session: Session, held: Collection[tuple[int, int]], owner: str, lease_seconds: float
) -> set[tuple[int, int]]:
    """Prolong leases, given as (scan id, token); those that are still this owner's."""
    if not held:
        return set()
    mine = (
        select(Scan.id)
        .where(tuple_(Scan.id, Scan.token).in_(list(held)), Scan.lease_owner == owner)
        .order_by(Scan.id)
        .with_for_update(key_share=True)
    )
    rows = session.execute(
        update(Scan)
        .where(Scan.id.in_(mine))
        .values(lease_expires_at=_from_now(lease_seconds))
        .returning(Scan.id, Scan.token)
    )
    return {(row.id, row.token) for row in rows}


def quarantine(session: Session, lease: Lease, reason: str) -> bool:
    """The document can't be scanned and never will be as it is; `reason` is a sentence for a person."""
    if not _holds(session, lease):
        return False
    _quarantine(session, lease.scan_id, lease.document_id, reason)
    return True


def failed(
    session: Session,
    lease: Lease,
    error: str,
    *,
    charge: bool,
    max_attempts: int = 3,
    retry_seconds: float = RETRY_SECONDS,
) -> str | None:
    """Give a scan back after an error: `requeued` or `quarantined`, None when the lease was lost.

    `charge` only what the document itself raised. It is quarantined after `max_attempts` such errors, and at the
    first where it ran alone. Trouble with the database, the broker or the store costs it nothing.
    """
    if not _holds(session, lease):
        return None
    attempts = lease.attempts + int(charge)
    if charge and (lease.alone or attempts >= max_attempts):
        session.execute(update(Scan).where(Scan.id == lease.scan_id).values(attempts=attempts))
        _quarantine(session, lease.scan_id, lease.document_id, error)
        return "quarantined"
    _free(session, lease.scan_id, attempts=attempts, error=masked(error))
    _requeue(session, lease.scan_id, delay=retry_seconds * 2 ** max(0, attempts - 1))
    event(session, "scan.failed", lease.document_id, scan=lease.scan_id, stage=lease.stage, attempts=attempts)
    return "requeued"


def release(session: Session, lease: Lease) -> bool:
    """Give a scan back untouched, for instance when a worker is asked to stop."""
    if not _holds(session, lease):
        return False
    _free(session, lease.scan_id)
    _requeue(session, lease.scan_id, delay=0)
    return True


def reap(session: Session, *, grace_seconds: float = 0.0, limit: int = 500) -> list[Reaped]:
    """Put scans whose lease has run out back into the queue, and count a death for each.

    After two deaths a scan runs alone, since it may have been a neighbour that brought its worker down; when it is
    lost alone too, it is quarantined. Within `grace_seconds` (a lease's length) of the database's own start nothing
    is reaped: its outage, and not their death, kept the workers from renewing.
    """
    rows = session.execute(
        select(Scan.id, Scan.document_id, Scan.stage, Scan.lease_owner, Scan.token, Scan.deaths, Scan.alone)
        .where(
            Scan.lease_owner.is_not(None),
            Scan.lease_expires_at < func.clock_timestamp(),
            func.clock_timestamp() > func.pg_postmaster_start_time() + _seconds(grace_seconds),
        )
        .order_by(Scan.lease_expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    reaped = []
    for row in rows:
        deaths = row.deaths + 1
        alone = deaths >= DEATHS_BEFORE_ALONE
        _free(session, row.id, deaths=deaths, alone=row.alone or alone)
        if row.alone:
            outcome = "quarantined"
            reason = (
                f"The worker was lost {deaths} times over this document, the last time with nothing else beside it."
                " Try it again with `docvigil retry` after looking at the original."
            )
            _quarantine(session, row.id, row.document_id, reason)
        else:
            outcome = "alone" if alone else "requeued"
            _requeue(session, row.id, delay=0, alone=alone)
            event(session, "scan.lost", row.document_id, scan=row.id, stage=row.stage, token=row.token, deaths=deaths)
        reaped.append(Reaped(row.id, row.document_id, row.stage, row.lease_owner, deaths, outcome))
    return reaped


def _seconds(seconds: float) -> ColumnElement[Any]:
    return cast(literal(f"{seconds:.3f} seconds"), Interval)


def _from_now(seconds: float) -> ColumnElement[Any]:
    # The clock and not the transaction's start: a lease counts from the moment it is written.
    return func.clock_timestamp() + _seconds(seconds)


def _holds(session: Session, lease: Lease) -> bool:
    """Lock the scan, and tell whether the lease is still the newest and unreaped."""
    held = session.scalar(
        select(Scan.id)
        .where(
            Scan.id == lease.scan_id,
            Scan.token == lease.token,
            Scan.lease_owner == lease.owner,
            Scan.stage == lease.stage,
        )
        .with_for_update()
    )
    return held is not None


def _free(session: Session, scan_id: int, **values: Any) -> None:
    session.execute(update(Scan).where(Scan.id == scan_id).values(lease_owner=None, lease_expires_at=None, **values))


def _requeue(session: Session, scan_id: int, *, delay: float, **values: Any) -> None:
    session.execute(
        update(Outbox)
        .where(Outbox.scan_id == scan_id)
        .values(published_at=None, taken_at=None, not_before=func.now() + _seconds(delay), **values)
    )


def _quarantine(session: Session, scan_id: int, document_id: str, reason: str) -> None:
    reason = masked(reason)
    _free(session, scan_id, stage="done", verdict="quarantined", finished_at=func.now(), error=reason)
    session.execute(delete(Outbox).where(Outbox.scan_id == scan_id))
    session.execute(
        update(Document)
        .where(Document.id == document_id)
        .values(status="quarantined", reason=reason, verdict_at=func.now(), updated_at=func.now())
    )
    event(session, "verdict", document_id, scan=scan_id, verdict="quarantined")
