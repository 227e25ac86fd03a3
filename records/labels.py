"""What people say stands on documents, field by field: sets of documents to be labelled, and the labels given.

Labels are never changed: who labels a document again adds one, and the latest counts. A document of a set is handed to
one person at a time. No complete Aadhaar number is written down. What they teach stands in `records.label_lessons`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    any_,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, Session, mapped_column

from records.audit import event
from records.canonical import digest
from records.privacy import AADHAAR, masked
from records.tables import Base, Document, Scan, now_column, number_column

#: A document is in somebody's hands for so long.
TAKEN = timedelta(minutes=20)
#: Documents of a set, at most.
MOST_DOCUMENTS = 5000


class Set(Base):
    """Documents to be labelled; with a `document_type` they are all of it, whatever they were taken for."""

    __tablename__ = "label_sets"
    __table_args__ = (CheckConstraint("name <> ''", "name"),)

    id: Mapped[int] = number_column()
    name: Mapped[str]
    document_type: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = now_column()


class Label(Base):
    """All that one person said of one document at one time. `document_type` is None for boxes of no form."""

    __tablename__ = "labels"
    __table_args__ = (
        CheckConstraint(f"CAST(fields AS text) !~ '{AADHAAR}'", "no_aadhaar"),
        Index("labels_of_document", "document_id", "id"),
    )

    id: Mapped[int] = number_column()
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    document_type: Mapped[str | None]
    fields: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    defects: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    labelled_by: Mapped[str]
    labelled_at: Mapped[datetime] = now_column()


class Task(Base):
    """A document in a set: its label once it has one, and in whose hands it is."""

    __tablename__ = "label_tasks"
    __table_args__ = (
        CheckConstraint("(taken_by IS NULL) = (taken_until IS NULL)", "taken_is_whole"),
        Index("label_tasks_open", "set_id", "document_id", postgresql_where=text("label_id IS NULL")),
    )

    set_id: Mapped[int] = mapped_column(ForeignKey("label_sets.id"), primary_key=True, autoincrement=False)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    label_id: Mapped[int | None] = mapped_column(ForeignKey("labels.id"))
    taken_by: Mapped[str | None]
    taken_until: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class SetView:
    """A set, how many documents it has, and how many of them are labelled."""

    id: int
    name: str
    document_type: str | None
    documents: int
    labelled: int
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label with its document: the day that it arrived, and what its file is."""

    id: int
    document_id: str
    document_type: str | None
    fields: tuple[Mapping[str, Any], ...]
    defects: tuple[Mapping[str, Any], ...]
    labelled_by: str
    labelled_at: datetime
    on: date
    media_type: str


def begin(session: Session, name: str, document_type: str | None, *, actor: str) -> SetView:
    """A new set without documents."""
    number = session.scalars(
        insert(Set).values(name=name, document_type=document_type, created_by=actor).returning(Set.id)
    ).one()
    event(session, "labels.set", f"labels:{number}", actor=actor)
    return find(session, number)


def add(session: Session, set_id: int, documents: Iterable[str]) -> int:
    """Put documents into a set; how many were not in it. Raises LookupError for a set or document that isn't there."""
    find(session, set_id)
    wanted = sorted(set(documents))
    known = set(session.scalars(select(Document.id).where(Document.id.in_(wanted))))
    if missing := [one for one in wanted if one not in known]:
        raise LookupError(f"there is no document {missing[0]}")
    if not wanted:
        return 0
    rows = [{"set_id": set_id, "document_id": one} for one in wanted]
    new = upsert(Task).on_conflict_do_nothing().returning(Task.document_id)
    return len(session.scalars(new, rows).all())


def fill(
    session: Session,
    set_id: int,
    *,
    status: str | None = None,
    document_type: str | None = None,
    count: int = 100,
) -> int:
    """Put the newest documents into a set that nobody has labelled, of a status and a type; how many were added."""
    query = select(Document.id).where(~exists().where(Label.document_id == Document.id))
    if status is not None:
        query = query.where(Document.status == status)
    if document_type is not None:
        query = query.join(Scan, Scan.id == Document.scan_id).where(literal(document_type) == any_(Scan.document_types))
    inside = exists().where(Task.set_id == set_id, Task.document_id == Document.id)
    query = query.where(~inside).order_by(Document.created_at.desc(), Document.id.desc())
    return add(session, set_id, session.scalars(query.limit(min(count, MOST_DOCUMENTS))))


