"""Model versions: listed, moved from stage to stage, taken back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from records import model_versions, scans
from records.words import Refused
from web.access import Caller
from web.api import bodies
from web.context import Desk
from web.problems import RESPONSES

router = APIRouter(prefix="/api/v1/models", tags=["models"], responses=RESPONSES)

Version = Annotated[str, Path(pattern="^[0-9A-Za-z._-]{1,100}$", description="The whole version, as the list has it.")]


@router.get("")
def list_models(desk: Desk) -> bodies.Models:
    """Every model version that has been recorded, the last one staged first."""
    with desk.sessions.begin() as session:
        return bodies.Models.model_validate({"items": model_versions.every(session)})


@router.post("/rollback")
def roll_back_model(desk: Desk, person: Caller, body: bodies.RollBack | None = None) -> bodies.RolledBack:
    """Takes back the version on trial; without one, the former version comes into production again.

    What it had cleared is scanned again by the one in production, and flagged where that one says so.
    """
    with desk.sessions.begin() as session:
        gone = model_versions.roll_back(session, by=person.subject)
        if body is not None and gone != body.version:
            raise Refused(f"version {gone} would be taken back by now, and not {body.version}; look again")
        production = model_versions.standing(session).production
    again = scans.rescan_all_cleared(desk.sessions, gone, actor=person.subject)
    return bodies.RolledBack(
        version=gone, production=None if production is None else production.version, scanned_again=again
    )


@router.post("/{version}/stage")
def stage_model(desk: Desk, person: Caller, version: Version, body: bodies.Move) -> bodies.Model:
    """Moves a version to a stage. Workers take it up within seconds; documents in hand are judged to the end."""
    with desk.sessions.begin() as session:
        model_versions.stage(session, version, body.stage, by=person.subject, share=body.share)
        return bodies.Model.model_validate(model_versions.get(session, version))
