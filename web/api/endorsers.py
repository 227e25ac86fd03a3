"""The register of those who may endorse."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from pipeline.endorsers import Endorser as Known
from pipeline.register import Listed, examine
from records import endorsers as register
from web.access import Caller
from web.api.bodies import Told
from web.api.uploads import UPLOAD_BODY, read
from web.context import Desk
from web.problems import RESPONSES, BadRequest, Unfit

router = APIRouter(prefix="/api/v1/endorsers", tags=["endorsers"], responses=RESPONSES)

#: A larger file is imported by `docvigil endorsers import`.
MOST_BYTES = 900_000

Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$", strip_whitespace=True)]
TypeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]


class Authority(Told):
    """Somebody allowed to endorse, from one day to another, both included."""

    name: str
    designation: str | None = None
    employee_code: str | None = None
    participant: str | None = None
    stamp_text: str | None = None
    document_types: list[str] = Field([], description="None named: all.")
    valid_from: date | None = None
    valid_to: date | None = None


class NewAuthority(BaseModel):
    """Somebody to be allowed to endorse."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, Field(min_length=1)]
    designation: Text | None = None
    employee_code: Text | None = None
    participant: Text | None = None
    stamp_text: Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")] | None = None
    document_types: list[TypeName] = Field([], max_length=100, description="None named: all.")
    valid_from: date | None = None
    valid_to: date | None = None


class Endorser(Authority):
    """One of the register."""

    id: int | None
    retired: bool = False


class Endorsers(Told):
    items: list[Endorser]
    after: str | None = Field(description="Leads to the next page; null at the end.")


class Change(Told):
    """What a line of the file would do: add somebody (`before` is null), or change who is known."""

    line: int
    before: Authority | None
    after: Authority


class Refusal(Told):
    """A line that can't be taken; as long as there is one, nothing is imported."""

    line: int
    message: str


class Preview(Told):
    """What an import would do; send `state` as If-Match with it, so that nothing else is done."""

    changes: list[Change]
    unchanged: int
    refusals: list[Refusal]
    state: str


class Imported(Told):
    added: int
    changed: int
    unchanged: int


class Retirement(BaseModel):
    model_config = ConfigDict(extra="forbid")

    on: date | None = Field(None, description="The last day; today if not given.")


@router.get("")
def list_endorsers(
    desk: Desk,
    search: Annotated[
        str, Query(max_length=200, pattern=r"^[^\x00]*$", description="In name, code, participant.")
    ] = "",
    retired: Annotated[bool, Query(description="Retired ones too.")] = False,
    after: Annotated[str | None, Query(max_length=300, pattern=r"^[^\x00]*$")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Endorsers:
    """The register in the order of names."""
    with desk.sessions.begin() as session:
        try:
            page = register.search(session, search.strip(), include_retired=retired, after=after, limit=limit)
        except ValueError as wrong:
            raise BadRequest(str(wrong)) from wrong
    return Endorsers(items=[_told(one) for one in page.items], after=page.after)


@router.post("", status_code=201)
def add_endorser(desk: Desk, person: Caller, endorser: NewAuthority) -> Endorser:
    """Adds one endorser. 409 where somebody is known by the same employee code, or name and participant."""
    if endorser.valid_from is not None and endorser.valid_to is not None and endorser.valid_to < endorser.valid_from:
        raise Unfit(f"The last day, {endorser.valid_to}, is before the first, {endorser.valid_from}.")
    values: dict[str, Any] = {name: value or None for name, value in endorser.model_dump().items()}
    with desk.sessions.begin() as session:
        values["document_types"] = tuple(endorser.document_types)
        known = Known(**values)
        return Endorser.model_validate(register.add(session, known, actor=person.subject))


@router.post("/{endorser_id}/retire")
def retire_endorser(
    desk: Desk, person: Caller, endorser_id: Annotated[int, Path(ge=1, lt=2**63)], retirement: Retirement
) -> Endorser:
    """Ends an endorser's authority. Endorsements dated before stay good."""
    with desk.sessions.begin() as session:
        done = register.retire(session, endorser_id, retirement.on, actor=person.subject)
    return Endorser.model_validate(done).model_copy(update={"retired": True})


@router.post("/preview", openapi_extra=UPLOAD_BODY)
async def preview_endorsers(request: Request, desk: Desk) -> Preview:
    """What importing a CSV file would add and change, and which lines can't be taken. Nothing is changed."""
    listed = await _listed(request)

    def look() -> Preview:
        with desk.sessions.begin() as session:
            found = register.preview(session, listed.lines)
        refusals = sorted([*listed.refusals, *found.refusals])
        return Preview(
            changes=[Change.model_validate(one) for one in found.changes],
            unchanged=found.unchanged,
            refusals=[Refusal(line=line, message=message) for line, message in refusals],
            state=found.state,
        )

    return await run_in_threadpool(look)


@router.post("/import", openapi_extra=UPLOAD_BODY)
async def import_endorsers(
    request: Request,
    desk: Desk,
    person: Caller,
    if_match: Annotated[str | None, Header(max_length=100, description="`state` of the preview.")] = None,
) -> Imported:
    """Adds and changes endorsers from a CSV file: all of them or, where a line can't be taken, none."""
    listed = await _listed(request)
    if listed.refusals:
        raise Unfit("Nothing was imported: " + "; ".join(message for _, message in listed.refusals[:20]) + ".")

    def take() -> Imported:
        expected = None if if_match is None else if_match.strip().strip('"')
        with desk.sessions.begin() as session:
            done = register.import_all(session, listed.endorsers, actor=person.subject, expected=expected)
        return Imported.model_validate(done)

    return await run_in_threadpool(take)


async def _listed(request: Request) -> Listed:
    data = await read(request, MOST_BYTES, "import it by `docvigil endorsers import`")
    try:
        return examine(data)
    except ValueError as wrong:
        raise Unfit(str(wrong)[:1].upper() + str(wrong)[1:] + ".") from wrong


def _told(one: register.Listed) -> Endorser:
    return Endorser.model_validate(one.endorser).model_copy(update={"retired": one.retired})
