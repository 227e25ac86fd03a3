"""The register of those who may endorse, for people."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from pipeline.doctypes.load import known
from records import endorsers as register
from web.api.endorsers import MOST_BYTES
from web.context import Desk
from web.problems import BadRequest
from web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/endorsers")
def endorsers_page(
    request: Request, desk: Desk, search: str = "", retired: bool = False, after: str | None = None
) -> Response:
    """The register in the order of names; for supervisors the ways to change it."""
    search = search.replace("\0", "").strip()[:200]
    with desk.sessions.begin() as session:
        try:
            page = register.search(session, search, include_retired=retired, after=after)
        except ValueError as wrong:
            raise BadRequest("This address leads to no page of the register.") from wrong
    return render(
        request,
        "endorsers.html",
        page=page,
        search=search,
        retired=retired,
        beyond=after is not None,
        types=[one.name for one in known(desk.config.doctypes_folder)],
        most_kb=MOST_BYTES // 1000,
    )
