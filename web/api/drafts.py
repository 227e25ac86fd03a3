"""Document types that are being drawn: new ones, and new versions."""

from __future__ import annotations

import base64
import json
import re
import shutil
from datetime import datetime
from pathlib import Path as Folder
from tempfile import TemporaryDirectory, mkdtemp
from threading import Thread
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from pipeline.doctypes.author import page_name, write
from pipeline.doctypes.describe import as_yaml
from pipeline.doctypes.load import DESCRIPTION, MOST_BYTES, faults
from pipeline.doctypes.preview import field_remarks
from pipeline.doctypes.recover import MOST_SAMPLES
from pipeline.doctypes.schema import DocumentType, parse
from pipeline.pages import Limits
from records import drafts, registry
from records.drafts import Changed, DraftView
from web import sentences, workshop
from web.access import Caller
from web.api.bodies import Told
from web.api.doctypes import NAME, Number, in_use, named
from web.api.documents import picture
from web.api.reviews import matches
from web.api.uploads import UPLOAD_BODY, uploaded
from web.context import Context, Desk
from web.labels import language
from web.problems import RESPONSES, BadRequest, Stale, Unfit
from web.refusals import refusal

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api/v1/doctypes", tags=["document types"], responses=RESPONSES)

DraftId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
IfMatch = Annotated[
    str | None, Header(max_length=200, description="The draft's ETag: 412 where somebody has changed it since.")
]
STALE = "Somebody else has changed this draft since you opened it. Load it again; what you drew since is not kept."


class Remark(BaseModel):
    """What is wrong with a draft. `field` is its place in `fields` (from 0), `part` the key that is meant; `stops` says
    that the draft can't be saved as a version because of it."""

    field: int | None
    part: str | None
    message: str
    stops: bool


class Draft(Told):
    """A type that is being drawn. `told` says how far it is, or how it was made."""

    id: str
    name: str
    title: str
    state: str = Field(description="making, ready, failed or published")
    told: str
    pages: int
    body: dict[str, Any]
    remarks: list[Remark]
    changed_by: str
    changed_at: datetime


class Described(BaseModel):
    """The whole description, as in `type.yaml`; it may be wrong for as long as it is a draft."""

    model_config = ConfigDict(extra="forbid")

    body: dict[str, Any]


class Copy(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, StringConstraints(pattern=NAME)]


class Published(BaseModel):
    """The version that the draft became; scans from now on are made by it."""

    key: str


class Attempt(BaseModel):
    """What would be cut out of a sample; `picture` is an overview (PNG, base64)."""

    sound: bool
    remarks: list[str]
    pages: list[dict[str, Any]]
    picture: str | None


@router.post("/drafts/copy", status_code=201)
def copy_type(request: Request, desk: Desk, person: Caller, response: Response, copy: Copy) -> Draft:
    """A draft of the next version of a type."""
    one = named(desk, copy.type)
    with desk.sessions.begin() as session:
        begun = drafts.begin(session, one.name, one.title, actor=person.subject)
        for number, page in enumerate(one.pages, 1):
            body = ((one.folder or Folder()) / page.blank).read_bytes()
            desk.store.put(drafts.page_key(begun.id, number), body)
        told = f"A copy of {one.key}."
        drafts.made(session, begun.id, one.model_dump(mode="json"), len(one.pages), told)
        return _told(request, response, drafts.find(session, begun.id))


FILES_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["name", "title", "files"],
                    "properties": {
                        "name": {"type": "string"},
                        "title": {"type": "string"},
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    },
                }
            }
        },
    }
}


@router.post("/drafts", status_code=202, openapi_extra=FILES_BODY)
async def draft_type(request: Request, desk: Desk, person: Caller, response: Response) -> Draft:
    """A draft of a new type, made of one blank (PDF or image) or of at least five filled samples in `files`.

    The blank is made and fields are proposed afterwards: ask for the draft until its `state` is no longer `making`.
    """
    # Read here and not by a parameter: a body is looked at only once its sender is known.
    async with request.form(max_files=MOST_SAMPLES, max_fields=8) as form:
        name, title, files = _asked(form)
        return await run_in_threadpool(_begin, request, desk, person.subject, response, name, title, files)


@router.get("/drafts/{draft_id}")
def show_draft(request: Request, desk: Desk, response: Response, draft_id: DraftId) -> Draft:
    """A draft with what is wrong with it. Send its `ETag` as `If-Match` with a change."""
    with desk.sessions.begin() as session:
        return _told(request, response, drafts.find(session, draft_id))


@router.get(
    "/drafts/{draft_id}/pages/{number}", response_class=Response, responses={200: {"content": {"image/png": {}}}}
)
def draft_page_image(desk: Desk, draft_id: DraftId, number: Number) -> Response:
    """The blank of a draft's page."""
    with desk.sessions.begin() as session:
        key = drafts.find(session, draft_id).page_key(number)
    return picture(desk.store.get(key))


