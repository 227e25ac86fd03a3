"""In whose hands a document is: taken, kept, put back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from records import claims
from web.access import Caller
from web.api import desk_bodies as bodies
from web.context import Desk
from web.problems import RESPONSES, Conflict

router = APIRouter(prefix="/api/v1/documents/{document_id}/claim", tags=["queue"], responses=RESPONSES)

Id = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The document's id.")]
LOST = "The document is no longer in your hands: the claim ran out and somebody else took it, or it is decided."


@router.post("")
def take_claim(desk: Desk, person: Caller, document_id: Id, taking: bodies.Taking) -> bodies.Claim:
    """Takes a document into your hands, so that nobody else decides on it meanwhile. 409 says why it can't be."""
    seconds = desk.config.rules.claim_seconds
    with desk.sessions.begin() as session:
        claims.claim(
            session,
            document_id,
            person.subject,
            seconds=seconds,
            supervisor=person.supervises,
            take_over=taking.take_over,
        )
    return bodies.Claim(document_id=document_id, claim_seconds=seconds)


@router.put("")
def renew_claim(desk: Desk, person: Caller, document_id: Id) -> bodies.Claim:
    """Keeps a document in your hands for as long again. 409 where it is no longer there."""
    seconds = desk.config.rules.claim_seconds
    with desk.sessions.begin() as session:
        kept = claims.renew(session, document_id, person.subject, seconds=seconds)
    if not kept:
        raise Conflict(LOST)
    return bodies.Claim(document_id=document_id, claim_seconds=seconds)


@router.delete("", status_code=204)
def release_claim(desk: Desk, person: Caller, document_id: Id) -> None:
    """Puts a document back; nothing happens where it was not in your hands."""
    with desk.sessions.begin() as session:
        claims.release(session, document_id, person.subject)
