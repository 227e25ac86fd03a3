"""Labels as files: our own lines, COCO and Label Studio, out and in; with the originals as a folder."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from pipeline import labels as given
from pipeline.labels import Labelling
from records import audit, labels, queue
from records.objects import original_key
from web import opening
from web.access import Caller
from web.api.doctypes import in_use
from web.api.label_bodies import SetId, Taken
from web.api.labels import keep
from web.api.uploads import UPLOAD_BODY, read
from web.context import Context, Desk
from web.problems import RESPONSES, Unfit

router = APIRouter(prefix="/api/v1/labels", tags=["labels"], responses=RESPONSES)

#: A file of labels, at most, and the originals in one export.
MOST_BYTES = 50 * 2**20
MOST_ORIGINALS_BYTES = 2**30

Format = Literal["labels", "coco", "label-studio", "folder"]


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
    body = await read(request, MOST_BYTES, "split it")
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
        keep(desk, actor, document_id, one, types.get(one.document_type or ""), set_id, "imported")
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
