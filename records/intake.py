"""Intake: what arrives becomes an arrival, a document, a scan and a place in the queue, in one transaction.

Safe to call twice for one arrival, and by many watchers at once. Keep one arrival a transaction.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from records.audit import event
from records.scans import start, write_priority
from records.tables import Arrival, Document
from records.tables import Source as SourceRow
from records.words import Arrived, Source

#: Identities longer than this are kept as their SHA-256: an index holds no longer ones.
_LONGEST_IDENTITY = 500

#: New content of a new arrival: document, arrival, first scan, its place in the queue; nothing where one is known.
_NEW = text("""
    WITH document AS (
        INSERT INTO documents (id, size, media_type, priority, scan_id)
        SELECT :sha256, :size, :media_type, :priority, nextval('scan_ids')
         WHERE NOT EXISTS (SELECT FROM arrivals WHERE source_id = :source_id AND identity = :identity)
        ON CONFLICT (id) DO NOTHING
        RETURNING id, priority, scan_id
    ), arrival AS (
        INSERT INTO arrivals (source_id, identity, path, status, document_id, arrived_at)
        SELECT :source_id, :identity, :path, 'document', id, CAST(:arrived_at AS timestamptz) FROM document
        RETURNING id
    ), scan AS (
        INSERT INTO scans (id, document_id, number, arrival_id, cause, judged_on)
        SELECT scan_id, document.id, 1, arrival.id, 'arrival', CAST(:judged_on AS date) FROM document, arrival
        RETURNING id
    ), place AS (
        INSERT INTO outbox (scan_id, queue, priority) SELECT scan.id, 'prepare', priority FROM document, scan
    )
    SELECT arrival.id, scan_id FROM document, arrival
""")


def source(session: Session, kind: str, location: str, priority: int = 0) -> Source:
    """The source of this kind (`folder`, `s3`, `upload`) and place, made where it is new; its priority is brought up
    to date. Documents of a higher priority are taken up first."""
    place = readable(location)
    session.execute(
        upsert(SourceRow)
        .values(kind=kind, location=place, priority=priority)
        .on_conflict_do_update(
            index_elements=["kind", "location"],
            set_={"priority": priority},
            where=SourceRow.priority != priority,
        )
    )
    row = session.execute(
        select(SourceRow.id, SourceRow.kind, SourceRow.location, SourceRow.priority).where(
            SourceRow.kind == kind, SourceRow.location == place
        )
    ).one()
    return Source(*row)


def arrive(
    session: Session,
    *,
    source_id: int,
    path: str,
    identity: str,
    sha256: str,
    size: int,
    media_type: str,
    priority: int = 0,
    arrived_at: datetime,
    on_date: date,
) -> Arrived:
    """Record a file whose bytes are safe in the object store.

    New content becomes a document with its first scan. Content that is known is a duplicate; where it had been
    quarantined it is tried again, judged as of this arrival. The same arrival told twice changes nothing.
    """
    key = identity_key(identity)
    _alone_with(session, source_id, key)
    told: dict[str, Any] = {"source_id": source_id, "identity": key, "path": readable(path), "sha256": sha256}
    told |= {"priority": priority, "arrived_at": arrived_at}
    # Two watchers with the same new content: the second waits here until the first commits, and then finds a duplicate.
    new = session.execute(_NEW, {**told, "size": size, "media_type": media_type, "judged_on": on_date}).one_or_none()
    if new is not None:
        event(session, "arrival", sha256, arrival=new.id, source=source_id, status="document", scan=new.scan_id)
        return Arrived(new.id, sha256, "document", new.scan_id)
    before = _before(session, source_id, key)
    if before is not None:
        return before
    again = _again(session, sha256, priority)
    arrival_id = _arrival(
        session,
        source_id=source_id,
        identity=key,
        path=readable(path),
        status="duplicate",
        document_id=sha256,
        arrived_at=arrived_at,
    )
    scan_id = None
    if again:
        scan_id = start(session, sha256, cause="again", arrival_id=arrival_id, judged_on=on_date)
    event(session, "arrival", sha256, arrival=arrival_id, source=source_id, status="duplicate", scan=scan_id)
    return Arrived(arrival_id, sha256, "duplicate", scan_id)


def refuse(
    session: Session, *, source_id: int, path: str, identity: str, reason: str, arrived_at: datetime | None = None
) -> Arrived:
    """Record a file that can't be taken in; `reason` is a sentence for a person."""
    key = identity_key(identity)
    _alone_with(session, source_id, key)
    before = _before(session, source_id, key)
    if before is not None:
        return before
    arrival_id = _arrival(
        session,
        source_id=source_id,
        identity=key,
        path=readable(path),
        status="refused",
        reason=readable(reason),
        arrived_at=func.now() if arrived_at is None else arrived_at,
    )
    event(session, "arrival", None, arrival=arrival_id, source=source_id, status="refused")
    return Arrived(arrival_id, None, "refused")


def known(session: Session, source_id: int, identities: Collection[str]) -> set[str]:
    """Those of these identities that have arrived from this source before."""
    keys = {identity_key(identity): identity for identity in identities}
    found = session.scalars(
        select(Arrival.identity).where(Arrival.source_id == source_id, Arrival.identity == func.any(list(keys)))
    )
    return {keys[key] for key in found}


def identity_key(identity: str) -> str:
    """How an identity is stored: itself, or its SHA-256 where it is long or holds what Postgres' text can't."""
    if len(identity) <= _LONGEST_IDENTITY and identity.isprintable() and not _surrogates(identity):
        return identity
    return "sha256:" + hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()


def readable(name: str) -> str:
    """A path as it is stored and shown: bytes beyond UTF-8 and control characters stand as \\xNN."""
    shown = os.fsencode(name).decode("utf-8", "backslashreplace") if _surrogates(name) else name
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in shown)


def _surrogates(text: str) -> bool:
    return any("\ud800" <= one <= "\udfff" for one in text)


def _again(session: Session, sha256: str, priority: int) -> bool:
    """Whether known content is scanned once more."""
    status, before = session.execute(select(Document.status, Document.priority).where(Document.id == sha256)).one()
    if status in ("in_flight", "quarantined") and priority > before:
        write_priority(session, sha256, priority)
    if status != "quarantined":
        return False
    # Locked only now: workers lock a document last, so nobody may hold one and wait for a place in the queue.
    now = session.scalar(select(Document.status).where(Document.id == sha256).with_for_update(key_share=True))
    return now == "quarantined"


def _arrival(session: Session, **values: Any) -> int:
    return session.execute(insert(Arrival).values(**values).returning(Arrival.id)).scalar_one()


def _alone_with(session: Session, source_id: int, key: str) -> None:
    """Two tellers of one arrival go one after the other from here on, so that the second finds the first's record."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{source_id}:{key}", 0))))


def _before(session: Session, source_id: int, key: str) -> Arrived | None:
    row = session.execute(
        select(Arrival.id, Arrival.document_id, Arrival.status).where(
            Arrival.source_id == source_id, Arrival.identity == key
        )
    ).one_or_none()
    return None if row is None else Arrived(row.id, row.document_id, row.status, repeated=True)
