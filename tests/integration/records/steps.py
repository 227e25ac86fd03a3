"""What happens to documents, step by step, for tests of the records."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from pipeline.findings import Finding, Outcome, Verdict
from pipeline.geometry import Box
from records import handing, intake, leases
from records.words import Arrived, Lease, Versions

TODAY = date(2026, 3, 2)
VERSIONS = Versions("model-1", "rules-1", "types-1")
MANIFEST: dict[str, Any] = {"pages": []}
_identities = itertools.count()


def sha(name: str) -> str:
    """The id of a document with this content."""
    return hashlib.sha256(name.encode()).hexdigest()


def source(sessions: sessionmaker[Session], location: str = "/drop", priority: int = 0) -> int:
    with sessions.begin() as session:
        return intake.source(session, "folder", location, priority).id


def arrive(
    session: Session, source_id: int, name: str, *, identity: str | None = None, priority: int = 0, on: date = TODAY
) -> Arrived:
    return intake.arrive(
        session,
        source_id=source_id,
        path=f"/drop/{name}.pdf",
        identity=identity or f"arrival-{next(_identities)}",
        sha256=sha(name),
        size=len(name),
        media_type="application/pdf",
        priority=priority,
        arrived_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
        on_date=on,
    )


def document(sessions: sessionmaker[Session], name: str = "form", *, priority: int = 0) -> int:
    """A document that has just arrived; its scan."""
    number = source(sessions)
    with sessions.begin() as session:
        scan_id = arrive(session, number, name, priority=priority).scan_id
    assert scan_id is not None
    return scan_id


def take(
    sessions: sessionmaker[Session],
    scan_id: int,
    stage: str = "prepare",
    *,
    owner: str = "worker-1",
    seconds: float = 60.0,
    alone: bool = False,
) -> Lease:
    with sessions.begin() as session:
        lease = handing.take(session, scan_id, stage, owner, seconds, alone=alone)
    assert lease is not None
    return lease


def prepare(sessions: sessionmaker[Session], scan_id: int) -> None:
    lease = take(sessions, scan_id)
    with sessions.begin() as session:
        assert handing.prepared(session, lease, MANIFEST)


def finding(
    check: str = "signature.missing",
    outcome: Outcome = Outcome.ANOMALY,
    *,
    page: int = 1,
    field: str | None = "signature_1",
    ordinal: int = 0,
    value: str | None = None,
    message: str = "The signature is missing.",
) -> Finding:
    return Finding(
        check,
        outcome,
        0.97,
        message,
        page,
        field,
        ordinal=ordinal,
        value=value,
        box=Box(0.1, 0.2, 0.3, 0.4),
        rule="r-1",
    )


def judge(
    sessions: sessionmaker[Session],
    scan_id: int,
    verdict: Verdict = Verdict.FLAGGED,
    findings: Sequence[Finding] | None = None,
    *,
    versions: Versions = VERSIONS,
    types: Sequence[str] = ("kyc-individual",),
) -> None:
    """Brings a document that has just arrived to its verdict."""
    prepare(sessions, scan_id)
    lease = take(sessions, scan_id, "infer")
    told = [finding()] if findings is None else findings
    with sessions.begin() as session:
        assert handing.judged(session, lease, verdict, told, versions=versions, document_types=types)


def quarantine(sessions: sessionmaker[Session], scan_id: int, reason: str = "The file is empty.") -> None:
    lease = take(sessions, scan_id)
    with sessions.begin() as session:
        assert leases.quarantine(session, lease, reason)


def expire(sessions: sessionmaker[Session], scan_id: int) -> None:
    """Lets a lease run out now."""
    with sessions.begin() as session:
        session.execute(
            text("UPDATE scans SET lease_expires_at = now() - interval '1 second' WHERE id = :id"), {"id": scan_id}
        )


def due_now(sessions: sessionmaker[Session], scan_id: int) -> None:
    """Ends the wait before a retry."""
    with sessions.begin() as session:
        session.execute(
            text("UPDATE outbox SET not_before = now() - interval '1 second' WHERE scan_id = :id"), {"id": scan_id}
        )


def state(sessions: sessionmaker[Session], scan_id: int) -> tuple[str, str, int]:
    """(status of the document, stage of the scan, deaths)."""
    with sessions.begin() as session:
        row = session.execute(
            text(
                "SELECT d.status, s.stage, s.deaths FROM scans s JOIN documents d ON d.id = s.document_id"
                " WHERE s.id = :id"
            ),
            {"id": scan_id},
        ).one()
    return row[0], row[1], row[2]
