"""Annotation for pilots: sets of documents that people label from scratch."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from pipeline import labels as given
from pipeline.doctypes.schema import DocumentType
from pipeline.labels import Labelling
from records import endorsers, labels, queue
from records.words import DocumentView
from web import opening
from web.access import Caller
from web.api.doctypes import in_use
from web.api.documents import Id
from web.api.label_bodies import (
    Added,
    Defect,
    Given,
    Kept,
    Labels,
    LabelSet,
    LabelSets,
    NewSet,
    Next,
    Place,
    SetId,
    Sheet,
    Work,
)
from web.api.uploads import UPLOAD_BODY, take_in
from web.context import Context, Desk
from web.problems import RESPONSES, Unfit
from workers.manifest import Manifest

router = APIRouter(prefix="/api/v1/labels", tags=["labels"], responses=RESPONSES)


@router.get("/sets")
def list_label_sets(desk: Desk) -> LabelSets:
    """The sets, the newest first."""
    with desk.sessions.begin() as session:
        return LabelSets(items=[LabelSet.model_validate(one) for one in labels.sets(session)])


@router.post("/sets", status_code=201)
def add_label_set(desk: Desk, person: Caller, new: NewSet) -> LabelSet:
    """A new set, of documents that are here or of files that are uploaded to it."""
    if new.document_type is not None:
        _type(desk, new.document_type)
    with desk.sessions.begin() as session:
        made = labels.begin(session, new.name, new.document_type, actor=person.subject)
        if new.count:
            filters = {"status": new.status, "document_type": new.recognised_as}
            labels.fill(session, made.id, count=new.count, **filters)
        return LabelSet.model_validate(labels.find(session, made.id))


@router.post("/sets/{set_id}/documents", status_code=201, openapi_extra=UPLOAD_BODY)
async def add_label_document(request: Request, desk: Desk, set_id: SetId) -> Added:
    """Takes in a file and puts it into the set. It can be labelled once it has been prepared."""
    await run_in_threadpool(_find, desk, set_id)
    taken = await take_in(request, desk)
    if taken.document_id is None:
        raise Unfit("The file can't be taken in.")
    return await run_in_threadpool(_add, desk, set_id, taken.document_id)


@router.post("/sets/{set_id}/next")
def next_label_document(desk: Desk, person: Caller, set_id: SetId) -> Next:
    """A document without a label, for twenty minutes in the caller's hands only."""
    with desk.sessions.begin() as session:
        labels.find(session, set_id)
        return Next(document_id=labels.next_for(session, set_id, person.subject))


@router.get("/documents/{document_id}")
def show_labels(desk: Desk, document_id: Id, set_id: Annotated[int | None, Query(ge=1, lt=2**63)] = None) -> Work:
    """A document with its pages, the fields to label and the label that counts so far."""
    with desk.sessions.begin() as session:
        document = queue.document(session, document_id)
        latest = labels.latest(session, document_id)
        wanted = None if set_id is None else labels.find(session, set_id).document_type
    pages = opening.pages(document)
    name = (
        wanted
        or (latest.document_type if latest else None)
        or next((one.doctype.partition("@")[0] for one in pages if one.doctype), None)
    )
    doctype = next((one for one in in_use(desk) if one.name == name), None)
    return Work(
        document_id=document_id,
        document_type=None if doctype is None else doctype.name,
        pages=[Sheet.model_validate(one) for one in pages],
        fields=[] if doctype is None else _places(document, doctype),
        label=None if latest is None else Labels.model_validate(latest),
    )


@router.post("/documents/{document_id}", status_code=201)
def post_labels(desk: Desk, person: Caller, document_id: Id, said: Given) -> Kept:
    """Writes down what stands on a document; the latest label counts. Of an Aadhaar number four digits are kept."""
    try:
        fields = tuple(given.LabelledField.of(one.model_dump()) for one in said.fields)
        extra = [given.Defect.of(one.model_dump()) for one in said.defects]
    except ValueError as wrong:
        raise Unfit(f"The labels can't be taken: {wrong}.") from wrong
    doctype = None if said.document_type is None else _type(desk, said.document_type)
    label = Labelling("", said.document_type, fields, tuple(extra))
    return keep(desk, person.subject, document_id, label, doctype, said.set_id, "labelled")


def _find(desk: Context, set_id: int) -> None:
    with desk.sessions.begin() as session:
        labels.find(session, set_id)


def _add(desk: Context, set_id: int, document_id: str) -> Added:
    with desk.sessions.begin() as session:
        return Added(document_id=document_id, added=bool(labels.add(session, set_id, [document_id])))


def _type(desk: Context, name: str) -> DocumentType:
    found = next((one for one in in_use(desk) if one.name == name), None)
    if found is None:
        raise Unfit(f"There is no document type {name}.")
    return found


def _places(document: DocumentView, doctype: DocumentType) -> list[Place]:
    """The type's fields in its order: where they were found in the file, else to be drawn on their page."""
    manifest = Manifest.from_json(document.scan.manifest) if document.scan.manifest else None
    pages = opening.pages(document)
    sheets: dict[int, list[int]] = {}
    for one in pages:
        if one.doctype and one.doctype.partition("@")[0] == doctype.name and one.form_page:
            sheets.setdefault(one.form_page, []).append(one.number)
    cuts = {(one.page, one.field): one for one in (manifest.evidences if manifest else ())}
    last = len(pages) or 1
    places = []
    for field in doctype.fields:
        for page in sheets.get(field.page, [min(field.page, last)]):
            cut = cuts.get((page, field.name))
            box = None if cut is None else cut.where
            places.append(
                Place(name=field.name, label=field.label, kind=field.kind, page=page, box=box, cells=field.cells)
            )
    return places


def keep(
    desk: Context,
    actor: str,
    document_id: str,
    label: Labelling,
    doctype: DocumentType | None,
    set_id: int | None,
    cause: str,
) -> Kept:
    """Writes down a label, with the defects that follow from its type's checks."""
    with desk.sessions.begin() as session:
        found = {(one.page, one.field, one.check): one for one in label.defects}
        if doctype is not None:
            on = queue.document(session, document_id).scan.judged_on
            for one in given.defects(doctype, label.fields, on, endorsers.as_of(session)):
                found.setdefault((one.page, one.field, one.check), one)
        number = labels.keep(
            session,
            document_id,
            None if doctype is None else doctype.name,
            [given.kept(doctype, one).as_json() for one in label.fields],
            [one.as_json() for one in found.values()],
            actor=actor,
            set_id=set_id,
            cause=cause,
        )
    return Kept(id=number, defects=[Defect.model_validate(one) for one in found.values()])
