"""Annotation for pilots: sets of documents that people label from scratch, and the labels' ways in and out."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from ingest.upload import take_stream
from pipeline import labels as given
from pipeline.doctypes.schema import DocumentType, FieldKind
from pipeline.labels import Labelling
from records import audit, endorsers, labels, queue
from records.objects import original_key
from records.words import DocumentView
from web import opening
from web.access import Caller
from web.api.bodies import Corners, Status, Told
from web.api.doctypes import in_use
from web.api.documents import UPLOAD_BODY, Id
from web.context import Context, Desk
from web.problems import RESPONSES, BadRequest, Unfit
from workers.manifest import Manifest

router = APIRouter(prefix="/api/v1/labels", tags=["labels"], responses=RESPONSES)

#: A file of labels, at most, and the originals in one export.
MOST_BYTES = 50 * 2**20
MOST_ORIGINALS_BYTES = 2**30

SetId = Annotated[int, Path(ge=1, lt=2**63)]
Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$", strip_whitespace=True)]
TypeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Format = Literal["labels", "coco", "label-studio", "folder"]


class LabelSet(Told):
    """Documents to be labelled, and how many are."""

    id: int
    name: str
    document_type: str | None = Field(description="What they all are; null: as each was recognised.")
    documents: int
    labelled: int
    created_by: str
    created_at: datetime


class LabelSets(Told):
    items: list[LabelSet]


class NewSet(BaseModel):
    """A set; with `count` the newest documents that nobody has labelled are put into it."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, Field(min_length=1)]
    document_type: TypeName | None = None
    count: Annotated[int, Field(ge=0, le=labels.MOST_DOCUMENTS)] = 0
    status: Status | None = None
    recognised_as: TypeName | None = Field(None, description="Only documents that were taken for this type.")


class Added(BaseModel):
    document_id: str
    added: bool


class Next(BaseModel):
    document_id: str | None = Field(description="Null where every document is labelled or in somebody's hands.")


class LabelledField(Told):
    """What stands in a field. `value` is as written, null where nothing is; of a signature, stamp, tick or free text
    any word, since only its being there counts."""

    name: Annotated[Text, Field(min_length=1)]
    kind: FieldKind
    page: Annotated[int, Field(ge=1, le=10_000)]
    box: Corners = None
    value: Text | None


class Defect(Told):
    """A check that should speak."""

    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    field: Text | None = None
    check: Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z]+$", max_length=60)]


class Place(Told):
    """A field that is to be labelled, and where it was found; null where it has to be drawn."""

    name: str
    label: str
    kind: FieldKind
    page: int
    box: Corners
    cells: int | None


class Sheet(Told):
    """A page; its picture is at `/api/v1/documents/{id}/pages/{number}`."""

    number: int
    width: int
    height: int


class Work(Told):
    """A document as it is put before who labels it, with the label that counts so far."""

    document_id: str
    document_type: str | None
    pages: list[Sheet]
    fields: list[Place]
    label: Labels | None


class Labels(Told):
    """All that somebody said of a document."""

    document_type: TypeName | None = None
    fields: list[LabelledField] = Field(max_length=2000)
    defects: list[Defect] = Field([], max_length=200, description="Those that follow from the fields are added.")


class Given(Labels):
    model_config = ConfigDict(extra="forbid")

    set_id: Annotated[int, Field(ge=1, lt=2**63)] | None = None


class Kept(BaseModel):
    """The label as it was written down; `defects` holds those that follow from the type's checks too."""

    id: int
    defects: list[Defect]


class Taken(BaseModel):
    """What became of a file of labels."""

    labelled: int
    unknown: int = Field(description="Labels of files that are no document here.")


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
    # Read here and not by a parameter: a body is looked at only once its sender is known.
    async with request.form(max_files=1, max_fields=4) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise BadRequest("Send the file as the part `file` of multipart/form-data.")
        return await run_in_threadpool(_take, desk, set_id, file)


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
    return _keep(desk, person.subject, document_id, label, doctype, said.set_id, "labelled")


