"""Document types that are in use."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field

from pipeline.doctypes.load import BUILTIN, known
from pipeline.doctypes.schema import DocumentType
from records import drafts
from web.api.bodies import Told
from web.api.documents import picture
from web.context import Context, Desk
from web.problems import RESPONSES, NotFound, Unfit

router = APIRouter(prefix="/api/v1/doctypes", tags=["document types"], responses=RESPONSES)

NAME = r"^[a-z][a-z0-9-]{0,62}$"
Name = Annotated[str, Path(pattern=NAME)]
Number = Annotated[int, Path(ge=1, le=1000)]


class TypeLine(Told):
    """A document type that is in use."""

    name: str
    version: int
    title: str
    form: str | None
    edition: str | None
    pages: int
    fields: int
    own: bool = Field(description="False for one that comes with docvigil; those are only copied.")


class Version(Told):
    """A content that a type had here: what documents were judged by."""

    key: str
    digest: str
    registered_at: datetime


class Types(Told):
    items: list[TypeLine]
    versions: list[Version]


class Type(Told):
    """A type as it is described in its `type.yaml`."""

    own: bool
    body: dict[str, Any]
    versions: list[Version]


@router.get("")
def list_types(desk: Desk) -> Types:
    """The document types in use, and every version that documents were judged by."""
    with desk.sessions.begin() as session:
        recorded = drafts.versions(session)
    return Types(items=[line(one) for one in in_use(desk)], versions=[Version.model_validate(one) for one in recorded])


@router.get("/{name}")
def show_type(desk: Desk, name: Name) -> Type:
    """A document type with its fields, checks and rules."""
    one = named(desk, name)
    with desk.sessions.begin() as session:
        recorded = drafts.versions(session, name)
    return Type(own=own(one), body=one.model_dump(mode="json"), versions=[Version.model_validate(v) for v in recorded])


@router.get("/{name}/pages/{number}", response_class=Response, responses={200: {"content": {"image/png": {}}}})
def type_page_image(desk: Desk, name: Name, number: Number) -> Response:
    """The blank of a page, pages counting from 1."""
    one = named(desk, name)
    if number > len(one.pages) or one.folder is None:
        raise NotFound(f"The type has no page {number}.")
    return picture((one.folder / one.pages[number - 1].blank).read_bytes())


def in_use(desk: Context) -> list[DocumentType]:
    """The types in use. Raises Unfit where the folder holds one that is wrong."""
    try:
        return known(desk.config.doctypes_folder)
    except ValueError as wrong:
        raise Unfit(f"A document type in the folder of types is wrong: {wrong}.") from wrong


def named(desk: Context, name: str) -> DocumentType:
    """A type in use. Raises NotFound."""
    for one in in_use(desk):
        if one.name == name:
            return one
    raise NotFound(f"There is no document type {name}.")


def own(one: DocumentType) -> bool:
    return one.folder is None or BUILTIN not in one.folder.parents


def line(one: DocumentType) -> TypeLine:
    """A type in a list."""
    told = {name: getattr(one, name) for name in ("name", "version", "title", "form", "edition")}
    return TypeLine(**told, pages=len(one.pages), fields=len(one.fields), own=own(one))
