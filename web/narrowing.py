"""What narrows the queue, as it stands in addresses, forms and bodies: the same for pages and programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from records.desk_filters import Filters, Sla, Stage

#: Ten years.
MOST_HOURS = 87_600
#: What `assignee` says for documents that are assigned to nobody.
NOBODY = "-"

Hours = Annotated[float, Field(ge=0, le=MOST_HOURS)]
Share = Annotated[float, Field(ge=0, le=1)]


class Narrowing(BaseModel):
    """Everything may be left out; a form sends what is not chosen as empty."""

    model_config = ConfigDict(extra="ignore")

    check: Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z]+$", max_length=100)] | None = None
    type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=100)] | None = None
    source: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    assignee: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] | None = Field(
        None, description=f"A reviewer, or `{NOBODY}` for what is assigned to nobody."
    )
    older_than_hours: Hours | None = Field(None, description="Since the verdict.")
    newer_than_hours: Hours | None = Field(None, description="Since the verdict.")
    risk_from: Share | None = Field(None, description="The probability that a defect is there, at least.")
    risk_to: Share | None = Field(None, description="The same, at most.")
    sla: Sla | None = Field(None, description="Where it stands to its due time.")
    stage: Stage | None = Field(
        None, description="First decision, second opinion, or disputed: for a supervisor to decide."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _chosen(cls, value: Any) -> Any:
        return None if value == "" else value

    def filters(self) -> Filters:
        return Filters(
            check=self.check,
            doctype=self.type,
            source_id=self.source,
            assignee="" if self.assignee == NOBODY else self.assignee,
            older_than=None if self.older_than_hours is None else timedelta(hours=self.older_than_hours),
            newer_than=None if self.newer_than_hours is None else timedelta(hours=self.newer_than_hours),
            risk_from=self.risk_from,
            risk_to=self.risk_to,
            sla=self.sla,
            stage=self.stage,
        )

    def narrowed(self) -> dict[str, Any]:
        """What was chosen, for addresses and forms."""
        chosen: dict[str, Any] = self.model_dump(include=set(Narrowing.model_fields), exclude_none=True)
        return chosen


class Listed(Narrowing):
    """A page of the queue."""

    sort: Literal["risk", "age"] = "risk"
    after: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="What the page before gave as `after`."
    )
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    @field_validator("sort", "limit", mode="before")
    @classmethod
    def _usual(cls, value: Any, info: Any) -> Any:
        return cls.model_fields[info.field_name].default if value in (None, "") else value
