"""Document types that people are drawing. A draft's description may be wrong for as long as it is one; its blank pages
lie in the object store. Publishing makes it a version of its type."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, Index, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from records.audit import event
from records.canonical import digest
from records.tables import Base, DoctypeVersion, now_column, one_of
from records.words import Refused

PUBLISHING_LOCK = 0x64766967_00000006
STATES = ("making", "ready", "failed", "published", "dropped")
#: Whoever makes a draft and says nothing for so long has died.
SILENT = timedelta(minutes=15)
INTERRUPTED = "Making the blank was interrupted. Upload the files again."


class Draft(Base):
    """`told` is a sentence on how it was made, or why it could not be; `body` a description as in `type.yaml`."""

    __tablename__ = "doctype_drafts"
    __table_args__ = (
        CheckConstraint("id ~ '^[0-9a-f]{32}$'", "id"),
        CheckConstraint(one_of("state", STATES), "state"),
        CheckConstraint("pages >= 0", "pages"),
        Index("doctype_drafts_open", "changed_at", postgresql_where=text("state NOT IN ('published', 'dropped')")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    title: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="making")
    told: Mapped[str] = mapped_column(server_default="")
    body: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    pages: Mapped[int] = mapped_column(server_default=text("0"))
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_by: Mapped[str]
    created_at: Mapped[datetime] = now_column()
    changed_by: Mapped[str]
    changed_at: Mapped[datetime] = now_column()


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft as it stands; `revision` rises with every change."""

    id: str
    name: str
    title: str
    state: str
    told: str
    body: Mapping[str, Any]
    pages: int
    revision: int
    changed_by: str
    changed_at: datetime

    def page_key(self, number: int) -> str:
        """Where the blank of a page lies in the object store. Raises LookupError where there is no such page."""
        if not 1 <= number <= self.pages:
            raise LookupError(f"the draft has no page {number}")
        return page_key(self.id, number)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A version of a type that documents were judged by, or that somebody published."""

    key: str
    digest: str
    registered_at: datetime


class Changed(Exception):
    """Somebody else has changed the draft meanwhile."""


def page_key(draft_id: str, number: int) -> str:
    return f"drafts/{draft_id}/page-{number}.png"


def begin(session: Session, name: str, title: str, *, actor: str, told: str = "") -> DraftView:
    """A draft that is being made."""
    row = Draft(id=uuid.uuid4().hex, name=name, title=title, told=told, created_by=actor, changed_by=actor)
    session.add(row)
    session.flush()
    session.refresh(row)
    event(session, "doctype.drafted", f"draft:{row.id}", actor=actor)
    return _view(row)


def made(session: Session, draft_id: str, body: Mapping[str, Any], pages: int, told: str) -> None:
    """Its blank pages are in the store, and this is proposed."""
    _end(session, draft_id, state="ready", body=dict(body), pages=pages, told=told)


def failed(session: Session, draft_id: str, why: str) -> None:
    """It could not be made."""
    _end(session, draft_id, state="failed", told=why)


def opened(session: Session) -> list[DraftView]:
    """Drafts that are neither published nor dropped, the last changed first."""
    rows = session.scalars(
        select(Draft).where(Draft.state.not_in(("published", "dropped"))).order_by(Draft.changed_at.desc()).limit(200)
    )
    return [_view(row) for row in rows]


def find(session: Session, draft_id: str, *, lock: bool = False) -> DraftView:
    """A draft. One whose maker has died is failed. Raises LookupError."""
    session.execute(
        update(Draft)
        .where(Draft.id == draft_id, Draft.state == "making", Draft.changed_at < func.now() - SILENT)
        .values(state="failed", told=INTERRUPTED)
    )
    query = select(Draft).where(Draft.id == draft_id, Draft.state != "dropped")
    row = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise LookupError("there is no such draft, or it was dropped")
    return _view(row)


def change(session: Session, draft_id: str, body: Mapping[str, Any], revision: int | None, *, actor: str) -> DraftView:
    """Keep a description. Raises Changed where `revision` is no longer the draft's, Refused where it can't be edited,
    LookupError."""
    ready(session, draft_id, revision)
    row = session.scalars(
        update(Draft)
        .where(Draft.id == draft_id)
        .values(
            body=dict(body),
            title=str(body.get("title") or ""),
            revision=Draft.revision + 1,
            changed_by=actor,
            changed_at=func.now(),
        )
        .returning(Draft)
        .execution_options(populate_existing=True)
    ).one()
    return _view(row)


def one_at_a_time(session: Session) -> None:
    """Nobody else publishes until the transaction ends: two would give the same number to their versions."""
    session.execute(select(func.pg_advisory_xact_lock(PUBLISHING_LOCK)))


def publish(session: Session, draft_id: str, revision: int | None, key: str, type_digest: str, *, actor: str) -> None:
    """The draft has become a version of its type. Raises as `change`."""
    ready(session, draft_id, revision)
    _end(session, draft_id, state="published", told=key)
    event(session, "doctype.published", f"doctype:{key}", actor=actor, draft=draft_id, digest=type_digest)


def drop(session: Session, draft_id: str, *, actor: str) -> None:
    """The draft is given up. Raises LookupError."""
    find(session, draft_id, lock=True)
    _end(session, draft_id, state="dropped")
    event(session, "doctype.dropped", f"draft:{draft_id}", actor=actor)


def versions(session: Session, name: str | None = None) -> list[Recorded]:
    """The recorded versions of a type, or of all, the newest first."""
    query = select(DoctypeVersion.key, DoctypeVersion.digest, DoctypeVersion.registered_at)
    if name is not None:
        query = query.where(DoctypeVersion.key.startswith(f"{name}@", autoescape=True))
    return [Recorded(*row) for row in session.execute(query.order_by(DoctypeVersion.registered_at.desc()))]


def ready(session: Session, draft_id: str, revision: int | None) -> None:
    """Locks a draft that may be changed. Raises Refused where it may not be, and what `find` raises."""
    one = find(session, draft_id, lock=True)
    if one.state != "ready":
        raise Refused(f"this draft is {one.state}, so it can't be edited")
    if revision is not None and revision != one.revision:
        raise Changed


def _end(session: Session, draft_id: str, **values: Any) -> None:
    session.execute(
        update(Draft)
        .where(Draft.id == draft_id)
        .values(**values, revision=Draft.revision + 1, changed_at=func.now())
        .execution_options(synchronize_session=False)
    )


def _view(row: Draft) -> DraftView:
    return DraftView(
        row.id,
        row.name,
        row.title,
        row.state,
        row.told,
        row.body,
        row.pages,
        row.revision,
        row.changed_by,
        row.changed_at,
    )


def state(one: DraftView) -> str:
    """What the draft's ETag says."""
    return digest([one.id, one.revision])[:16]
