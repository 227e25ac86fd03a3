"""The register of those who may endorse. Nobody is ever removed: who is retired keeps a last day, and endorsements
dated before it stay good. Each change is audited in its transaction, by id and digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from pipeline.endorsers import Endorser
from records.audit import event, events
from records.canonical import as_id, digest
from records.tables import Endorser as Row
from records.words import Refused

#: Two imports at once would each miss what the other adds: one goes after the other.
REGISTER_LOCK = 0x64766967_00000003

_CONTENT = (
    "name",
    "designation",
    "employee_code",
    "participant",
    "stamp_text",
    "document_types",
    "valid_from",
    "valid_to",
)

Key: TypeAlias = tuple[str | None, str | None, str | None]
"""(employee code, None, None), or (None, name, participant) where there is no code."""


@dataclass(frozen=True, slots=True)
class Imported:
    added: int
    changed: int
    unchanged: int


def import_all(session: Session, endorsers: Sequence[Endorser], *, actor: str) -> Imported:
    """Add endorsers, and bring those who are known up to date; all of them or, on an error, none.

    Somebody is known by the employee code, or without one by name and participant, among those not retired. Who is
    missing from the list stays as he is. Raises Refused where two of the list are the same person.
    """
    _lock(session)
    _refuse_twice(endorsers)
    known = {_key(row): row for row in session.scalars(select(Row).where(Row.retired_at.is_(None)))}
    new = [each for each in endorsers if _key(each) not in known]
    told = [_told("endorser.added", number, one, actor) for number, one in _add(session, new)]
    changed = 0
    for each in endorsers:
        row = known.get(_key(each))
        if row is None or _content(row) == _content(each):
            continue
        changed += 1
        told.append({**_told("endorser.changed", row.id, each, actor), "before": digest(_plain(row))})
        session.execute(update(Row).where(Row.id == row.id).values(**_content(each), updated_at=func.now()))
    events(session, told)
    session.expire_all()
    return Imported(len(new), changed, len(endorsers) - len(new) - changed)


def retire(session: Session, endorser: int | str, on: date | None = None, *, actor: str) -> Endorser:
    """End an endorser's authority, `on` being the last day (the database's today if not given); an earlier last day
    stays.

    `endorser` is an id or an employee code. Raises LookupError where nobody has it, and Refused where two have, or
    where the authority would end before it began.
    """
    _lock(session)
    row = _find(session, endorser)
    last = on or session.execute(select(func.current_date())).scalar_one()
    if row.valid_to is not None:
        last = min(last, row.valid_to)
    if row.valid_from is not None and last < row.valid_from:
        raise Refused(f"the authority of endorser {row.id} begins on {row.valid_from}; it can't end on {last}")
    retired = session.scalars(
        update(Row)
        .where(Row.id == row.id)
        .values(valid_to=last, retired_at=func.now(), updated_at=func.now())
        .returning(Row)
        .execution_options(populate_existing=True)
    ).one()
    event(session, "endorser.retired", f"endorser:{row.id}", actor=actor, valid_to=last.isoformat())
    return _endorser(retired)


def listed(session: Session, *, include_retired: bool = False) -> list[Endorser]:
    """The register in the order of names."""
    query = select(Row).order_by(Row.name, Row.id)
    if not include_retired:
        query = query.where(Row.retired_at.is_(None))
    return [_endorser(row) for row in session.scalars(query)]


def as_of(session: Session, on: date | None = None) -> list[Endorser]:
    """Those whose authority holds on a day; without one everybody who ever had it, for endorsements of any date.

    Retired ones are among them: what they endorsed in their time is judged by their own last day.
    """
    query = select(Row).order_by(Row.id)
    if on is not None:
        query = query.where(
            or_(Row.valid_from.is_(None), Row.valid_from <= on),
            or_(Row.valid_to.is_(None), Row.valid_to >= on),
        )
    return [_endorser(row) for row in session.scalars(query)]


def _lock(session: Session) -> None:
    session.execute(select(func.pg_advisory_xact_lock(REGISTER_LOCK)))


def _refuse_twice(endorsers: Iterable[Endorser]) -> None:
    seen: set[Key] = set()
    for place, one in enumerate(endorsers, start=1):
        if _key(one) in seen:
            by = f"the employee code {one.employee_code}" if one.employee_code else "the same name and participant"
            raise Refused(f"endorser {place} of the list has {by} as one before; keep one of the two")
        seen.add(_key(one))


def _add(session: Session, new: Sequence[Endorser]) -> list[tuple[int, Endorser]]:
    """Insert, and pair each new id with its endorser."""
    if not new:
        return []
    ids = session.scalars(
        insert(Row).returning(Row.id, sort_by_parameter_order=True), [_content(each) for each in new]
    ).all()
    return list(zip(ids, new, strict=True))


def _find(session: Session, endorser: int | str) -> Row:
    text = str(endorser).strip()
    wanted = [Row.employee_code == text] if isinstance(endorser, str) else []
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        wanted.append(Row.id == int(text))
    found = session.scalars(select(Row).where(Row.retired_at.is_(None), or_(*wanted)).limit(2)).all()
    if not found:
        raise LookupError(f"nobody in the register who isn't retired has the id or employee code {text!r}")
    if len(found) > 1:
        raise Refused(f"{text!r} is the id of one endorser and the employee code of another; use the other's own")
    return found[0]


def _key(one: Row | Endorser) -> Key:
    return (one.employee_code, None, None) if one.employee_code else (None, one.name, one.participant or None)


def _content(one: Row | Endorser) -> dict[str, Any]:
    """What the register holds of a person; empty text is none."""
    values = {name: getattr(one, name) or None for name in _CONTENT}
    return {**values, "document_types": list(one.document_types)}


def _plain(one: Row | Endorser) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, date) else value for name, value in _content(one).items()}


def _told(kind: str, number: int, one: Endorser, actor: str) -> dict[str, Any]:
    return {"kind": kind, "subject": f"endorser:{number}", "actor": as_id(actor), "digest": digest(_plain(one))}


def _endorser(row: Row) -> Endorser:
    return Endorser(**{**_content(row), "document_types": tuple(row.document_types), "id": row.id})