@router.get("/sets/{set_id}/export", response_class=Response)
def export_labels(desk: Desk, person: Caller, set_id: SetId, format: Format = "labels") -> Response:
    """The labels of a set: our own lines, COCO or Label Studio; or as a folder (ZIP) with the originals, on which
    `docvigil models evaluate` and `calibrate` work. That it left is written down."""
    with desk.sessions.begin() as session:
        found = labels.of_set(session, set_id)
        told = [_labelling(session, one) for one in found]
        audit.exported(session, person.subject, f"labels-{format}", len(told))
        if format == "folder":
            for one in found:
                audit.opened(session, one.document_id, person.subject, "labels")
    if format == "folder":
        return _attached(_zipped(desk, told), "application/zip", f"labels-{set_id}.zip")
    if format == "labels":
        return _attached(_lines(told), "application/x-ndjson", "labels.jsonl")
    data: Any = given.as_coco(told) if format == "coco" else given.as_label_studio(told)
    return _attached(
        json.dumps(data, ensure_ascii=False).encode(), "application/json", f"labels-{set_id}-{format}.json"
    )


@router.post("/sets/{set_id}/import", openapi_extra=UPLOAD_BODY)
async def import_labels(request: Request, desk: Desk, person: Caller, set_id: SetId) -> Taken:
    """Takes labels from our own lines, COCO or a Label Studio export (JSON). Files are told by their names, which begin
    with the document's id, as in exports."""
    async with request.form(max_files=1, max_fields=4) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise BadRequest("Send the labels as the part `file` of multipart/form-data.")
        body = await file.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise Unfit(f"The file is larger than {MOST_BYTES >> 20} MiB; split it.")
    try:
        found = _parsed(body)
    except ValueError as wrong:
        raise Unfit(f"The labels can't be taken: {wrong}.") from wrong
    return await run_in_threadpool(_import, desk, person.subject, set_id, found)


def _labelling(session: Session, one: labels.Labelled) -> Labelling:
    """A label as it goes out."""
    pages = opening.pages(queue.document(session, one.document_id))
    return Labelling(
        given.file_name(one.document_id, one.media_type),
        one.document_type,
        tuple(given.LabelledField.of(each) for each in one.fields),
        tuple(given.Defect.of(each) for each in one.defects),
        one.on,
        {page.number: (page.width, page.height) for page in pages},
    )


def _take(desk: Context, set_id: int, file: UploadFile) -> Added:
    with desk.sessions.begin() as session:
        labels.find(session, set_id)
    name = "".join(sign for sign in file.filename or "" if sign.isprintable())[:255] or "unnamed"
    taken = take_stream(file.file, name, desk.intake)
    if taken.status == "refused" or taken.document_id is None:
        raise Unfit(taken.reason or "The file can't be taken in.")
    with desk.sessions.begin() as session:
        return Added(document_id=taken.document_id, added=bool(labels.add(session, set_id, [taken.document_id])))


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


def _keep(
    desk: Context,
    actor: str,
    document_id: str,
    label: Labelling,
    doctype: DocumentType | None,
    set_id: int | None,
    cause: str,
) -> Kept:
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


def _import(desk: Context, actor: str, set_id: int, found: Iterable[Labelling]) -> Taken:
    types = {one.name: one for one in in_use(desk)}
    labelled = unknown = 0
    for one in found:
        document_id = one.document_id
        with desk.sessions.begin() as session:
            labels.find(session, set_id)
            known = document_id is not None and labels.contains(session, set_id, document_id)
        if document_id is None or not known:
            unknown += 1
            continue
        _keep(desk, actor, document_id, one, types.get(one.document_type or ""), set_id, "imported")
        labelled += 1
    return Taken(labelled=labelled, unknown=unknown)


def _parsed(body: bytes) -> list[Labelling]:
    """Labels of any of the three formats. Raises ValueError with a sentence."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("the file is no UTF-8 text") from None
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    try:
        if isinstance(data, list):
            return given.of_label_studio(data)
        if isinstance(data, dict) and "annotations" in data:
            return given.of_coco(data)
        return [given.of_line(json.loads(line)) for line in text.splitlines() if line.strip()]
    except json.JSONDecodeError as wrong:
        raise ValueError(f"this is neither labels.jsonl nor COCO nor Label Studio JSON ({wrong.msg})") from None


def _lines(told: Iterable[Labelling]) -> bytes:
    return "".join(json.dumps(given.as_line(one), ensure_ascii=False) + "\n" for one in told).encode()


def _zipped(desk: Context, told: list[Labelling]) -> bytes:
    target, size = io.BytesIO(), 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for one in told:
            body = desk.store.get(original_key(one.document_id or ""))
            size += len(body)
            if size > MOST_ORIGINALS_BYTES:
                raise Unfit("The originals are larger than 1 GiB together; export the labels alone, or smaller sets.")
            archive.writestr(one.path, body)
        archive.writestr("labels.jsonl", _lines(told))
    return target.getvalue()


def _attached(body: bytes, media_type: str, name: str) -> Response:
    return Response(body, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


Work.model_rebuild()
