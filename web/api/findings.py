"""Findings, across documents, and the evidence of each."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from records import listing, queue
from web import opening
from web.access import Caller
from web.api import bodies
from web.api.documents import picture
from web.context import Desk
from web.problems import RESPONSES, BadRequest

router = APIRouter(prefix="/api/v1/findings", tags=["findings"], responses=RESPONSES)

Id = Annotated[int, Path(ge=1, lt=2**63, description="The finding's id.")]


@router.get("")
def list_findings(
    desk: Desk,
    check: Annotated[str | None, Query(pattern=r"^[a-z]+\.[a-z]+$", max_length=100)] = None,
    outcome: bodies.Outcome | None = None,
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> bodies.Findings:
    """Findings of the newest scan of each document, in the order of scanning; those that passed with `outcome=pass`."""
    with desk.sessions.begin() as session:
        try:
            page = listing.findings(session, check=check, outcome=outcome, after=after, limit=limit)
        except ValueError as wrong:
            raise BadRequest(str(wrong)) from wrong
    return bodies.Findings.model_validate(page)


@router.get("/{finding_id}")
def show_finding(desk: Desk, response: Response, finding_id: Id) -> bodies.FindingOfDocument:
    """One finding of a document's newest scan, with the `ETag` of the document."""
    with desk.sessions.begin() as session:
        document = queue.document(session, listing.document_of(session, finding_id))
        response.headers["ETag"] = f'"{listing.state(session, document.id)}"'
    for one in document.findings:
        if one.id == finding_id:
            return bodies.FindingOfDocument.model_validate({"document_id": document.id, "finding": one})
    raise LookupError(f"finding {finding_id} is of a scan that a newer one has replaced")


@router.get("/{finding_id}/evidence", response_class=Response, responses={200: {"content": {"image/png": {}}}})
def evidence_image(desk: Desk, person: Caller, finding_id: Id) -> Response:
    """The picture that shows the finding, as it was cut, or its page. That it was opened is written down."""
    with desk.sessions.begin() as session:
        document_id = listing.document_of(session, finding_id)
    return picture(opening.evidence(desk, person, document_id, finding_id))
