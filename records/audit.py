"""The audit trail: an event in the transaction of every change, and a chain of hashes over them.

Writers only insert events and never wait for each other. One chainer at a time (an advisory lock) appends links:
hash = SHA-256(previous hash, sequence, event id, time in microseconds, canonical body). A link's order is that of
being chained, so an event that commits late is simply chained later; which events are still to be chained stands in
`unchained`, filled by a trigger. The head's signature and its anchors are `records/anchors.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from records.canonical import as_id, canonical
from records.tables import Event, Link, Unchained

#: The hash before the first link.
GENESIS = bytes(32)
#: Advisory lock of the chainer; any constant of our own.
CHAINER_LOCK = 0x64766967_00000001
#: Events that one round of a chainer appends at most.
AT_ONCE = 5000
#: Made once: making it takes longer than asking it.
_UNCHAINED = select(select(Unchained.event_id).exists())
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Head:
    sequence: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it is stored."""

    id: int
    at: datetime
    kind: str
    subject: str | None
    body: str


@dataclass(frozen=True, slots=True)
class ChainedEvent:
    """A link of the chain with its event; `at` and `body` are None where the event is gone."""

    sequence: int
    event_id: int
    previous_hash: bytes
    hash: bytes
    at: datetime | None
    body: str | None


@dataclass(frozen=True, slots=True)
class Verification:
    """`first_broken` is the sequence of the first link that is wrong, `reason` says what is; `unchained` counts the
    events that stand in no link yet."""

    ok: bool
    links: int
    first_broken: int | None
    unchained: int
    reason: str | None = None
    head: Head | None = None


def event(session: Session, kind: str, subject: str | None = None, *, actor: str | None = None, **ids: Any) -> None:
    """Record what happens in this transaction. `subject` is the document (or model, endorser …) it happens to.

    Values are ids, digests and whole numbers; anything else raises ValueError. An actor's full name is hashed.
    """
    session.execute(insert(Event).values(body=body(kind, subject, actor=actor, **ids)))


def body(kind: str, subject: str | None = None, *, actor: str | None = None, **ids: Any) -> str:
    """An event as it is stored, for whoever writes it in a statement of their own; the arguments are `event`'s."""
    told = {"kind": kind, "subject": subject, **ids}
    if actor is not None:
        told["actor"] = as_id(actor)
    return canonical({key: value for key, value in told.items() if value is not None}).decode()


def events(session: Session, bodies: Iterable[dict[str, Any]]) -> None:
    """Record many events at once; each has a `kind`."""
    rows = [{"body": canonical(body).decode()} for body in bodies]
    if rows:
        session.execute(insert(Event), rows)


def opened(session: Session, document_id: str, actor: str, purpose: str) -> None:
    """Record that somebody opens an original; call it before the bytes are handed out."""
    event(session, "original.opened", document_id, actor=actor, purpose=as_id(purpose))


def exported(session: Session, actor: str, what: str, count: int, sha256: str | None = None) -> None:
    """Record that data left the system."""
    event(session, "export", None, actor=actor, what=as_id(what), count=count, digest=sha256)


def history(session: Session, subject: str, limit: int = 1000) -> list[Recorded]:
    """What happened to a document (or another subject), oldest first."""
    rows = session.execute(
        select(Event.id, Event.at, Event.kind, Event.subject, Event.body)
        .where(Event.subject == subject)
        .order_by(Event.id)
        .limit(limit)
    )
    return [Recorded(*row) for row in rows]


def head(session: Session) -> Head:
    """The last link; sequence 0 before the first."""
    row = session.execute(select(Link.sequence, Link.hash).order_by(Link.sequence.desc()).limit(1)).one_or_none()
    return Head(0, GENESIS) if row is None else Head(row.sequence, bytes(row.hash))


def link_hash(previous: bytes, sequence: int, event_id: int, at: datetime, body: str) -> bytes:
    """The hash of a link. Numbers are eight bytes, the highest first."""
    micros = (at - _EPOCH) // timedelta(microseconds=1)
    parts = (previous, sequence.to_bytes(8, "big"), event_id.to_bytes(8, "big"), micros.to_bytes(8, "big", signed=True))
    return hashlib.sha256(b"".join(parts) + body.encode()).digest()


