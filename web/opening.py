"""The one way to pictures and originals: who opens what is written down before a byte is handed out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from records import audit, queue
from records.objects import original_key
from records.words import DocumentView
from web.access import Person
from web.context import Context
from web.problems import NotFound
from workers.manifest import Manifest, PageEntry

PURPOSE = "review"


def pages(document: DocumentView) -> tuple[PageEntry, ...]:
    """The pages of the newest scan; none while it has not been prepared, or where it could not be."""
    return entries(document.scan.manifest)


def entries(manifest: Mapping[str, Any] | None) -> tuple[PageEntry, ...]:
    """The pages that a manifest tells of."""
    return () if manifest is None else Manifest.from_json(manifest).pages if manifest.get("folder") else ()


def page(desk: Context, person: Person, document_id: str, number: int) -> bytes:
    """The picture of a page, sensitive boxes masked. Raises LookupError, NotFound, Missing."""
    with desk.sessions.begin() as session:
        document = queue.document(session, document_id)
        found = next((one for one in pages(document) if one.number == number), None)
        if found is None:
            raise NotFound(f"The document has no picture of a page {number}.")
        audit.event(
            session,
            "pages.opened",
            document_id,
            actor=person.subject,
            scan=document.scan.id,
            pages=[number],
            purpose=PURPOSE,
        )
    return desk.store.get(found.key)


def evidence(desk: Context, person: Person, document_id: str, finding_id: int) -> bytes:
    """The picture that shows a finding: what was cut out, or its page. Raises LookupError, NotFound, Missing."""
    with desk.sessions.begin() as session:
        document = queue.document(session, document_id)
        found = next((one for one in document.findings if one.id == finding_id), None)
        if found is None or found.evidence_key is None:
            raise NotFound(f"There is no picture of finding {finding_id}.")
        audit.event(
            session,
            "evidence.opened",
            document_id,
            actor=person.subject,
            scan=document.scan.id,
            finding=finding_id,
            purpose=PURPOSE,
        )
    return desk.store.get(found.evidence_key)


def original(desk: Context, person: Person, document_id: str) -> BinaryIO:
    """The file as it arrived, to be closed by the caller. Raises LookupError, Missing."""
    with desk.sessions.begin() as session:
        queue.document(session, document_id)
        audit.opened(session, document_id, person.subject, PURPOSE)
    return desk.store.open(original_key(document_id))
