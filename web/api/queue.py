"""The flagged queue for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from records import queue
from web.api import bodies
from web.context import Desk
from web.problems import RESPONSES, BadRequest

router = APIRouter(prefix="/api/v1/queue", tags=["queue"], responses=RESPONSES)

#: Ten years.
MOST_HOURS = 87_600


@router.get("")
def list_queue(
    desk: Desk,
    check: Annotated[str | None, Query(pattern=r"^[a-z]+\.[a-z]+$", max_length=100)] = None,
    type: Annotated[str | None, Query(pattern=r"^[a-z0-9-]+$", max_length=100)] = None,
    older_than_hours: Annotated[float | None, Query(ge=0, le=MOST_HOURS)] = None,
    reviewed: bool = False,
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> bodies.Queue:
    """Flagged documents, urgent ones first, then those that have waited longest. With `reviewed` also those with
    every finding decided."""
    with desk.sessions.begin() as session:
        try:
            page = queue.flagged(
                session,
                check=check,
                doctype=type,
                older_than=None if older_than_hours is None else timedelta(hours=older_than_hours),
                reviewed=reviewed,
                after=after,
                limit=limit,
            )
        except ValueError as wrong:
            raise BadRequest(str(wrong)) from wrong
    return bodies.Queue.model_validate(page)
