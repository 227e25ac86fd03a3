"""The queue of the desk: what waits for a decision, the next document, and who gets what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from records import claims, desk, listing, tallies
from web.access import Caller
from web.api import desk_bodies as bodies
from web.context import Desk
from web.narrowing import Listed
from web.problems import RESPONSES, BadRequest

router = APIRouter(prefix="/api/v1/queue", tags=["queue"], responses=RESPONSES)

Id = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The document's id.")]


@router.get("")
def list_queue(context: Desk, person: Caller, listed: Annotated[Listed, Query()]) -> bodies.Queue:
    """Documents that wait for a decision that you may take, urgent ones first, then by risk or by age."""
    with context.sessions.begin() as session:
        try:
            page = desk.page(
                session,
                person.subject,
                supervisor=person.sees_all,
                filters=listed.filters(),
                sort=listed.sort,
                after=listed.after,
                limit=listed.limit,
            )
        except ValueError as wrong:
            raise BadRequest(str(wrong)) from wrong
    return bodies.Queue.model_validate(page)


@router.get("/counts")
def count_queue(context: Desk) -> bodies.Counts:
    """How many documents wait, whoever they are for."""
    with context.sessions.begin() as session:
        return bodies.Counts(**tallies.counts(session), **tallies.due(session))


@router.post("/next")
def next_document(context: Desk, person: Caller, wanted: bodies.Wanted) -> bodies.Next:
    """Claims the next document for you: one that you hold already, else one assigned to you, else the riskiest that is
    nobody's. Two who ask at once get different ones."""
    seconds = context.config.rules.claim_seconds
    with context.sessions.begin() as session:
        found = claims.next_for(
            session,
            person.subject,
            seconds=seconds,
            supervisor=person.supervises,
            besides=wanted.besides,
            filters=wanted.filters(),
        )
    return bodies.Next(document_id=found, claim_seconds=seconds)


@router.post("/assignments")
def assign_documents(context: Desk, person: Caller, assignment: bodies.Assignment) -> bodies.Assigned:
    """Gives documents to a reviewer, or takes back what was assigned. What somebody has in hand stays there."""
    with context.sessions.begin() as session:
        done = claims.assign(session, assignment.document_ids, assignment.assignee, actor=person.subject)
    return bodies.Assigned(document_ids=done)


@router.get("/{document_id}")
def show_case(context: Desk, person: Caller, response: Response, document_id: Id) -> bodies.DeskDocument:
    """A document as you may see it: who gives a second opinion doesn't see the first. With the document's `ETag`."""
    with context.sessions.begin() as session:
        found = desk.document(session, document_id, person.subject, supervisor=person.sees_all)
        response.headers["ETag"] = f'"{listing.state(session, document_id)}"'
    return bodies.DeskDocument.model_validate(found)
