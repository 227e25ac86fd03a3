"""Answers that were given under an idempotency key: whoever sends the same again gets the same answer, and nothing is
done twice. The answer is written in the transaction of what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from records.canonical import digest
from records.tables import Base
from records.words import Refused

#: How long an answer is remembered.
KEPT = timedelta(days=1)


class Reply(Base):
    __tablename__ = "replies"
    __table_args__ = (Index("replies_created", "created_at"),)

    subject: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    #: Digest of what was asked.
    request: Mapped[str]
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class Asked:
    """A request under a key; it holds for one person."""

    subject: str
    key: str
    request: str

    @classmethod
    def of(cls, subject: str, key: str, request: Mapping[str, Any]) -> Asked:
        return cls(subject, key, digest(request))


def known(session: Session, asked: Asked) -> dict[str, Any] | None:
    """The answer given before; None where this is new, and then nobody else answers it until the transaction ends.

    Raises Refused where the key was used for something else.
    """
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"{asked.subject} {asked.key}", 0))
    session.execute(select(lock))
    row = session.get(Reply, (asked.subject, asked.key))
    if row is None:
        return None
    if row.request != asked.request:
        raise Refused("this idempotency key was used for another request; choose a new one for each")
    return row.body


def keep(session: Session, asked: Asked, body: Mapping[str, Any]) -> None:
    """Remember the answer."""
    session.execute(delete(Reply).where(Reply.created_at < func.now() - KEPT))
    session.execute(insert(Reply).values(subject=asked.subject, key=asked.key, request=asked.request, body=dict(body)))
