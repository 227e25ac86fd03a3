"""What the API takes and gives. Fields have the names that they have in the tables, on the pages and in `--json`.

Pages count from 1, a box is `[left, top, right, bottom]` in fractions of the page, a confidence is the probability that
what is said is right.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from pipeline.geometry import Box

Body = TypeVar("Body", bound="Told")

Status = Literal["in_flight", "clear", "flagged", "quarantined"]
Outcome = Literal["pass", "anomaly", "uncertain"]
Corners = Annotated[list[float] | None, BeforeValidator(lambda box: box.as_list() if isinstance(box, Box) else box)]
Limit = Annotated[int, Field(ge=1, le=200, description="How many at most.")]
After = Annotated[str | None, Field(max_length=200, description="What the page before gave as `after`.")]
#: Postgres keeps no NUL in a text.
NOTE = r"^[^\x00]*$"
Note = Annotated[str, StringConstraints(max_length=2000, pattern=NOTE)]


class Told(BaseModel):
    """A value of the records as JSON."""

    model_config = ConfigDict(from_attributes=True)


class Review(Told):
    """A person's decision on a finding; the latest counts."""

    id: int
    finding_id: int
    reviewer: str
    decision: Literal["confirmed", "dismissed", "corrected"]
    value: str | None = Field(description="The value that is right, of a correction.")
    box: Corners = Field(None, description="The place that is right, of a correction.")
    note: str | None
    decided_at: datetime
    round: int = Field(1, description="1 the first decision, 2 the second opinion, 3 the supervisor's.")


class Finding(Told):
    """The outcome of one check on one field."""

    id: int
    page: int
    field: str | None = Field(description="None where it is about the page or the form.")
    check: str = Field(description="The defect class, for example `date.missing`.")
    outcome: Outcome
    confidence: float
    value: str | None = Field(description="What was read.")
    box: Corners
    rule: str | None = Field(description="The rule that it comes from.")
    message: str = Field(description="A sentence for a person.")
    review: Review | None


class FindingOfDocument(Told):
    document_id: str
    finding: Finding


class Findings(Told):
    items: list[FindingOfDocument]
    after: str | None = Field(description="Leads to the next page; null at the end.")


class Arrival(Told):
    """One file turning up at one source, once."""

    id: int
    source_kind: Literal["folder", "s3", "upload"]
    source_location: str
    path: str
    status: Literal["refused", "duplicate", "document"]
    reason: str | None
    arrived_at: datetime


class Scan(Told):
    """One pass over a document with one version of model, rules and document types."""

    id: int
    number: int
    cause: Literal["arrival", "again", "retry", "rescan"]
    stage: Literal["prepare", "infer", "done"]
    verdict: Literal["clear", "flagged", "quarantined"] | None
    judged_on: date
    model_version: str | None
    rules_version: str | None
    doctypes_version: str | None
    document_types: list[str]
    error: str | None
    created_at: datetime
    finished_at: datetime | None


class Page(Told):
    """A page of the newest scan; its picture is at `/documents/{id}/pages/{number}`."""

    number: int
    width: int
    height: int
    doctype: str | None
    form_page: int | None
    sure: bool
    why: str
    instance: int = Field(description="Counts the filled forms in the file from 0.")
    faults: list[str]


class DocumentLine(Told):
    """A document in a list."""

    id: str = Field(description="SHA-256 of its content.")
    size: int = Field(description="Bytes.")
    media_type: str
    status: Status
    reason: str | None = Field(description="Why it is in quarantine.")
    priority: int
    document_types: list[str]
    created_at: datetime
    verdict_at: datetime | None
    reviewed_at: datetime | None = Field(description="When the last finding was decided.")


class Documents(Told):
    items: list[DocumentLine]
    after: str | None = Field(description="Leads to the next page; null at the end.")


