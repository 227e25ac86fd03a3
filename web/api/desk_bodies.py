"""What the API takes and gives about the reviewers' desk; the words are those of `web/api/bodies.py`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from web.api.bodies import Corners, Drawn, Finding, Note, Outcome, Review, Status, Told
from web.narrowing import Narrowing

DocumentId = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
DocumentIds = Annotated[list[DocumentId], Field(max_length=500)]


class Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class Waiting(Told):
    """A document that waits for a decision. `round`: 1 first, 2 second opinion, 3 supervisor."""

    document_id: str
    priority: int
    risk: float = Field(description="The probability that a defect is there.")
    document_types: list[str]
    checks: list[str] = Field(description="Those somebody has to decide on.")
    source_id: int
    findings: int
    undecided: int
    verdict_at: datetime
    due_at: datetime | None
    sla: Literal["overdue", "soon", "in_time", "none"]
    assignee: str | None
    claimed_by: str | None
    round: int


class Queue(Told):
    items: list[Waiting]
    after: str | None = Field(description="Leads to the next page; null at the end.")


class Counts(BaseModel):
    """How many documents wait, by what the queue can be narrowed to; of assignees `""` stands for nobody."""

    stage: dict[str, int]
    check: dict[str, int]
    type: dict[str, int]
    source: dict[str, int]
    assignee: dict[str, int]
    overdue: int
    soon: int


class Wanted(Narrowing):
    """Which document is wanted next."""

    besides: DocumentIds = Field([], description="Those not wanted, for instance the one on the screen.")


class Next(BaseModel):
    document_id: str | None = Field(description="Claimed now; null where nothing waits.")
    claim_seconds: float = Field(description="The claim ends after so long unless it is renewed.")


class Claim(BaseModel):
    document_id: str
    claim_seconds: float


class Taking(Sent):
    take_over: bool = Field(False, description="As a supervisor, also out of somebody else's hands.")


class Assignment(Sent):
    document_ids: DocumentIds
    assignee: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")] | None = Field(
        description="Null takes back what was assigned."
    )


class Assigned(BaseModel):
    document_ids: list[str] = Field(description="Those that still waited.")


class DeskFinding(Finding):
    """A finding as a reviewer sees it. A doubt has no confidence."""

    confidence: float | None  # type: ignore[assignment]
    outcome: Outcome
    asked: bool = Field(description="Somebody has to decide on it.")
    undecided: bool = Field(description="In this round nobody has.")
    reviews: list[Review] = Field(description="The decisions that stand and that you may see.")


class DeskDocument(Told):
    """A document as you may see it, with every finding of its newest scan."""

    id: str
    status: Status
    reason: str | None
    media_type: str
    priority: int
    source_id: int
    source: str
    arrived_at: datetime
    verdict_at: datetime | None
    judged_on: date
    model_version: str | None
    rules_version: str | None
    doctypes_version: str | None
    document_types: list[str]
    round: int | None = Field(description="1 first, 2 second opinion, 3 supervisor; null where nothing waits.")
    decided_at: datetime | None
    due_at: datetime | None
    assignee: str | None
    claimed_by: str | None
    claim_expires_at: datetime | None
    findings: list[DeskFinding]


class Decided(Review):
    """A decision, and what it came to."""

    document_id: str
    undecided: int = Field(description="Findings left to decide in this round.")
    done: bool = Field(description="Whether the document is decided.")


class Undo(Sent):
    finding_id: Annotated[int, Field(ge=1, lt=2**63)]


class Undone(BaseModel):
    document_id: str


class Report(Sent):
    """A defect that no finding tells of."""

    page: Annotated[int, Field(ge=1, le=100_000)]
    check: Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z]+$", max_length=100)]
    box: Drawn = Field(None, description="Where on the page.")
    field: Annotated[str, StringConstraints(pattern="^[a-z0-9_]+$", max_length=100)] | None = Field(
        None, description="The field's name; left out, it is the field at the box."
    )
    note: Note | None = None


class Miss(Told):
    """A defect that the machine missed and somebody reported."""

    id: int
    document_id: str
    page: int
    field: str | None
    check: str
    box: Corners
    note: str | None
    reporter: str
    reported_at: datetime


class Lookalike(Told):
    """A clear document with the pattern of a miss; `confidence` of its least sure pass there."""

    document_id: str
    verdict_at: datetime
    confidence: float


class Lookalikes(BaseModel):
    items: list[Lookalike]
    after: str | None = Field(description="Leads to the next page; null at the end.")


class Reopening(Sent):
    document_ids: DocumentIds


class Reopened(BaseModel):
    document_ids: list[str] = Field(description="Those that wait for a decision now.")


class Suggestion(Told):
    """The same finding dismissed again and again: a threshold or a template may be wrong."""

    check: str
    field: str | None
    document_type: str
    dismissed: int
    decided: int
    about: Literal["threshold", "template"]


class Suggestions(BaseModel):
    items: list[Suggestion]
