"""The document types that scans are judged by: each version named in a scan stands here with its content, so that it
can be explained."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from pipeline.doctypes.schema import DocumentType
from records.audit import event
from records.canonical import digest
from records.tables import DoctypeSet, DoctypeVersion


def type_digest(doctype: DocumentType) -> str:
    """SHA-256 of a type's content, its blank pages included. Raises OSError where a blank can't be read."""
    folder = doctype.folder
    blanks = [] if folder is None else [_sha256((folder / page.blank).read_bytes()) for page in doctype.pages]
    return digest({"type": doctype.model_dump(mode="json"), "blanks": blanks})


def types_version(types: Iterable[DocumentType]) -> str:
    """Sixteen hexadecimal digits that change with anything in the types or their blank pages: what a scan's
    `doctypes_version` says."""
    return digest(sorted([one.key, type_digest(one)] for one in types))[:16]


def record_doctypes(session: Session, types: Iterable[DocumentType], version: str) -> bool:
    """Write down what the types are under this version; False where it was known."""
    if session.scalar(select(DoctypeSet.version).where(DoctypeSet.version == version).limit(1)):
        return False
    digests = {one.key: type_digest(one) for one in types}
    bodies = {one.key: one.model_dump(mode="json") for one in types}
    if not digests:
        return False
    rows = [{"key": key, "digest": each, "body": bodies[key]} for key, each in sorted(digests.items())]
    new = session.scalars(upsert(DoctypeVersion).on_conflict_do_nothing().returning(DoctypeVersion.key), rows).all()
    members = [{"version": version, "key": key, "digest": each} for key, each in sorted(digests.items())]
    session.execute(upsert(DoctypeSet).on_conflict_do_nothing(), members)
    for key in sorted(new):
        event(session, "doctype.recorded", f"doctype:{key}", digest=digests[key])
    event(session, "doctypes.version", f"doctypes:{version}", types=len(members))
    return True


def doctypes_of(session: Session, version: str) -> dict[str, dict[str, Any]]:
    """The types that a scan's `doctypes_version` stands for, by their keys; empty where the version is unknown."""
    rows = session.execute(
        select(DoctypeVersion.key, DoctypeVersion.body)
        .join(
            DoctypeSet,
            (DoctypeSet.key == DoctypeVersion.key) & (DoctypeSet.digest == DoctypeVersion.digest),
        )
        .where(DoctypeSet.version == version)
        .order_by(DoctypeVersion.key)
    )
    return {row.key: row.body for row in rows}


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
