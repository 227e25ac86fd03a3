"""The rules of the reviewers' desk: what people look at, in which order, by when, and who decides.

A clear document is drawn for the random audit by the hash of its scan, so that nobody chooses and a second run draws
the same. What it shows is chosen by the same hash: one of its passes is put before people as a doubt.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.calendar import Deadline, WorkingCalendar
from pipeline.chance import fraction
from pipeline.findings import CHECKS, Finding, Outcome
from pipeline.sentences import say

#: How likely a defect is where the machine was in doubt.
DOUBT = 0.5


class BadDeskFile(ValueError):
    """The file of calendar and deadlines can't be used; the message says where it is wrong."""


class DeskRules(BaseModel):
    """Everything that may be set about the desk. As it stands here: nothing is due, drawn or seen twice."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calendar: WorkingCalendar = WorkingCalendar()
    #: The first that applies counts.
    due: tuple[Deadline, ...] = ()
    #: The share of clear documents that people look at all the same.
    audit_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    #: The same of documents that a canary cleared, where that is more.
    canary_audit_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    #: Clear documents a day that people look at because their answer teaches the model most, at most.
    selected_per_day: Annotated[int, Field(ge=0)] = 0
    #: A claim that is not renewed ends after so long.
    claim_seconds: Annotated[float, Field(gt=0)] = 900.0
    #: A decision may be taken back for so long; decisions are told to webhooks afterwards.
    undo_seconds: Annotated[float, Field(ge=0)] = 60.0
    #: Checks whose findings need a second opinion.
    four_eyes: frozenset[str] = frozenset()
    #: So many dismissals of one check on one field within so many days suggest that threshold or template is wrong.
    dismissals: Annotated[int, Field(ge=1)] = 5
    dismissal_days: Annotated[int, Field(ge=1)] = 30

    @field_validator("four_eyes")
    @classmethod
    def _known(cls, checks: frozenset[str]) -> frozenset[str]:
        if unknown := sorted(checks - set(CHECKS)):
            raise ValueError(f"there is no check {unknown[0]!r}; known are {', '.join(CHECKS)}")
        return checks

    @classmethod
    def load(cls, file: Path, **others: Any) -> Self:
        """Calendar and deadlines of a YAML file (`calendar:`, `due:`), the rest as given. Raises BadDeskFile."""
        try:
            data = yaml.safe_load(file.read_text()) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as wrong:
            raise BadDeskFile(f"{file} can't be read as YAML: {wrong}") from wrong
        if not isinstance(data, dict) or not set(data) <= {"calendar", "due"}:
            raise BadDeskFile(f"{file} must hold `calendar:` and `due:` and nothing else")
        calendar = {**others.pop("calendar", {}), **(data.get("calendar") or {})}
        try:
            return cls.model_validate({**others, "calendar": calendar, "due": data.get("due") or ()})
        except ValidationError as wrong:
            told = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong.errors(include_url=False)]
            raise BadDeskFile(f"{file} is wrong: {'; '.join(told)}") from None

    def due_at(self, at: datetime, types: Collection[str], source: str) -> datetime | None:
        """When a document with this verdict time must be decided; None where nothing says so."""
        for one in self.due:
            if one.applies(frozenset(types), source):
                return self.calendar.after(at, one.hours)
        return None


def risk(findings: Iterable[Finding]) -> float:
    """The probability that at least one of the findings that didn't pass is a defect, taken as independent."""
    clean = 1.0
    for one in findings:
        if one.outcome is not Outcome.PASS:
            clean *= 1 - (one.confidence if one.outcome is Outcome.ANOMALY else DOUBT)
    return 1 - clean


def drawn(document_id: str, scan_id: int, rate: float) -> bool:
    """Whether a clear document is looked at by people all the same, with probability `rate`."""
    return _fraction("drawn", document_id, scan_id) < rate


def shown_risk(document_id: str, scan_id: int) -> float:
    """What a drawn document's risk is said to be, so that it stands among the others: from a half to one."""
    return DOUBT + (1 - DOUBT) * _fraction("risk", document_id, scan_id)


def shown_finding(findings: Sequence[Finding], document_id: str, scan_id: int) -> Finding:
    """The pass of a drawn document that people are asked about; one of a field where there is one."""
    passes = [one for one in findings if one.outcome is Outcome.PASS]
    candidates = [one for one in passes if one.field is not None and one.box is not None] or passes
    candidates.sort(key=lambda one: (one.page, one.field or "", one.check, one.ordinal))
    return candidates[int(_fraction("finding", document_id, scan_id) * len(candidates))]


def doubted(message: str) -> str:
    """How a pass that people are asked about is told: as one that was not certain enough."""
    return say("doubt", passed=message.rstrip("."))


def _fraction(what: str, document_id: str, scan_id: int) -> float:
    return fraction(f"docvigil {what} {document_id} {scan_id}")