def unchained(session: Session) -> bool:
    """Whether events wait for the chain: one cheap question, so that a chainer may ask it all day."""
    return bool(session.scalar(_UNCHAINED))


def chain_once(session: Session, limit: int = AT_ONCE) -> int:
    """Append up to `limit` events to the chain; how many it was. 0 also when another chainer is at work."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(CHAINER_LOCK))):
        return 0
    waiting = session.execute(
        select(Event.id, Event.at, Event.body)
        .join(Unchained, Unchained.event_id == Event.id)
        .order_by(Unchained.event_id)
        .limit(limit)
    ).all()
    if not waiting:
        return 0
    last = head(session)
    links = []
    for row in waiting:
        following = Head(last.sequence + 1, link_hash(last.hash, last.sequence + 1, row.id, row.at, row.body))
        links.append(
            {"sequence": following.sequence, "event_id": row.id, "previous_hash": last.hash, "hash": following.hash}
        )
        last = following
    session.execute(insert(Link), links)
    session.execute(delete(Unchained).where(Unchained.event_id.in_([row.id for row in waiting])))
    return len(links)


def links(session: Session, after: int = 0, *, batch: int = 10_000) -> Iterator[ChainedEvent]:
    """The chained events after a link, in the order of the chain."""
    for row in _links(session, batch, after):
        yield ChainedEvent(row.sequence, row.event_id, bytes(row.previous_hash), bytes(row.hash), row.at, row.body)


def _links(session: Session, batch: int, after: int = 0) -> Iterator[Any]:
    while rows := session.execute(
        select(Link.sequence, Link.event_id, Link.previous_hash, Link.hash, Event.at, Event.body)
        .outerjoin(Event, Event.id == Link.event_id)
        .where(Link.sequence > after)
        .order_by(Link.sequence)
        .limit(batch)
    ).all():
        yield from rows
        after = rows[-1].sequence


def verify(session: Session, heads: Iterable[Head] = (), *, batch: int = 10_000) -> Verification:
    """Recompute the whole chain, and compare it with heads kept elsewhere (a chain cut short looks whole without).

    Reads one snapshot: call it first in a transaction of its own.
    """
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    known = {one.sequence: one.hash for one in heads if one.sequence > 0}
    last = Head(0, GENESIS)
    broken: tuple[int, str] | None = None
    for row in _links(session, batch):
        reason = _wrong(last, row, known)
        if reason:
            broken = (last.sequence + 1 if row.sequence != last.sequence + 1 else row.sequence, reason)
            break
        last = Head(row.sequence, bytes(row.hash))
    if broken is None and known and max(known) > last.sequence:
        broken = (last.sequence + 1, f"the chain ends at link {last.sequence}, but link {max(known)} was signed")
    links = session.scalar(select(func.count()).select_from(Link)) or 0
    unchained = (
        session.scalar(
            select(func.count())
            .select_from(Event)
            .where(~select(Link.event_id).where(Link.event_id == Event.id).exists())
        )
        or 0
    )
    if broken:
        return Verification(False, links, broken[0], unchained, broken[1], last)
    return Verification(True, links, None, unchained, None, last)


def _wrong(last: Head, row: Any, known: dict[int, bytes]) -> str | None:
    if row.sequence != last.sequence + 1:
        return f"link {last.sequence + 1} is missing"
    if bytes(row.previous_hash) != last.hash:
        return f"link {row.sequence} does not follow the one before"
    if row.body is None:
        return f"event {row.event_id} of link {row.sequence} is missing"
    if bytes(row.hash) != link_hash(last.hash, row.sequence, row.event_id, row.at, row.body):
        return f"event {row.event_id} of link {row.sequence} was changed"
    if row.sequence in known and known[row.sequence] != bytes(row.hash):
        return f"link {row.sequence} is not the one that was signed"
    return None
