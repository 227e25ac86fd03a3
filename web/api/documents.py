"""Documents: listed, shown, their pages and originals, and taken in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from records import listing, queue
from web import opening
from web.access import Caller
from web.api import bodies
from web.api.uploads import UPLOAD_BODY, take_in
from web.context import Desk
from web.problems import RESPONSES, BadRequest, NotFound

router = APIRouter(prefix="/api/v1/documents", tags=["documents"], responses=RESPONSES)

Id = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The document's id.")]
#: Evidence may stay in the browser of the one who may see it for a moment, and nowhere else.
PRIVATE = {"Cache-Control": "private, max-age=300"}
CHUNK_BYTES = 2**18


@router.get("")
def list_documents(
    desk: Desk,
    status: bodies.Status | None = None,
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> bodies.Documents:
    """Documents, the newest first."""
    with desk.sessions.begin() as session:
        try:
            page = listing.documents(session, status=status, after=after, limit=limit)
        except ValueError as wrong:
            raise BadRequest(str(wrong)) from wrong
    return bodies.Documents.model_validate(page)


@router.post("", status_code=201, response_model=bodies.Uploaded, openapi_extra=UPLOAD_BODY)
async def upload_document(request: Request, response: Response, desk: Desk) -> bodies.Uploaded:
    """Takes in a file: 201 for a new document, 200 for known content. It is scanned before what lies in folders.

    422 says why a file can't be taken in.
    """
    taken = await take_in(request, desk)
    response.status_code = 201 if taken.status == "document" else 200
    return bodies.Uploaded.model_validate(taken, from_attributes=True)


@router.get("/{document_id}")
def show_document(desk: Desk, response: Response, document_id: Id) -> bodies.Document:
    """A document with everything about it. The `ETag` changes with every verdict and decision; send it back as
    `If-Match` with a decision, so that it counts only if nothing has changed meanwhile."""
    with desk.sessions.begin() as session:
        document = queue.document(session, document_id)
        response.headers["ETag"] = f'"{listing.state(session, document_id)}"'
    told = {name: getattr(document, name) for name in bodies.Document.model_fields if name != "pages"}
    return bodies.Document.model_validate({**told, "pages": opening.pages(document)}, from_attributes=True)


@router.get("/{document_id}/pages/{number}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def page_image(desk: Desk, person: Caller, document_id: Id, number: Annotated[int, Path(ge=1, le=100_000)]) -> Response:
    """The picture of a page, with sensitive boxes masked. That it was opened is written down."""
    return picture(opening.page(desk, person, document_id, number))


@router.get("/{document_id}/original", response_class=Response)
def original(desk: Desk, person: Caller, document_id: Id) -> Response:
    """The file as it arrived, to be saved. That it was opened is written down."""
    stream = opening.original(desk, person, document_id)
    # Whatever it is, no browser shows it as a page of ours.
    headers = {"Content-Disposition": f'attachment; filename="{document_id[:12]}"'}
    return StreamingResponse(_chunks(stream), media_type="application/octet-stream", headers=headers)


def picture(body: bytes) -> Response:
    """A picture of ours as a response. Raises NotFound where it is none."""
    for start, media_type in ((b"\xff\xd8", "image/jpeg"), (b"\x89PNG", "image/png")):
        if body.startswith(start):
            return Response(body, media_type=media_type, headers=PRIVATE)
    raise NotFound("What is stored there is no picture.")


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