@router.put("/drafts/{draft_id}")
def change_draft(
    request: Request,
    desk: Desk,
    person: Caller,
    response: Response,
    draft_id: DraftId,
    described: Described,
    if_match: IfMatch = None,
) -> Draft:
    """Keeps a draft as it is drawn now, right or wrong, and tells what is wrong with it."""
    try:
        text = json.dumps(described.body, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as wrong:
        raise Unfit(f"The description holds what can't be kept: {wrong}.") from wrong
    # Postgres keeps no NUL in a text.
    if len(text) > MOST_BYTES or rb"\u0000" in text:
        raise Unfit("The description is larger than 1 MB, or holds a NUL.")
    with desk.sessions.begin() as session:
        one = _seen(drafts.find(session, draft_id, lock=True), if_match)
        try:
            return _told(
                request, response, drafts.change(session, draft_id, described.body, one.revision, actor=person.subject)
            )
        except Changed:
            raise Stale(STALE) from None


@router.delete("/drafts/{draft_id}", status_code=204)
def drop_draft(desk: Desk, person: Caller, draft_id: DraftId) -> Response:
    """Gives a draft up."""
    with desk.sessions.begin() as session:
        drafts.drop(session, draft_id, actor=person.subject)
    desk.store.delete(f"drafts/{draft_id}")
    return Response(status_code=204)


@router.post("/drafts/{draft_id}/publish")
def publish_draft(desk: Desk, person: Caller, draft_id: DraftId, if_match: IfMatch = None) -> Published:
    """Saves a draft as the next version of its type, in the folder of types. 422 tells what keeps it from that."""
    folder = desk.config.doctypes_folder
    if folder is None:
        raise Unfit("No folder for document types is set; set DOCVIGIL_DOCTYPES_FOLDER.")
    with desk.sessions.begin() as session:
        drafts.one_at_a_time(session)
        one = _seen(drafts.find(session, draft_id, lock=True), if_match)
        # Files can't be taken back as rows can.
        drafts.ready(session, draft_id, one.revision)
        present = next((each for each in in_use(desk) if each.name == one.body.get("name")), None)
        recorded = drafts.versions(session, str(one.body.get("name")))
        last = max([present.version if present else 0, *(_version(each.key) for each in recorded)])
        doctype, wrong = _parsed({**one.body, "version": last + 1})
        if doctype is None or doctype.name != one.name:
            told = [each.message for each in wrong if each.stops] or ["its name can't be changed"]
            raise Unfit(f"This draft can't be saved as a version yet: {'; '.join(told)}.")
        pages = [desk.store.get(one.page_key(number)) for number in range(1, one.pages + 1)]
        text = as_yaml(doctype.model_dump(mode="json", exclude_none=True))
        try:
            made = write(folder, doctype.name, text, pages, replace=True)
        except ValueError as fault:
            why = str(fault).replace(f"{folder}/", "")
            raise Unfit(f"This draft can't be saved as a version yet: {why}.") from fault
        digest = registry.type_digest(doctype.model_copy(update={"folder": made}))
        types = in_use(desk)
        registry.record_doctypes(session, types, registry.types_version(types))
        drafts.publish(session, draft_id, one.revision, doctype.key, digest, actor=person.subject)
    return Published(key=doctype.key)


@router.post("/drafts/{draft_id}/try", openapi_extra=UPLOAD_BODY)
async def try_draft(request: Request, desk: Desk, draft_id: DraftId) -> Attempt:
    """Tries a draft on a filled sample (the part `file`) and shows what would be cut out of it. The sample is not kept,
    and sensitive boxes are masked on the overview."""
    async with uploaded(request) as file:
        found = await run_in_threadpool(_attempt, desk, draft_id, file)
    code = language(request)
    pages = [{**page, "why": refusal(sentences.told(page["why"], code), code)} for page in found.pages]
    return found.model_copy(update={"remarks": [refusal(one, code) for one in found.remarks], "pages": pages})


def told(one: DraftView, code: str = "en") -> Draft:
    """A draft with what is wrong with it; how far it is, in a language."""
    _doctype, remarks = _parsed(one.body) if one.state == "ready" else (None, [])
    said = [remark.model_copy(update={"message": refusal(remark.message, code)}) for remark in remarks]
    values = {name: getattr(one, name) for name in Draft.model_fields if name != "remarks"}
    return Draft.model_validate({**values, "told": refusal(one.told, code), "body": dict(one.body), "remarks": said})


def _told(request: Request, response: Response, one: DraftView) -> Draft:
    response.headers["ETag"] = f'"{drafts.state(one)}"'
    return told(one, language(request))


def _seen(one: DraftView, if_match: str | None) -> DraftView:
    if not matches(if_match, drafts.state(one)):
        raise Stale(STALE)
    return one


def _parsed(body: dict[str, Any] | Any) -> tuple[DocumentType | None, list[Remark]]:
    """The type that a description is, None where it is none; and what is to be said about it."""
    try:
        doctype = parse(dict(body))
    except ValidationError as wrong:
        return None, [_remark(body, steps, message) for steps, message in faults(wrong)]
    places = {field.name: number for number, field in enumerate(doctype.fields)}
    return doctype, [
        Remark(field=places[name], part=None, message=sentence[:1].upper() + sentence[1:], stops=False)
        for name, sentence in field_remarks(doctype)
    ]


def _remark(body: Any, steps: tuple[int | str, ...], message: str) -> Remark:
    inside = len(steps) > 1 and steps[0] == "fields" and isinstance(steps[1], int)
    field = int(steps[1]) if inside else None
    part = ".".join(str(step) for step in (steps[2:] if inside else steps)) or None
    if field is None and message.startswith("field "):
        # What holds between fields is told of the one that it names.
        called = message.split()[1].rstrip(":")
        field = next((n for n, one in enumerate(body.get("fields", ())) if one.get("name") == called), None)
    return Remark(field=field, part=part, message=message[:1].upper() + message[1:], stops=True)


def _asked(form: FormData) -> tuple[str, str, list[UploadFile]]:
    name, title = (str(form.get(part) or "").strip() for part in ("name", "title"))
    files = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
    if not name or not files:
        raise BadRequest("Send `name`, `title` and at least one part `files` as multipart/form-data.")
    if re.fullmatch(NAME, name) is None:
        raise Unfit("A type's name has small letters, digits and hyphens, and begins with a letter.")
    shown = "".join(sign for sign in title if sign.isprintable())[:200]
    return name, shown or name.replace("-", " ").capitalize(), files


def _begin(
    request: Request, desk: Context, actor: str, response: Response, name: str, title: str, files: list[UploadFile]
) -> Draft:
    if any(one.name == name for one in in_use(desk)):
        raise Unfit(f"There is a type {name} already; copy it, or choose another name.")
    folder = Folder(mkdtemp(prefix="docvigil-draft-"))
    try:
        names = [_saved(one, folder, number) for number, one in enumerate(files, 1)]
        with desk.sessions.begin() as session:
            count = f"{len(names)} files" if len(names) > 1 else "1 file"
            begun = drafts.begin(session, name, title, actor=actor, told=f"Looking at {count}…")
            answer = _told(request, response, begun)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    Thread(target=_make, args=(desk, begun, folder, names), name=f"draft-{begun.id[:8]}", daemon=True).start()
    return answer


def _make(desk: Context, begun: DraftView, folder: Folder, names: list[str]) -> None:
    """Makes the blank pages of a draft, and tells how it went."""
    try:
        result = workshop.draft(folder, begun.name, begun.title, names, _limits(desk), workshop.PRINTED)
        for number in range(1, result["pages"] + 1):
            desk.store.put(drafts.page_key(begun.id, number), (folder / page_name(number)).read_bytes())
        with desk.sessions.begin() as session:
            drafts.made(session, begun.id, result["body"], result["pages"], result["told"])
    except workshop.Failed as why:
        with desk.sessions.begin() as session:
            drafts.failed(session, begun.id, str(why))
    except Exception as error:
        # Nobody waits for this thread: who looks at the draft is told.
        log.error("draft.failed", draft=begun.id, exc_info=error)
        with desk.sessions.begin() as session:
            drafts.failed(session, begun.id, "Something went wrong here, and was written down. Upload the files again.")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _attempt(desk: Context, draft_id: str, file: UploadFile) -> Attempt:
    with desk.sessions.begin() as session:
        one = drafts.find(session, draft_id)
    doctype, wrong = _parsed(one.body)
    if doctype is None:
        raise Unfit(f"Correct the draft first: {'; '.join(each.message for each in wrong)}.")
    with TemporaryDirectory(prefix="docvigil-try-") as name:
        folder = Folder(name)
        (folder / doctype.name).mkdir()
        for number in range(1, one.pages + 1):
            (folder / doctype.name / page_name(number)).write_bytes(desk.store.get(one.page_key(number)))
        text = as_yaml(doctype.model_dump(mode="json", exclude_none=True))
        (folder / doctype.name / DESCRIPTION).write_text(text, encoding="utf-8")
        try:
            sample = _saved(file, folder, 0)
            found = workshop.attempt(folder, doctype.name, sample, desk.config.doctypes_folder, _limits(desk))
        except workshop.Failed as why:
            raise Unfit(str(why)) from why
        overview = folder / workshop.OVERVIEW
        shown = base64.b64encode(overview.read_bytes()).decode() if overview.is_file() else None
    return Attempt(**found, picture=shown)


def _saved(file: UploadFile, folder: Folder, number: int) -> str:
    """Puts an uploaded file into a folder under a name of ours."""
    name = f"file-{number:02d}"
    with (folder / name).open("wb") as target:
        shutil.copyfileobj(file.file, target)
    return name


def _limits(desk: Context) -> Limits:
    return Limits(max_bytes=desk.config.max_file_bytes)


def _version(key: str) -> int:
    return int(key.rpartition("@")[2])
