"""Document types for people: those in use, and the editor in which new ones are drawn."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from pipeline.doctypes.author import CHECKS
from pipeline.doctypes.recover import LEAST_SAMPLES, MOST_SAMPLES
from pipeline.doctypes.schema import FieldKind, Identifier
from pipeline.findings import CHECKS as ALL
from records import drafts
from web.api.doctypes import Name, in_use, line, named, own
from web.api.drafts import DraftId
from web.context import Desk
from web.rendering import render
from web.workshop import MOST_PAGES

router = APIRouter(include_in_schema=False)

#: Checks that are offered for a kind of field, beside those proposed for it.
MORE = {
    FieldKind.DATE: ("date.stale", "date.order"),
    FieldKind.AMOUNT: ("amount.mismatch",),
    FieldKind.IDENTIFIER: ("aadhaar.unmasked",),
    FieldKind.CHECKBOX: ("field.missing",),
}
OFFERED = {kind.value: (*CHECKS[kind], *MORE.get(kind, ())) for kind in FieldKind}


@router.get("/doctypes")
def types_page(request: Request, desk: Desk) -> Response:
    """The types in use, drafts of new ones, and the way to another."""
    with desk.sessions.begin() as session:
        open_ = drafts.opened(session)
    most = desk.config.max_file_bytes >> 20
    limits = {"least": LEAST_SAMPLES, "most": MOST_SAMPLES, "pages": MOST_PAGES, "mib": most}
    return render(request, "doctypes.html", types=[line(one) for one in in_use(desk)], drafts=open_, limits=limits)


@router.get("/doctypes/{name}")
def type_page(request: Request, desk: Desk, name: Name) -> Response:
    """A type with its fields, as it stands."""
    one = named(desk, name)
    with desk.sessions.begin() as session:
        recorded = drafts.versions(session, name)
    return render(request, "doctype.html", type=one, own=own(one), versions=recorded)


@router.get("/doctypes/drafts/{draft_id}")
def editor_page(request: Request, desk: Desk, draft_id: DraftId) -> Response:
    """Where a draft is drawn; while it is being made, how far that is."""
    with desk.sessions.begin() as session:
        one = drafts.find(session, draft_id)
    return render(
        request,
        "doctype_editor.html",
        draft=one,
        kinds=[kind.value for kind in FieldKind],
        identifiers=[each.value for each in Identifier],
        checks=[check for check in ALL if any(check in each for each in OFFERED.values())],
        offered={kind: " ".join(names) for kind, names in OFFERED.items()},
        usual={kind.value: " ".join(names) for kind, names in CHECKS.items()},
    )
