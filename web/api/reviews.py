"""Decisions of reviewers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response

from records import listing, replies, reviews
from records.replies import Asked
from web.access import Caller
from web.api import bodies, desk_bodies
from web.context import Desk
from web.problems import RESPONSES, Stale

router = APIRouter(prefix="/api/v1/reviews", tags=["reviews"], responses=RESPONSES)

Key = Annotated[
    str | None,
    Header(pattern=r"^[\x21-\x7e]{1,100}$", description="Sent again with the same key, a request is done once."),
]
IfMatch = Annotated[
    str | None,
    Header(max_length=200, description="The document's ETag: 412 where it has changed since, and nothing is done."),
]


@router.post("", status_code=201)
def post_review(
    desk: Desk,
    person: Caller,
    response: Response,
    decision: bodies.Decision,
    idempotency_key: Key = None,
    if_match: IfMatch = None,
) -> desk_bodies.Decided:
    """Decides on a finding that somebody is asked about, once. The document is in your hands then; 409 where it is in
    somebody else's, or is decided already. A correction has the value or the box that is right."""
    asked = None
    with desk.sessions.begin() as session:
        if idempotency_key is not None:
            asked = Asked.of(person.subject, idempotency_key, decision.model_dump(mode="json"))
            if (before := replies.known(session, asked)) is not None:
                return desk_bodies.Decided.model_validate(before)
        document_id = listing.document_of(session, decision.finding_id)
        state = listing.state(session, document_id, lock=True)
        if not matches(if_match, state):
            raise Stale("The document has changed since you looked at it. Load it again, then decide.")
        chosen = reviews.Decision(decision.decision, decision.value, decision.box, decision.note)
        done = reviews.decide(
            session,
            decision.finding_id,
            chosen,
            reviewer=person.subject,
            rules=desk.config.rules,
            supervisor=person.supervises,
        )
        told = desk_bodies.Decided(
            **bodies.Review.model_validate(done.review).model_dump(),
            document_id=document_id,
            undecided=done.undecided,
            done=done.done,
        )
        if asked is not None:
            replies.keep(session, asked, told.model_dump(mode="json"))
        response.headers["ETag"] = f'"{listing.state(session, document_id)}"'
    return told


@router.post("/undo")
def undo_review(desk: Desk, person: Caller, response: Response, undo: desk_bodies.Undo) -> desk_bodies.Undone:
    """Takes back your last decision on a finding, within the time for that and while nobody has gone on from it. The
    document is in your hands again."""
    with desk.sessions.begin() as session:
        document_id = listing.document_of(session, undo.finding_id)
        reviews.undo(session, undo.finding_id, reviewer=person.subject, rules=desk.config.rules)
        response.headers["ETag"] = f'"{listing.state(session, document_id)}"'
    return desk_bodies.Undone(document_id=document_id)


def matches(if_match: str | None, state: str) -> bool:
    """Whether the state is one of those that the caller has seen; a caller that says nothing takes any."""
    if if_match is None or if_match.strip() == "*":
        return True
    # Weak tags never match here (RFC 9110, 13.1.1).
    return f'"{state}"' in (one.strip() for one in if_match.split(","))
