"""Model versions and trainings, for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from records import model_versions, model_views, trainings
from web.access import Caller
from web.context import Desk
from web.pages.checks import called
from web.problems import NotFound
from web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/models")
def models_page(request: Request, desk: Desk) -> Response:
    """Every version with its stage, and the newest trainings."""
    with desk.sessions.begin() as session:
        found, tried = model_versions.every(session), trainings.latest(session, 20)
    return render(request, "models.html", versions=found, trainings=tried)


@router.get("/models/{version}")
def model_page(
    request: Request, desk: Desk, version: Annotated[str, Path(pattern="^[0-9A-Za-z._-]{1,100}$")]
) -> Response:
    """One version: where it comes from, what it was measured at, what the gate said."""
    with desk.sessions.begin() as session:
        try:
            shown = model_views.version(session, version)
        except LookupError as missing:
            raise NotFound("There is no such model version.") from missing
    return render(request, "model.html", shown=shown, called=called)


@router.post("/models/train")
def train(desk: Desk, person: Caller) -> Response:
    """Asks for a training now. Refused while another waits or runs."""
    with desk.sessions.begin() as session:
        trainings.ask(session, by=person.subject)
    return RedirectResponse("/models", HTTPStatus.SEE_OTHER)
