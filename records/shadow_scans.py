"""What a version in shadow would have said, and how it compares with what was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from pipeline.findings import Finding, Verdict
from records.learning_tables import ShadowScan
from records.tables import Scan


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


def compared(session: Session, version: str) -> dict[str, int]:
    """How many scans the version has seen in shadow (`scans`), those that it would have flagged and were cleared
    (`newly_flagged`), and those that were flagged and it would have cleared (`newly_clear`)."""
    row = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(cast((ShadowScan.verdict == "flagged") & (Scan.verdict == "clear"), Integer)), 0),
            func.coalesce(func.sum(cast((ShadowScan.verdict == "clear") & (Scan.verdict == "flagged"), Integer)), 0),
        )
        .join(Scan, Scan.id == ShadowScan.scan_id)
        .where(ShadowScan.version == version)
    ).one()
    return {"scans": row[0], "newly_flagged": int(row[1]), "newly_clear": int(row[2])}