class Document(Told):
    """A document with its arrivals, scans (newest first), and pages and findings of its newest scan."""

    id: str
    size: int
    media_type: str
    status: Status
    reason: str | None
    priority: int
    created_at: datetime
    verdict_at: datetime | None
    reviewed_at: datetime | None
    arrivals: list[Arrival]
    scans: list[Scan]
    pages: list[Page]
    findings: list[Finding]


def _on_the_page(value: Any) -> Any:
    """Four numbers as a box on the page. Raises ValueError for anything else."""
    if value is None or isinstance(value, Box):
        return value
    numbers = isinstance(value, list) and len(value) == 4 and all(isinstance(one, int | float) for one in value)
    if not numbers or not all(0 <= one <= 1 for one in value):
        raise ValueError("a box is [left, top, right, bottom] in fractions of the page, from 0 to 1")
    return Box.of(value)


#: A box that somebody drew.
Drawn = Annotated[
    Box | None,
    BeforeValidator(_on_the_page),
    PlainSerializer(lambda box: None if box is None else box.as_list()),
    WithJsonSchema(
        {
            "type": ["array", "null"],
            "items": {"type": "number", "minimum": 0, "maximum": 1},
            "minItems": 4,
            "maxItems": 4,
        }
    ),
]


class Decision(BaseModel):
    """What a reviewer decides."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    finding_id: Annotated[int, Field(ge=1, lt=2**63)]
    decision: Literal["confirmed", "dismissed", "corrected"]
    value: Annotated[str, StringConstraints(max_length=500, pattern=NOTE)] | None = Field(
        None, description="The value that is right; of a correction only."
    )
    box: Drawn = Field(None, description="The place that is right; of a correction only.")
    note: Note | None = None


class Uploaded(Told):
    """What became of a file."""

    arrival_id: int
    status: Literal["document", "duplicate"]
    document_id: str
    scan_id: int | None = Field(description="The scan that it started; null for most duplicates.")


class Model(Told):
    """A model version."""

    version: str
    stage: Literal["candidate", "shadow", "canary", "production", "retired"]
    share: float | None = Field(description="The share of the documents that it judges, of a canary.")
    parent: str | None = Field(description="The version it was made from.")
    lineage: dict[str, Any] = Field(description="What it was made of: data, recipe and code, each by its digest.")
    metrics: dict[str, Any]
    registered_at: datetime
    staged_at: datetime
    staged_by: str = Field(description="Who moved it to its stage; empty of one that came with the installation.")


class Models(Told):
    items: list[Model]


class Move(BaseModel):
    """Where a model version goes."""

    model_config = ConfigDict(extra="forbid")

    stage: Literal["shadow", "canary", "production"]
    share: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="The share of the documents that a canary judges; 0.2 if not given."
    )


class RollBack(BaseModel):
    """Which version is meant to be taken back."""

    model_config = ConfigDict(extra="forbid")

    version: str = Field(description="Refused where another one would be taken back by now.")


class RolledBack(BaseModel):
    """What a rollback did."""

    version: str = Field(description="The version that was taken back.")
    production: str | None = Field(description="The version that judges now.")
    scanned_again: int = Field(description="Documents that had been cleared by the one taken back.")


class SourceBalance(Told):
    source_id: int
    kind: str
    location: str
    files: int | None
    arrived: int | None
    waiting: int | None
    listed_at: datetime | None
    adds_up: bool


class Balance(Told):
    """Everything that came in is somewhere: arrivals = refused + duplicates + documents, and documents = clear +
    flagged + quarantined + in flight."""

    arrivals: int
    refused: int
    duplicates: int
    documents: int
    clear: int
    flagged: int
    quarantined: int
    in_flight: int
    oldest_in_flight_seconds: float | None
    sources: list[SourceBalance]
    adds_up: bool
    differences: list[str]
    at: datetime


class Me(BaseModel):
    """Who asks."""

    subject: str
    name: str
    roles: list[str]


class Token(BaseModel):
    """An access token (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = Field(description="Seconds.")
    scope: str = Field(description="The roles that it carries.")
