"""What a version in shadow would have said, and how it compares with what was said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from pipeline.findings import Finding, Outcome, Verdict
from pipeline.shadowing import Pair, Place, Said
from records.learning_tables import ShadowScan
from records.tables import Finding as FindingRow
from records.tables import Scan

#: Scans that are compared finding by finding: the newest.
COMPARED = 5000


def add(session: Session, scan_id: int, version: str, verdict: Verdict, findings: Sequence[Finding]) -> None:
    """Write down what the version made of a scan; the first time counts."""
    told: list[dict[str, Any]] = [
        {
            "page": one.page,
            "field": one.field,
            "check": one.check,
            "ordinal": one.ordinal,
            "outcome": one.outcome.value,
            "confidence": round(one.confidence, 4),
        }
        for one in findings
    ]
    session.execute(
        upsert(ShadowScan)
        .values(scan_id=scan_id, version=version, verdict=verdict.value, findings=told)
        .on_conflict_do_nothing()
    )


def pairs(session: Session, version: str, limit: int = COMPARED) -> list[Pair]:
    """What the version and production made of the newest scans, in the order of the scans."""
    rows = session.execute(
        select(Scan.id, Scan.document_id, Scan.verdict, ShadowScan.verdict, ShadowScan.findings)
        .join(ShadowScan, ShadowScan.scan_id == Scan.id)
        .where(ShadowScan.version == version, Scan.verdict.in_(("clear", "flagged")))
        .order_by(Scan.id.desc())
        .limit(limit)
    ).all()
    told: dict[int, dict[Place, Outcome]] = defaultdict(dict)
    findings = select(
        FindingRow.scan_id, FindingRow.page, FindingRow.field, FindingRow.check, FindingRow.ordinal, FindingRow.outcome
    ).where(FindingRow.scan_id.in_([row[0] for row in rows]))
    for scan_id, page, field, check, ordinal, outcome in session.execute(findings):
        told[scan_id][page, field, check, ordinal] = Outcome(outcome)
    return [
        Pair(document_id, Said(Verdict(said), told[scan_id]), Said(Verdict(shadow), _outcomes(entries)))
        for scan_id, document_id, said, shadow, entries in reversed(rows)
    ]


def _outcomes(entries: Sequence[dict[str, Any]]) -> dict[Place, Outcome]:
    return {(one["page"], one["field"], one["check"], one["ordinal"]): Outcome(one["outcome"]) for one in entries}
