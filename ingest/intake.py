"""The one way in: bytes are streamed once into the object store, then recorded in one transaction.

Whoever calls it names the arrival by an identity. The same identity told twice, by anybody, is one arrival; so a
watcher that was killed anywhere in between begins again, and nothing is lost or counted twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session, sessionmaker

from pipeline.formats import sniff
from records import balance, intake
from records.objects import ObjectStore
from records.words import Arrived, Source

log = structlog.get_logger(__name__)

#: By what a file's first bytes show; of anything else the pipeline says why it is no document.
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "tiff": "image/tiff",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
}
UNKNOWN = "application/octet-stream"
#: First bytes kept for that.
HEAD_BYTES = 1024

MIB = 2**20


class Changed(Exception):
    """What is being read is no longer what was found: somebody wrote to it. It is left for another look."""


class Unreadable(Exception):
    """The file can't be read now, by no fault of its content. It is left for another look; the message says why."""


class Unfit(ValueError):
    """The file can't become a document; the message is the sentence for its arrival's record."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file. `status` is `document`, `duplicate` or `refused`; then `reason` says why.

    `scan_id` is the scan that the arrival started, if it did; `repeated` when this arrival was known before.
    """

    arrival_id: int
    status: str
    document_id: str | None = None
    scan_id: int | None = None
    repeated: bool = False
    reason: str | None = None


class Intake:
    """Takes in what watchers and uploads find. One a process; its methods may be called by many threads at once.

    All of them raise what `records.outages.outage` knows while the database or the object store is away.
    """

    def __init__(self, sessions: sessionmaker[Session], store: ObjectStore, *, timezone: str, max_bytes: int) -> None:
        self._sessions = sessions
        self._store = store
        self._zone = ZoneInfo(timezone)
        self.max_bytes = max_bytes

    def source(self, kind: str, location: str, priority: int = 0) -> Source:
        """The source of this kind (`folder`, `s3`, `upload`) and place, made where it is new."""
        with self._sessions.begin() as session:
            return intake.source(session, kind, location, priority)

    def take(
        self,
        source: Source,
        path: str,
        identity: str,
        chunks: Iterable[bytes],
        *,
        priority: int | None = None,
        arrived_at: datetime | None = None,
    ) -> Taken:
        """Store and record a file. `chunks` is read to its end, once; what it raises passes through, and then nothing
        is recorded. An empty or too large file is refused. Without a time, the file arrives now."""
        head = _Head()
        try:
            received = self._store.receive(head.keep(self._fit(chunks)))
        except Unfit as unfit:
            return self.refuse(source, path, identity, str(unfit), arrived_at=arrived_at)
        now = datetime.now(UTC)
        came = now if arrived_at is None else min(arrived_at, now)
        with self._sessions.begin() as session:
            arrived = intake.arrive(
                session,
                source_id=source.id,
                path=path,
                identity=identity,
                sha256=received.sha256,
                size=received.size,
                media_type=media_type(bytes(head.kept)),
                priority=source.priority if priority is None else priority,
                arrived_at=came,
                on_date=came.astimezone(self._zone).date(),
            )
        return _told(source, arrived)

    def refuse(
        self, source: Source, path: str, identity: str, reason: str, *, arrived_at: datetime | None = None
    ) -> Taken:
        """Record that a file can't be taken in; `reason` is a sentence for a person."""
        with self._sessions.begin() as session:
            arrived = intake.refuse(
                session, source_id=source.id, path=path, identity=identity, reason=reason, arrived_at=arrived_at
            )
        return _told(source, arrived, reason)

    def known(self, source: Source, identities: Collection[str]) -> set[str]:
        """Those of these identities that have arrived before."""
        if not identities:
            return set()
        with self._sessions.begin() as session:
            return intake.known(session, source.id, identities)

    def listed(self, source: Source, *, files: int, arrived: int, waiting: int) -> None:
        """Write down what a complete listing of the source counted, for the balance."""
        with self._sessions.begin() as session:
            balance.record_listing(session, source.id, listed=files, arrived=arrived, waiting=waiting)

    def check_size(self, size: int) -> None:
        """Raises Unfit when a file of so many bytes would not be taken."""
        if size == 0:
            raise Unfit("The file is empty (0 bytes). Scan or copy it again.")
        if size > self.max_bytes:
            raise Unfit(
                f"The file has more than {self.max_bytes / MIB:.0f} MiB, which is the limit"
                " (DOCVIGIL_MAX_FILE_BYTES). Scan it at a lower resolution or in parts."
            )

    def _fit(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > self.max_bytes:
                break
            yield chunk
        self.check_size(size)


def media_type(head: bytes) -> str:
    """What a file is by its first bytes; its name isn't asked."""
    return MEDIA_TYPES.get(sniff(head) or "", UNKNOWN)


class _Head:
    """The first bytes of a stream that passes by."""

    def __init__(self) -> None:
        self.kept = bytearray()

    def keep(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.kept += chunk[: HEAD_BYTES - len(self.kept)]
            yield chunk


def _told(source: Source, arrived: Arrived, reason: str | None = None) -> Taken:
    refused = arrived.status == "refused"
    if not arrived.repeated:
        log.info(
            "arrival",
            arrival=arrived.arrival_id,
            source=source.id,
            status=arrived.status,
            document=arrived.document_id,
            scan=arrived.scan_id,
        )
    return Taken(
        arrived.arrival_id,
        arrived.status,
        arrived.document_id,
        arrived.scan_id,
        arrived.repeated,
        reason if refused else None,
    )
