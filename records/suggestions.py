"""What the decisions of people say about thresholds and templates: the same finding dismissed again and again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from pipeline.desk import DeskRules
from records.tables import Finding, Review, Scan


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Findings of one check on one field of one type that people dismissed, of those decided in the period.

    `doubts` of the dismissed were uncertain: a threshold may be too strict. The others were called defects: the
    template, the field's box or the rule may be wrong.
    """

    check: str
    field: str | None
    document_type: str
    dismissed: int
    decided: int
    doubts: int

    @property
    def about(self) -> str:
        """`threshold` or `template`: where to look first."""
        return "threshold" if 2 * self.doubts > self.dismissed else "template"


def suggestions(session: Session, rules: DeskRules) -> list[Suggestion]:
    """What was dismissed as often as the rules say within their period, the most often first."""
    types = select(func.unnest(Scan.document_types).label("document_type")).correlate(Scan).lateral()
    dismissed = Review.decision == "dismissed"
    rows = session.execute(
        select(
            Finding.check,
            Finding.field,
            types.c.document_type,
            func.count().filter(dismissed).label("dismissed"),
            func.count().label("decided"),
            func.count().filter(dismissed, Finding.outcome == "uncertain").label("doubts"),
        )
        .select_from(Review)
        .join(Finding, Finding.id == Review.finding_id)
        .join(Scan, Scan.id == Finding.scan_id)
        .join(types, true())
        .where(
            Review.decided_at >= func.now() - timedelta(days=rules.dismissal_days),
            Review.withdrawn_at.is_(None),
            Finding.outcome != "pass",
        )
        .group_by(Finding.check, Finding.field, types.c.document_type)
        .having(func.count().filter(dismissed) >= rules.dismissals)
        .order_by(func.count().filter(dismissed).desc(), Finding.check, Finding.field)
    )
    return [Suggestion(**row._mapping) for row in rows]
