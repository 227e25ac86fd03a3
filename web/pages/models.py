"""Model versions and trainings, for people."""

from __future__ import annotations

import base64
import hashlib
import re
from http import HTTPStatus
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from records import model_versions, model_views, quarter, trainings
from records.quarter import Quarter
from web import quarter as quarter_file
from web.access import Caller
from web.context import Context, Desk
from web.labels import label, language
from web.pages.checks import called
from web.problems import NotFound
from web.quarter import bound_chart
from web.rendering import render

router = APIRouter(include_in_schema=False)

Version = Annotated[str, Path(pattern="^[0-9A-Za-z._-]{1,100}$")]
Number = Annotated[int, Path(ge=1, lt=2**63)]

STYLE = re.compile("<style>(.*?)</style>", re.DOTALL)


@router.get("/models")
def models_page(request: Request, desk: Desk) -> Response:
    """Every version with its stage, and the newest trainings."""
    with desk.sessions.begin() as session:
        found, tried = model_versions.every(session), trainings.latest(session, 20)
    return render(request, "models.html", versions=found, trainings=tried)


@router.get("/models/{version}")
def model_page(request: Request, desk: Desk, version: Version) -> Response:
    """One version: where it comes from, what it was measured at, what the gate said, where it may go."""
    code, zone = language(request), desk.config.timezone
    with desk.sessions.begin() as session:
        try:
            shown = model_views.version(session, version, zone)
        except LookupError as missing:
            raise NotFound("There is no such model version.") from missing
    name = label("Missed at most", code)
    charts = {
        check: bound_chart(label(called(check), code), name, each, ZoneInfo(zone))
        for check, each in shown.bounds.items()
    }
    promises = desk.config.promises(version)
    return render(request, "model.html", shown=shown, called=called, charts=charts, promises=promises)


@router.get("/models/{version}/report")
def version_report(desk: Desk, version: Version) -> Response:
    """What was learned for a version, as `docvigil models report` writes it."""
    with desk.sessions.begin() as session:
        try:
            return _report(desk, quarter.of_version(session, version))
        except LookupError as missing:
            raise NotFound("There is no such model version.") from missing


@router.get("/trainings/{number}/report")
def training_report(desk: Desk, number: Number) -> Response:
    """What came of a training, as `docvigil models report` writes it."""
    with desk.sessions.begin() as session:
        try:
            return _report(desk, quarter.of_training(session, number))
        except LookupError as missing:
            raise NotFound("There is no such training.") from missing


@router.post("/models/train")
def train(desk: Desk, person: Caller) -> Response:
    """Asks for a training now. Refused while another waits or runs."""
    with desk.sessions.begin() as session:
        trainings.ask(session, by=person.subject)
    return RedirectResponse("/models", HTTPStatus.SEE_OTHER)


def _report(desk: Context, found: Quarter) -> Response:
    """The file that needs nothing else: its own style is let in by its digest, and nothing besides."""
    page = quarter_file.page(found, desk.config.timezone)
    digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in STYLE.findall(page)]
    allowed = " ".join(f"'sha256-{one}'" for one in digests)
    policy = f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Content-Language": "en"})