def find(session: Session, set_id: int) -> SetView:
    """A set. Raises LookupError."""
    found = sets(session, set_id)
    if not found:
        raise LookupError(f"there is no set {set_id} of documents to label")
    return found[0]


def sets(session: Session, set_id: int | None = None) -> list[SetView]:
    """The sets, the newest first."""
    query = (
        select(Set, func.count(Task.document_id), func.count(Task.label_id))
        .outerjoin(Task, Task.set_id == Set.id)
        .group_by(Set.id)
        .order_by(Set.id.desc())
        .limit(200)
    )
    if set_id is not None:
        query = query.where(Set.id == set_id)
    return [
        SetView(one.id, one.name, one.document_type, documents, labelled, one.created_by, one.created_at)
        for one, documents, labelled in session.execute(query)
    ]


def next_for(session: Session, set_id: int, who: str) -> str | None:
    """A document of the set without a label, from now on in this person's hands; None where all are labelled or taken.
    Who comes again without having labelled gets the same."""
    mine = Task.taken_by == who
    row = session.scalars(
        select(Task)
        .join(Document, Document.id == Task.document_id)
        .where(
            Task.set_id == set_id,
            Task.label_id.is_(None),
            Document.status != "in_flight",
            or_(Task.taken_by.is_(None), Task.taken_until < func.now(), mine),
        )
        .order_by(mine.desc().nulls_last(), Task.document_id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Task)
    ).one_or_none()
    if row is None:
        return None
    session.execute(
        update(Task)
        .where(Task.set_id == set_id, Task.document_id == row.document_id)
        .values(taken_by=who, taken_until=func.now() + TAKEN)
        .execution_options(synchronize_session=False)
    )
    return row.document_id


def contains(session: Session, set_id: int, document_id: str) -> bool:
    return session.get(Task, (set_id, document_id)) is not None


def keep(
    session: Session,
    document_id: str,
    document_type: str | None,
    fields: Sequence[Mapping[str, Any]],
    defects: Sequence[Mapping[str, Any]],
    *,
    actor: str,
    set_id: int | None = None,
    cause: str = "labelled",
) -> int:
    """Write a label down; its id. In every set that has the document it is labelled. Raises LookupError."""
    if session.get(Document, document_id) is None:
        raise LookupError(f"there is no document {document_id}")
    if set_id is not None and not contains(session, set_id, document_id):
        raise LookupError(f"the document is not in set {set_id}")
    safe = [{**one, "value": None if one["value"] is None else masked(str(one["value"]))} for one in fields]
    number = session.scalars(
        insert(Label)
        .values(
            document_id=document_id,
            document_type=document_type,
            fields=safe,
            defects=[dict(one) for one in defects],
            labelled_by=actor,
        )
        .returning(Label.id)
    ).one()
    session.execute(
        update(Task)
        .where(Task.document_id == document_id)
        .values(label_id=number, taken_by=None, taken_until=None)
        .execution_options(synchronize_session=False)
    )
    said = digest({"fields": safe, "defects": [dict(one) for one in defects]})
    event(session, f"label.{cause}", document_id, actor=actor, label=number, digest=said)
    return number


def latest(session: Session, document_id: str) -> Labelled | None:
    """The label that counts."""
    newest = select(func.max(Label.id)).where(Label.document_id == document_id)
    return next(_labelled(session, newest.scalar_subquery()), None)


def of_set(session: Session, set_id: int) -> list[Labelled]:
    """The labels that count of a set's documents. Raises LookupError."""
    find(session, set_id)
    ids = select(Task.label_id).where(Task.set_id == set_id, Task.label_id.is_not(None))
    return list(_labelled(session, any_(ids.scalar_subquery())))


def _labelled(session: Session, ids: ColumnElement[Any]) -> Iterator[Labelled]:
    rows = session.execute(
        select(Label, Scan.judged_on, Document.media_type)
        .join(Document, Document.id == Label.document_id)
        .join(Scan, Scan.id == Document.scan_id)
        .where(Label.id == ids)
        .order_by(Label.document_id)
    )
    for one, on, media_type in rows:
        yield Labelled(
            one.id,
            one.document_id,
            one.document_type,
            tuple(one.fields),
            tuple(one.defects),
            one.labelled_by,
            one.labelled_at,
            on,
            media_type,
        )
