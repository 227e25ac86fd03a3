"""The flagged queue: what waits for a person."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from records import queue
from web.context import Desk
from web.problems import BadRequest
from web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/")
def queue_page(request: Request, desk: Desk, after: str | None = None) -> Response:
    """Urgent documents first, then those that have waited longest."""
    with desk.sessions.begin() as session:
        try:
            page = queue.flagged(session, after=after)
        except ValueError as wrong:
            raise BadRequest("This address leads to no page of the queue.") from wrong
    return render(request, "queue.html", page=page, beyond=after is not None)
