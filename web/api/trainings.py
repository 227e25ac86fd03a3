"""Trainings from what reviewers decided: asked for, watched, cancelled."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from records import trainings
from web.access import Caller
from web.api.bodies import Told
from web.context import Desk
from web.problems import RESPONSES

router = APIRouter(prefix="/api/v1/trainings", tags=["models"], responses=RESPONSES)

Number = Annotated[int, Path(ge=1, lt=2**63, description="The training's number.")]


class Training(Told):
    """One attempt at a better model version."""

    id: int
    cause: Literal["scheduled", "asked", "drift"]
    asked_by: str
    due_on: date | None = Field(description="The day on which the calendar had it due.")
    stage: Literal["waiting", "gathering", "training", "evaluating", "passed", "refused", "failed", "cancelled"]
    at_work: bool = Field(description="Whether a worker has it in hand.")
    parent: str | None = Field(description="The model version it goes on from.")
    candidate: str | None = Field(description="The model version that came out.")
    progress: dict[str, Any] = Field(
        description="Of what is known by now: `examples` by side, `step`, `steps`, `loss`, `evaluation`, `per_second`, "
        "`remaining` (seconds), `curve` (losses by step), `gate`."
    )
    error: str | None = Field(description="Why it was refused, or failed.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Trainings(Told):
    items: list[Training]


@router.get("")
def list_trainings(desk: Desk, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> Trainings:
    """Trainings, the newest first."""
    with desk.sessions.begin() as session:
        return Trainings.model_validate({"items": trainings.latest(session, limit)})


@router.get("/{number}")
def show_training(desk: Desk, number: Number) -> Training:
    """One training: how far it is, or how it ended."""
    with desk.sessions.begin() as session:
        return Training.model_validate(trainings.get(session, number))


@router.post("", status_code=201)
def ask_training(desk: Desk, person: Caller) -> Training:
    """Asks for a training now. Refused while another waits or runs."""
    with desk.sessions.begin() as session:
        number = trainings.ask(session, by=person.subject)
        return Training.model_validate(trainings.get(session, number))


@router.delete("/{number}", status_code=204)
def cancel_training(desk: Desk, person: Caller, number: Number) -> None:
    """Ends a training that waits or runs; what it learned is dropped."""
    with desk.sessions.begin() as session:
        trainings.cancel(session, number, by=person.subject)
