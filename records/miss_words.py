"""What is handed out about defects that the machine missed, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.geometry import Box


@dataclass(frozen=True, slots=True)
class MissView:
    """A defect that a person reported. Whether the document had been drawn is not told."""

    id: int
    document_id: str
    page: int
    field: str | None
    check: str
    box: Box | None
    note: str | None
    reporter: str
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class Labelled:
    """What people have shown about one check. `missed_weight` is the sum of one over each probability of looking, of
    those misses that have one; `missed_by_chance` have none. `ended_clear` of the misses stood in clear documents."""

    check: str
    found: int
    missed: int
    ended_clear: int
    missed_weight: float
    missed_by_chance: int
    looked_at: int
    looked_at_weight: float


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A clear document with a miss's pattern; `confidence` of its least sure pass there."""

    document_id: str
    verdict_at: datetime
    confidence: float
