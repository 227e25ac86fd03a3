"""What records hands out: frozen values, never rows that still hang on a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from pipeline.geometry import Box

Item = TypeVar("Item")


class Refused(ValueError):
    """What was asked for can't be done to this record in its present state; the message says why."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A page of a list. `after` leads to the next one; None at the end."""

    items: tuple[Item, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Versions:
    """What a scan is made by; content is not scanned twice by the same three."""

    model: str
    rules: str
    doctypes: str


@dataclass(frozen=True, slots=True)
class Source:
    id: int
    kind: str
    location: str
    priority: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """What became of an arrival. `scan_id` is the scan it started, if it did; `repeated` when it was known before."""

    arrival_id: int
    document_id: str | None
    status: str
    scan_id: int | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A scan to be published on a queue."""

    scan_id: int
    document_id: str
    queue: str
    priority: int
    alone: bool


@dataclass(frozen=True, slots=True)
class Pending:
    """How much stands in one queue; `oldest_seconds` of what nobody has taken up."""

    queue: str
    waiting: int
    published: int
    taken: int
    oldest_seconds: float | None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one stage of a scan until `expires_at`; every write names its token."""

    scan_id: int
    document_id: str
    arrival_id: int
    number: int
    stage: str
    owner: str
    token: int
    expires_at: datetime
    judged_on: date
    media_type: str
    size: int
    attempts: int
    deaths: int
    alone: bool
    manifest: Mapping[str, Any] | None = field(default=None, repr=False)
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Reaped:
    """What the reaper did with a scan whose worker was lost: `requeued`, `alone` or `quarantined`."""

    scan_id: int
    document_id: str
    stage: str
    owner: str
    deaths: int
    outcome: str


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One line of the flagged queue. `checks` are those not passed, most confident first."""

    document_id: str
    status: str
    priority: int
    document_types: tuple[str, ...]
    checks: tuple[str, ...]
    findings: int
    undecided: int
    arrived_at: datetime
    verdict_at: datetime
    reviewed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReviewView:
    """`round`: 1 the first reviewer's, 2 the second opinion, 3 the supervisor's."""

    id: int
    finding_id: int
    reviewer: str
    decision: str
    value: str | None
    note: str | None
    decided_at: datetime
    round: int = 1
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision came to: `undecided` findings are left in this round; `done` when the document is decided."""

    review: ReviewView
    document_id: str
    undecided: int
    done: bool


@dataclass(frozen=True, slots=True)
class FindingView:
    id: int
    page: int
    field: str | None
    check: str
    ordinal: int
    outcome: str
    confidence: float
    value: str | None
    box: Box | None
    rule: str | None
    message: str
    evidence_key: str | None
    review: ReviewView | None


@dataclass(frozen=True, slots=True)
class ScanView:
    id: int
    number: int
    cause: str
    stage: str
    verdict: str | None
    judged_on: date
    model_version: str | None
    rules_version: str | None
    doctypes_version: str | None
    document_types: tuple[str, ...]
    attempts: int
    deaths: int
    alone: bool
    error: str | None
    manifest: Mapping[str, Any] | None
    timings: Mapping[str, Any] | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ArrivalView:
    id: int
    source_id: int
    source_kind: str
    source_location: str
    path: str
    status: str
    reason: str | None
    document_id: str | None
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document with its arrivals, scans (newest first) and the findings of its newest scan."""

    id: str
    size: int
    media_type: str
    status: str
    reason: str | None
    priority: int
    created_at: datetime
    verdict_at: datetime | None
    reviewed_at: datetime | None
    arrivals: tuple[ArrivalView, ...]
    scans: tuple[ScanView, ...]
    findings: tuple[FindingView, ...]

    @property
    def scan(self) -> ScanView:
        """The newest scan, the one whose verdict counts."""
        return self.scans[0]


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model version as it is recorded. `lineage` is what it was made of, `metrics` what it came with, `key` its
    archive in the object store, `share` that of the documents which a canary judges."""

    version: str
    stage: str
    share: float | None
    parent: str | None
    lineage: Mapping[str, Any]
    metrics: Mapping[str, Any]
    key: str | None
    registered_at: datetime
    staged_at: datetime
    staged_by: str
