"""What the desk hands out to reviewers, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from pipeline.geometry import Box
from records.desk_filters import Sla
from records.words import ReviewView

Sort = Literal["risk", "age"]


@dataclass(frozen=True, slots=True)
class CaseItem:
    """One line of the desk's queue. `findings` is how many are `asked` about; `claimed_by` only while the claim lives;
    `round`: 1 first, 2 second opinion, 3 supervisor, None where nothing waits."""

    document_id: str
    priority: int
    risk: float
    document_types: tuple[str, ...]
    checks: tuple[str, ...]
    source_id: int
    findings: int
    undecided: int
    verdict_at: datetime
    due_at: datetime | None
    sla: Sla
    assignee: str | None
    claimed_by: str | None
    round: int | None
    asked: tuple[int, ...]
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeskFinding:
    """A finding as a reviewer sees it. `confidence` is None for a doubt; `asked`: somebody has to decide on it;
    `undecided`: in this round nobody has; `reviews` are those that stand and that the viewer may see."""

    id: int
    page: int
    field: str | None
    check: str
    ordinal: int
    outcome: str
    confidence: float | None
    value: str | None
    box: Box | None
    rule: str | None
    message: str
    asked: bool
    undecided: bool
    reviews: tuple[ReviewView, ...]

    @property
    def review(self) -> ReviewView | None:
        """The decision that counts, of those that may be seen."""
        return self.reviews[-1] if self.reviews else None


@dataclass(frozen=True, slots=True)
class DeskDocument:
    """A document as a reviewer sees it. `round`: 1 first, 2 second opinion, 3 supervisor; None where nothing waits."""

    id: str
    status: str
    reason: str | None
    media_type: str
    priority: int
    source_id: int
    source: str
    arrived_at: datetime
    verdict_at: datetime | None
    scan_id: int
    judged_on: date
    model_version: str | None
    rules_version: str | None
    doctypes_version: str | None
    document_types: tuple[str, ...]
    manifest: Mapping[str, Any] | None = field(repr=False)
    round: int | None
    decided_at: datetime | None
    due_at: datetime | None
    assignee: str | None
    claimed_by: str | None
    claim_expires_at: datetime | None
    findings: tuple[DeskFinding, ...]
