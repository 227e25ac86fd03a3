"""Decisions of reviewers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response

from records import listing, replies
from records.replies import Asked
from records.reviews import review
from web.access import Caller
from web.api import bodies
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
) -> bodies.Review:
    """Decides on a finding of a document's newest scan. A second thought is a second review, and the latest counts."""
    asked = None
    with desk.sessions.begin() as session:
        if idempotency_key is not None:
            asked = Asked.of(person.subject, idempotency_key, decision.model_dump())
            if (before := replies.known(session, asked)) is not None:
                return bodies.Review.model_validate(before)
        document_id = listing.document_of(session, decision.finding_id)
        state = listing.state(session, document_id, lock=True)
        if not matches(if_match, state):
            raise Stale("The document has changed since you looked at it. Load it again, then decide.")
        done = review(
            session,
            decision.finding_id,
            decision.decision,
            reviewer=person.subject,
            value=decision.value,
            note=decision.note,
        )
        told = bodies.Review.model_validate(done)
        if asked is not None:
            replies.keep(session, asked, told.model_dump(mode="json"))
        response.headers["ETag"] = f'"{listing.state(session, document_id)}"'
    return told


def matches(if_match: str | None, state: str) -> bool:
    """Whether the state is one of those that the caller has seen; a caller that says nothing takes any."""
    if if_match is None or if_match.strip() == "*":
        return True
    # Weak tags never match here (RFC 9110, 13.1.1).
    return f'"{state}"' in (one.strip() for one in if_match.split(","))
