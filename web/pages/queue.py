"""The queue of the desk: what waits for a person, narrowed and sorted; the next document; who gets what."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from records import claims, desk, tallies
from records.desk_filters import ALL
from web.access import Caller
from web.api.desk_bodies import DocumentId
from web.context import Desk
from web.narrowing import NOBODY, Listed, Narrowing
from web.pages.checks import LABELS, called
from web.problems import BadRequest
from web.rendering import render

router = APIRouter(include_in_schema=False)

#: What the address of the page may say about how one came there.
TOLD = {
    "none": "Nothing more waits for you at the moment.",
    "done": "That was the last one. Nothing more waits for you at the moment.",
    "assigned": "{count} documents are assigned.",
}
#: Hours that can be chosen for the age.
AGES = {4: "4 hours", 24: "1 day", 72: "3 days", 168: "1 week"}
#: Probabilities that can be chosen.
RISKS = (0.5, 0.7, 0.9, 0.95, 0.99)


class Shown(Listed):
    """What the address says: what is shown, and what just happened."""

    told: str = ""
    count: Annotated[int, Field(ge=0, lt=1000)] = 0


class Handed(Narrowing):
    """The form of the list: the documents that were ticked, and who gets them. Its filters lead back."""

    document: list[DocumentId] = Field(default_factory=list)
    to: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""


@router.get("/")
def queue_page(request: Request, context: Desk, person: Caller, shown: Annotated[Shown, Query()]) -> Response:
    """What waits, with the ways to narrow it."""
    filters = shown.filters()
    with context.sessions.begin() as session:
        try:
            page = desk.page(
                session,
                person.subject,
                supervisor=person.sees_all,
                filters=filters,
                sort=shown.sort,
                after=shown.after,
                limit=shown.limit,
            )
        except ValueError as wrong:
            raise BadRequest("This address leads to no page of the queue.") from wrong
        counts, due = tallies.counts(session), tallies.due(session)
        found = None
        if filters != ALL:
            found = desk.count(session, person.subject, supervisor=person.sees_all, filters=filters)
        sources = desk.sources(session)
    return render(
        request,
        "queue.html",
        page=page,
        shown=shown,
        narrowed=shown.narrowed(),
        address=lambda **changed: _address(shown, changed),
        counts=counts,
        due=due,
        found=found,
        sources=sources,
        checks=LABELS,
        called=called,
        ages=AGES,
        risks=RISKS,
        nobody=NOBODY,
        told=TOLD.get(shown.told),
    )


@router.post("/next")
def take_next(context: Desk, person: Caller, wanted: Annotated[Narrowing, Form()]) -> Response:
    """Claims the next document and leads there; back to the queue where nothing waits."""
    with context.sessions.begin() as session:
        found = claims.next_for(
            session,
            person.subject,
            seconds=context.config.rules.claim_seconds,
            supervisor=person.supervises,
            filters=wanted.filters(),
        )
    chosen = wanted.narrowed()
    if found is None:
        return _to("/", {**chosen, "told": "none"})
    return _to(f"/documents/{found}", chosen)


@router.post("/assign")
def assign(context: Desk, person: Caller, handed: Annotated[Handed, Form()]) -> Response:
    """Gives the documents that were ticked to somebody; to nobody in particular where no name is given."""
    with context.sessions.begin() as session:
        done = claims.assign(session, handed.document[:500], handed.to.strip() or None, actor=person.subject)
    return _to("/", {**handed.narrowed(), "told": "assigned", "count": len(done)})


def _address(shown: Shown, changed: Mapping[str, Any]) -> str:
    """This page with something changed; another first page unless `after` is given."""
    here = {**shown.narrowed(), **({"sort": shown.sort} if shown.sort != "risk" else {}), **changed}
    kept = {name: value for name, value in here.items() if value is not None}
    return f"/?{urlencode(kept)}" if kept else "/"


def _to(path: str, query: Mapping[str, Any]) -> RedirectResponse:
    return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, HTTPStatus.SEE_OTHER)
