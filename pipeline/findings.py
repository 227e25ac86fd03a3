"""Findings and verdicts: what every later part of the system shows, stores and sends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.geometry import Box

#: Every defect class. The name is the same in code, database, API, CLI and documentation.
CHECKS: tuple[str, ...] = (
    "signature.missing",
    "date.missing",
    "date.unreadable",
    "date.format",
    "date.impossible",
    "date.future",
    "date.stale",
    "date.order",
    "endorsement.missing",
    "endorsement.unauthorised",
    "ink.unexpected",
    "identifier.invalid",
    "field.missing",
    "amount.mismatch",
    "aadhaar.unmasked",
    "page.missing",
    "page.poor",
    "type.unknown",
)


class Outcome(StrEnum):
    PASS = "pass"
    ANOMALY = "anomaly"
    UNCERTAIN = "uncertain"


class Verdict(StrEnum):
    CLEAR = "clear"
    FLAGGED = "flagged"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check on one field.

    `page` counts from 1 in the file; `field` is None for checks on a page or the whole document; `box` is on the
    page as it arrived; `value` is what was read, never a complete Aadhaar number; `rule` is the id of the rule the
    check enforces; `confidence` is the probability that the outcome is right; `message` is a sentence for a person.
    """

    check: str
    outcome: Outcome
    confidence: float
    message: str
    page: int
    field: str | None = None
    ordinal: int = 0
    value: str | None = None
    box: Box | None = None
    rule: str | None = None
