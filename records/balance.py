"""The conservation law: what came in is somewhere. Every term is counted from a stored status, never by subtraction.

arrivals  = refused + duplicates + documents
documents = clear + flagged + quarantined + in flight
files a source lists now = arrived + waiting
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from records.tables import Arrival, Document, Listing, Outbox, Scan, Source


@dataclass(frozen=True, slots=True)
class SourceBalance:
    """A source and its last complete listing; the counts are None before the first."""

    source_id: int
    kind: str
    location: str
    files: int | None
    arrived: int | None
    waiting: int | None
    listed_at: datetime | None

    @property
    def adds_up(self) -> bool:
        return self.files is None or self.files == (self.arrived or 0) + (self.waiting or 0)


@dataclass(frozen=True, slots=True)
class Balance:
    """One snapshot. `brought` are arrivals that brought a document; `stranded` are scans in flight that stand in no
    queue, and `scans_in_flight` must be as many as documents in flight."""

    arrivals: int
    refused: int
    duplicates: int
    brought: int
    documents: int
    clear: int
    flagged: int
    quarantined: int
    in_flight: int
    scans_in_flight: int
    stranded: int
    oldest_in_flight_seconds: float | None
    sources: tuple[SourceBalance, ...]
    at: datetime

    @property
    def differences(self) -> tuple[str, ...]:
        """Each sum that doesn't come out, as a sentence; empty when all is well."""
        sums = [
            (
                self.arrivals == self.refused + self.duplicates + self.documents,
                f"{self.arrivals} arrivals are not {self.refused} refused + {self.duplicates} duplicates"
                f" + {self.documents} documents",
            ),
            (
                self.brought == self.documents,
                f"{self.brought} arrivals brought a document, but there are {self.documents} documents",
            ),
            (
                self.documents == self.clear + self.flagged + self.quarantined + self.in_flight,
                f"{self.documents} documents are not {self.clear} clear + {self.flagged} flagged"
                f" + {self.quarantined} quarantined + {self.in_flight} in flight",
            ),
            (
                self.scans_in_flight == self.in_flight,
                f"{self.in_flight} documents are in flight, but {self.scans_in_flight} scans",
            ),
            (self.stranded == 0, f"{self.stranded} scans in flight stand in no queue"),
        ]
        sums += [
            (
                one.adds_up,
                f"source {one.source_id} lists {one.files} files, which are not {one.arrived} arrived"
                f" + {one.waiting} waiting",
            )
            for one in self.sources
        ]
        return tuple(sentence for good, sentence in sums if not good)

    @property
    def adds_up(self) -> bool:
        return not self.differences


def balance(session: Session) -> Balance:
    """Count everything in one snapshot. Call it first in a transaction of its own."""
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    arrivals = _by(session, Arrival.status)
    documents = _by(session, Document.status)
    scans_in_flight = session.scalar(select(func.count()).select_from(Scan).where(Scan.stage != "done")) or 0
    queued = select(Outbox.scan_id).where(Outbox.scan_id == Scan.id).exists()
    stranded = session.scalar(select(func.count()).select_from(Scan).where(Scan.stage != "done", ~queued)) or 0
    now, oldest = session.execute(
        select(func.now(), func.min(Document.created_at)).where(Document.status == "in_flight")
    ).one()
    listed = session.execute(
        select(
            Source.id,
            Source.kind,
            Source.location,
            Listing.files,
            Listing.arrived,
            Listing.waiting,
            Listing.listed_at,
        )
        .outerjoin(Listing, Listing.source_id == Source.id)
        .order_by(Source.id)
    )
    return Balance(
        arrivals=session.scalar(select(func.count()).select_from(Arrival)) or 0,
        refused=arrivals.get("refused", 0),
        duplicates=arrivals.get("duplicate", 0),
        brought=arrivals.get("document", 0),
        documents=session.scalar(select(func.count()).select_from(Document)) or 0,
        clear=documents.get("clear", 0),
        flagged=documents.get("flagged", 0),
        quarantined=documents.get("quarantined", 0),
        in_flight=documents.get("in_flight", 0),
        scans_in_flight=scans_in_flight,
        stranded=stranded,
        oldest_in_flight_seconds=None if oldest is None else (now - oldest).total_seconds(),
        sources=tuple(SourceBalance(*row) for row in listed),
        at=now,
    )


def record_listing(session: Session, source_id: int, *, listed: int, arrived: int, waiting: int) -> None:
    """Write down what a complete listing of a source counted: files there now, of them known as arrivals, and of
    them still to be taken in. Each is counted by itself, so that a difference shows."""
    counts = {"files": listed, "arrived": arrived, "waiting": waiting, "listed_at": func.now()}
    session.execute(
        upsert(Listing)
        .values(source_id=source_id, **counts)
        .on_conflict_do_update(index_elements=["source_id"], set_=counts)
    )


def _by(session: Session, status: object) -> dict[str, int]:
    rows = session.execute(select(status, func.count()).group_by(status))  # type: ignore[call-overload]
    return {row[0]: row[1] for row in rows}
