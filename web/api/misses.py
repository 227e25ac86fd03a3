"""Defects that the machine missed: reported, taken back, and looked for in clear documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from pipeline.geometry import Box
from records import desk, misses
from web.access import Caller
from web.api import desk_bodies as bodies
from web.context import Desk
from web.problems import RESPONSES
from workers.manifest import Manifest

router = APIRouter(prefix="/api/v1", tags=["misses"], responses=RESPONSES)

DocumentId = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The document's id.")]
MissId = Annotated[int, Path(ge=1, lt=2**63, description="The report's id.")]


@router.post("/documents/{document_id}/misses", status_code=201)
def report_miss(context: Desk, person: Caller, document_id: DocumentId, report: bodies.Report) -> bodies.Miss:
    """Writes down a defect that no finding tells of. It counts as a miss in the bound."""
    with context.sessions.begin() as session:
        field = report.field
        if field is None and report.box is not None:
            found = desk.document(session, document_id, person.subject, supervisor=person.sees_all)
            field = field_at(found.manifest, report.page, report.box)
        done = misses.report(
            session,
            document_id,
            reporter=person.subject,
            page=report.page,
            check=report.check,
            box=report.box,
            field=field,
            note=report.note,
        )
    return bodies.Miss.model_validate(done)


@router.delete("/misses/{miss_id}", status_code=204)
def withdraw_miss(context: Desk, person: Caller, miss_id: MissId) -> None:
    """Takes back a report: your own, or as a supervisor anybody's."""
    with context.sessions.begin() as session:
        misses.withdraw(session, miss_id, reporter=person.subject, supervisor=person.supervises)


@router.get("/misses/{miss_id}/lookalikes")
def list_lookalikes(
    context: Desk,
    miss_id: MissId,
    after: Annotated[str, Query(pattern="^[0-9a-f]{0,64}$")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> bodies.Lookalikes:
    """Clear documents that the same model passed on the same check and field of the same type."""
    with context.sessions.begin() as session:
        found = misses.lookalikes(session, miss_id, after=after, limit=limit)
    items = [bodies.Lookalike.model_validate(one) for one in found]
    return bodies.Lookalikes(items=items, after=items[-1].document_id if len(items) == limit else None)


@router.post("/misses/{miss_id}/reopened")
def reopen_lookalikes(context: Desk, person: Caller, miss_id: MissId, reopening: bodies.Reopening) -> bodies.Reopened:
    """Puts clear documents with the pattern of a miss before reviewers. Their verdict stays as it was judged."""
    with context.sessions.begin() as session:
        done = misses.reopen(session, miss_id, reopening.document_ids, actor=person.subject, rules=context.config.rules)
    return bodies.Reopened(document_ids=done)


def field_at(manifest: Mapping[str, Any] | None, page: int, box: Box) -> str | None:
    """The field whose evidence overlaps most with a box; None where none does."""
    if manifest is None or not manifest.get("folder"):
        return None
    there = [one for one in Manifest.from_json(manifest).evidences if one.page == page]
    best = max(there, key=lambda one: one.where.overlap(box), default=None)
    return best.field if best is not None and best.where.overlap(box) > 0 else None
