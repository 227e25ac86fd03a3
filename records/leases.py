"""Work on a scan under a lease: taken up once, written only under its newest token, given back when a worker is lost.

Everybody locks in one order, scan, place in the queue, document, so that nobody waits in a circle. Expiry is by the
database's clock. Functions that write under a lease return False (or None) when it is no longer theirs; then nothing
was written, and the worker drops its result.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Interval, cast, delete, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from pipeline.desk import DeskRules
from pipeline.findings import Finding, Verdict
from records.audit import event
from records.cases import open_case
from records.privacy import masked
from records.tables import Document, Outbox, Scan
from records.tables import Finding as FindingRow
from records.words import Lease, Reaped, Versions

#: A scan that lost this many workers runs alone from then on.
DEATHS_BEFORE_ALONE = 2
#: Seconds before a scan that failed is published again; doubled with each error that was charged.
RETRY_SECONDS = 5.0


def take(
    session: Session, scan_id: int, stage: str, owner: str, lease_seconds: float, *, alone: bool = False
) -> Lease | None:
    """Take up a stage of a scan. None when it is done, at another stage, in other hands, or not due yet: a message
    delivered twice does nothing. Only a worker that runs nothing else beside it passes `alone`."""
    due = select(Outbox.scan_id).where(Outbox.scan_id == scan_id, Outbox.not_before <= func.now()).exists()
    row = session.execute(
        update(Scan)
        .where(Scan.id == scan_id, Scan.stage == stage, Scan.lease_owner.is_(None), Scan.alone.is_(alone), due)
        .where(Document.id == Scan.document_id)
        .values(lease_owner=owner, lease_expires_at=_from_now(lease_seconds), token=Scan.token + 1)
        .returning(
            Scan.id.label("scan_id"),
            Scan.document_id,
            Scan.arrival_id,
            Scan.number,
            Scan.stage,
            Scan.lease_owner.label("owner"),
            Scan.token,
            Scan.lease_expires_at.label("expires_at"),
            Scan.judged_on,
            Document.media_type,
            Document.size,
            Scan.attempts,
            Scan.deaths,
            Scan.alone,
            Scan.manifest,
        )
    ).one_or_none()
    if row is None:
        return None
    session.execute(
        update(Outbox)
        .where(Outbox.scan_id == scan_id)
        .values(published_at=func.coalesce(Outbox.published_at, func.now()), taken_at=func.now())
    )
    return Lease(**row._mapping)


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


def prepared(session: Session, lease: Lease, manifest: Mapping[str, Any]) -> bool:
    """The pages and evidence that `manifest` names are stored: on to the model's queue, with the age it has."""
    if lease.stage != "prepare" or not _holds(session, lease):
        return False
    _free(session, lease.scan_id, stage="infer", manifest=dict(manifest))
    _requeue(session, lease.scan_id, queue="infer", delay=0)
    event(session, "scan.prepared", lease.document_id, scan=lease.scan_id, token=lease.token)
    return True


def judged(
    session: Session,
    lease: Lease,
    verdict: Verdict,
    findings: Sequence[Finding],
    *,
    evidence_keys: Sequence[str | None] | None = None,
    versions: Versions,
    document_types: Collection[str] = (),
    timings: Mapping[str, float] | None = None,
    rules: DeskRules | None = None,
) -> bool:
    """Write findings and verdict, end the scan, and put it before people where `rules` of the desk say so.
    `evidence_keys` goes along with `findings`, one each.

    A verdict is clear or flagged here; `quarantine` is for what can't be scanned.
    """
    if verdict is Verdict.QUARANTINED:
        raise ValueError("a scan that was judged is clear or flagged; use quarantine() for one that could not be")
    keys = [None] * len(findings) if evidence_keys is None else list(evidence_keys)
    if len(keys) != len(findings):
        raise ValueError(f"{len(findings)} findings came with {len(keys)} evidence keys")
    if lease.stage != "infer" or not _holds(session, lease):
        return False
    if findings:
        rows = [_row(lease.scan_id, finding, key) for finding, key in zip(findings, keys, strict=True)]
        session.execute(upsert(FindingRow).on_conflict_do_nothing(), rows)
    _free(
        session,
        lease.scan_id,
        stage="done",
        verdict=verdict.value,
        finished_at=func.now(),
        model_version=versions.model,
        rules_version=versions.rules,
        doctypes_version=versions.doctypes,
        repeated=_judged_before(lease, versions),
        document_types=sorted(set(document_types)),
        timings=None if timings is None else dict(timings),
    )
    _settle(session, lease.scan_id, lease.document_id, verdict.value, None)
    event(
        session,
        "verdict",
        lease.document_id,
        scan=lease.scan_id,
        token=lease.token,
        verdict=verdict.value,
        findings=len(findings),
        model=versions.model,
        rules=versions.rules,
        doctypes=versions.doctypes,
    )
    open_case(session, lease.scan_id, rules or DeskRules(), findings, document_types)
    return True


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


def _settle(session: Session, scan_id: int, document_id: str, status: str, reason: str | None) -> None:
    session.execute(delete(Outbox).where(Outbox.scan_id == scan_id))
    session.execute(
        update(Document)
        .where(Document.id == document_id)
        .values(status=status, reason=reason, verdict_at=func.now(), updated_at=func.now())
    )


def _quarantine(session: Session, scan_id: int, document_id: str, reason: str) -> None:
    reason = masked(reason)
    _free(session, scan_id, stage="done", verdict="quarantined", finished_at=func.now(), error=reason)
    _settle(session, scan_id, document_id, "quarantined", reason)
    event(session, "verdict", document_id, scan=scan_id, verdict="quarantined")


def _judged_before(lease: Lease, versions: Versions) -> ColumnElement[bool]:
    other = aliased(Scan)
    return (
        select(other.id)
        .where(
            other.document_id == lease.document_id,
            other.id != lease.scan_id,
            other.model_version == versions.model,
            other.rules_version == versions.rules,
            other.doctypes_version == versions.doctypes,
        )
        .exists()
    )


def _row(scan_id: int, finding: Finding, evidence_key: str | None) -> dict[str, Any]:
    return {
        "scan_id": scan_id,
        "page": finding.page,
        "field": finding.field,
        "check": finding.check,
        "ordinal": finding.ordinal,
        "outcome": finding.outcome.value,
        "confidence": float(finding.confidence),
        "value": None if finding.value is None else masked(finding.value),
        "box": None if finding.box is None else finding.box.as_list(),
        "rule": finding.rule,
        "message": masked(finding.message),
        "evidence_key": evidence_key,
    }
