"""What the desk's queue can be narrowed to; the same for its pages and for taking the next document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import ColumnElement, and_, func, literal, not_

from records.desk_tables import Case

Sla = Literal["overdue", "soon", "in_time", "none"]
SLAS: tuple[Sla, ...] = ("overdue", "soon", "in_time", "none")
#: First decision, second opinion, decision of a supervisor where the two differ.
Stage = Literal["open", "second", "disputed"]

#: A document that is due within this time is due soon.
SOON = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Filters:
    """All that are given must hold. `assignee` empty: assigned to nobody; `older_than` and `newer_than` count from the
    verdict; `risk_from` and `risk_to` are probabilities, both included."""

    check: str | None = None
    doctype: str | None = None
    source_id: int | None = None
    assignee: str | None = None
    older_than: timedelta | None = None
    newer_than: timedelta | None = None
    risk_from: float | None = None
    risk_to: float | None = None
    sla: Sla | None = None
    stage: Stage | None = None


ALL = Filters()


def conditions(chosen: Filters, few: bool = True) -> list[ColumnElement[bool]]:
    """The filters as conditions on `cases`. Where not few documents fit, the planner is to follow an index in the order
    of the queue until a page is full. Of arrays it knows only how often they hold something among all cases; they are
    then asked about in words that no index serves and that it takes to be true half the time."""
    arrays = held(chosen)
    return ordered(chosen) + (arrays if few else [func.coalesce(one, False) for one in arrays])


def held(chosen: Filters) -> list[ColumnElement[bool]]:
    """The conditions on what is in arrays: an index finds all that fit, in no order."""
    found: list[ColumnElement[bool]] = []
    if chosen.check is not None:
        found.append(Case.checks.contains([chosen.check]))
    if chosen.doctype is not None:
        found.append(Case.document_types.contains([chosen.doctype]))
    return found


def ordered(chosen: Filters) -> list[ColumnElement[bool]]:
    """The conditions on everything else: an index has them in some order."""
    found: list[ColumnElement[bool]] = []
    if chosen.source_id is not None:
        found.append(Case.source_id == chosen.source_id)
    if chosen.assignee is not None:
        found.append(Case.assignee == chosen.assignee if chosen.assignee else Case.assignee.is_(None))
    if chosen.older_than is not None:
        found.append(Case.verdict_at <= func.now() - chosen.older_than)
    if chosen.newer_than is not None:
        found.append(Case.verdict_at >= func.now() - chosen.newer_than)
    if chosen.risk_from is not None:
        found.append(-Case.risk <= -chosen.risk_from)
    if chosen.risk_to is not None:
        found.append(-Case.risk >= -chosen.risk_to)
    if chosen.sla is not None:
        found.append(_sla(chosen.sla))
    if chosen.stage is not None:
        found.append(Case.stage == chosen.stage)
    return found


def visible(viewer: str, supervisor: bool) -> ColumnElement[bool]:
    """Whether a waiting case is for this person: a disputed one is the supervisors', a second opinion somebody else's.

    Told by what is left out: the planner would take `stage = 'open'` for a narrow filter beside `waiting`, and sort
    everything instead of following the index in its order.
    """
    seconds = and_(Case.stage == "second", Case.first_reviewers.contains([viewer]))
    return literal(True) if supervisor else and_(Case.stage != "disputed", not_(seconds))


def first_place(few: bool) -> ColumnElement[int]:
    """What the queue is sorted by first. Where few documents fit, no index has it: the planner then reads those few by
    what narrows them, and doesn't look for them along an index in the order of the queue, to its end if need be."""
    return -Case.priority + 0 if few else -Case.priority


def _sla(wanted: Sla) -> ColumnElement[bool]:
    now = func.now()
    states: dict[Sla, ColumnElement[bool]] = {
        "overdue": Case.due_at < now,
        "soon": and_(Case.due_at >= now, Case.due_at < now + SOON),
        "in_time": Case.due_at >= now + SOON,
        "none": Case.due_at.is_(None),
    }
    if wanted not in states:
        raise ValueError(f"{wanted!r} is no state of a due time; one is {', '.join(SLAS)}")
    return states[wanted]
