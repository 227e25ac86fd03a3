"""Annotation mode for people: the sets, and the bench where a document is labelled."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from pipeline.doctypes.schema import FieldKind
from pipeline.labels import OF_PAPER
from records import labels
from web.api.doctypes import in_use
from web.api.label_bodies import SetId
from web.context import Desk
from web.rendering import render

router = APIRouter(include_in_schema=False)

#: Kind of a free box → the key that says so; the first letter of its English name.
KEYS = {kind.value: kind.value[0] for kind in FieldKind}
#: Defects that no field shows.
OTHERS = (*OF_PAPER, "endorsement.unauthorised")


@router.get("/labels")
def label_sets_page(request: Request, desk: Desk) -> Response:
    """The sets of documents to label, and the way to a new one."""
    with desk.sessions.begin() as session:
        found = labels.sets(session)
    return render(request, "label_sets.html", sets=found, types=[one.name for one in in_use(desk)])


@router.get("/labels/{set_id}")
def labelling_page(request: Request, desk: Desk, set_id: SetId) -> Response:
    """Where the documents of a set are labelled, one after the other."""
    with desk.sessions.begin() as session:
        found = labels.find(session, set_id)
    return render(request, "labelling.html", set=found, keys=KEYS, others=OTHERS)
