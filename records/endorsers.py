"""The register of those who may endorse. Nobody is ever removed: who is retired keeps a last day, and endorsements
dated before it stay good. Each change is audited in its transaction, by id and digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeAlias

from sqlalchemy import func, insert, literal, or_, select, tuple_, update
from sqlalchemy.orm import Session

from pipeline.endorsers import Endorser
from pipeline.register import COLUMNS
from records.audit import event, events
from records.canonical import as_id, digest
from records.tables import Endorser as Row
from records.words import Page, Refused

#: Two imports at once would each miss what the other adds: one goes after the other.
REGISTER_LOCK = 0x64766967_00000003

Key: TypeAlias = tuple[str | None, str | None, str | None]
"""(employee code, None, None), or (None, name, participant) where there is no code."""


@dataclass(frozen=True, slots=True)
class Imported:
    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One of the register; `retired` ones may still have a last day to come."""

    endorser: Endorser
    retired: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What a line of a list would do: add somebody (`before` is None), or change who is known."""

    line: int
    before: Endorser | None
    after: Endorser


@dataclass(frozen=True, slots=True)
class Preview:
    """What importing a list would do; `refusals` are lines with a sentence each. It holds while `state` is the
    register's."""

    changes: tuple[Change, ...]
    unchanged: int
    refusals: tuple[tuple[int, str], ...]
    state: str


def import_all(session: Session, endorsers: Sequence[Endorser], *, actor: str, expected: str | None = None) -> Imported:
    """Add endorsers, and bring those who are known up to date; all of them or, on an error, none.

    Somebody is known by the employee code, or without one by name and participant, among those not retired. Who is
    missing from the list stays as he is. Raises Refused where two of the list are the same person, and where the
    register's state is no longer the `expected` one of a preview.
    """
    _lock(session)
    if expected is not None and expected != state(session):
        raise Refused("the register has changed since this was previewed; look at the preview again")
    _refuse_twice(endorsers)
    known = _known(session)
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


def add(session: Session, endorser: Endorser, *, actor: str) -> Endorser:
    """Add one endorser. Raises Refused where somebody is known by the same code, or the same name and participant."""
    _lock(session)
    if (row := _known(session).get(_key(endorser))) is not None:
        by = f"the employee code {endorser.employee_code}" if endorser.employee_code else "this name and participant"
        raise Refused(f"endorser {row.id} of the register has {by}; retire that one first, or import a correction")
    ((number, _),) = _add(session, [endorser])
    events(session, [_told("endorser.added", number, endorser, actor)])
    return replace(endorser, id=number)


def preview(session: Session, lines: Sequence[tuple[int, Endorser]]) -> Preview:
    """What `import_all` would do with these lines of a list; nothing is changed."""
    known = _known(session)
    first: dict[Key, int] = {}
    changes, refusals, unchanged = [], [], 0
    for line, one in lines:
        if (before := first.setdefault(_key(one), line)) != line:
            refusals.append((line, f"line {line}: this is the same person as in line {before}; keep one of the two"))
            continue
        row = known.get(_key(one))
        if row is None:
            changes.append(Change(line, None, one))
        elif _content(row) == _content(one):
            unchanged += 1
        else:
            changes.append(Change(line, _endorser(row), one))
    return Preview(tuple(changes), unchanged, tuple(refusals), state(session))


def state(session: Session) -> str:
    """Sixteen hexadecimal digits that change with anything in the register."""
    counted = session.execute(select(func.count(), func.max(Row.updated_at), func.max(Row.id))).one()
    return digest([str(one) for one in counted])[:16]


def search(
    session: Session,
    text: str = "",
    *,
    include_retired: bool = False,
    after: str | None = None,
    limit: int = 50,
) -> Page[Listed]:
    """A page of the register in the order of names: those with `text` in name, code or participant. Raises ValueError
    for an `after` that is none."""
    place = (Row.name, Row.id)
    query = select(Row).order_by(*place).limit(limit + 1)
    if not include_retired:
        query = query.where(Row.retired_at.is_(None))
    if text:
        columns = (Row.name, Row.employee_code, Row.participant)
        query = query.where(or_(*(one.icontains(text, autoescape=True) for one in columns)))
    if after is not None:
        number, _, name = after.partition("~")
        if not (number.isascii() and number.isdecimal() and len(number) <= 18):
            raise ValueError(f"{after!r} leads to no page of the register")
        query = query.where(tuple_(*place) > tuple_(literal(name), literal(int(number))))
    rows = session.scalars(query).all()
    items = tuple(Listed(_endorser(row), row.retired_at is not None) for row in rows[:limit])
    return Page(items, f"{rows[limit - 1].id}~{rows[limit - 1].name}" if len(rows) > limit else None)


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


def _known(session: Session) -> dict[Key, Row]:
    """Those not retired."""
    return {_key(row): row for row in session.scalars(select(Row).where(Row.retired_at.is_(None)))}


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
    values = {name: getattr(one, name) or None for name in COLUMNS}
    return {**values, "document_types": list(one.document_types)}


def _plain(one: Row | Endorser) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, date) else value for name, value in _content(one).items()}


def _told(kind: str, number: int, one: Endorser, actor: str) -> dict[str, Any]:
    return {"kind": kind, "subject": f"endorser:{number}", "actor": as_id(actor), "digest": digest(_plain(one))}


def _endorser(row: Row) -> Endorser:
    return Endorser(**{**_content(row), "document_types": tuple(row.document_types), "id": row.id})
