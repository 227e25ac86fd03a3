"""What supervisors look after: what waits and is late, where reviewers differ, what is dismissed again and again, and
defects that were missed, with clear documents of the same pattern."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from records import desk, misses, tallies
from records.suggestions import suggestions
from web.access import Caller
from web.api.desk_bodies import DocumentId
from web.context import Desk
from web.narrowing import Narrowing
from web.pages.checks import called
from web.rendering import render

router = APIRouter(include_in_schema=False)

MissId = Annotated[int, Path(ge=1, lt=2**63)]
#: Disputed documents that are shown.
DISPUTED = Narrowing(stage="disputed")
#: Lookalikes on one page.
SHOWN = 200


class Chosen(BaseModel):
    document: list[DocumentId] = Field(default_factory=list)


@router.get("/oversight")
def oversight_page(request: Request, context: Desk, person: Caller) -> Response:
    """Everything that is a supervisor's to look after."""
    with context.sessions.begin() as session:
        return render(
            request,
            "oversight.html",
            counts=tallies.counts(session),
            due=tallies.due(session),
            disputed=desk.page(session, person.subject, supervisor=True, filters=DISPUTED.filters(), sort="age"),
            suggestions=suggestions(session, context.config.rules),
            rules=context.config.rules,
            missed=misses.recent(session),
            called=called,
        )


@router.get("/misses/{miss_id}")
def lookalikes_page(
    request: Request,
    context: Desk,
    person: Caller,
    miss_id: MissId,
    after: Annotated[str, Query(pattern="^[0-9a-f]{0,64}$")] = "",
    reopened: Annotated[int | None, Query(ge=0, lt=10_000)] = None,
) -> Response:
    """Clear documents that a missed defect may be in as well."""
    with context.sessions.begin() as session:
        found = misses.lookalikes(session, miss_id, after=after, limit=SHOWN)
    more = found[-1].document_id if len(found) == SHOWN else None
    return render(
        request, "lookalikes.html", miss_id=miss_id, found=found, more=more, beyond=bool(after), reopened=reopened
    )


@router.post("/misses/{miss_id}/reopen")
def reopen(context: Desk, person: Caller, miss_id: MissId, chosen: Annotated[Chosen, Form()]) -> Response:
    """Puts those that were ticked before reviewers."""
    with context.sessions.begin() as session:
        done = misses.reopen(
            session, miss_id, chosen.document[:SHOWN], actor=person.subject, rules=context.config.rules
        )
    return RedirectResponse(f"/misses/{miss_id}?reopened={len(done)}", HTTPStatus.SEE_OTHER)
