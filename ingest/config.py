"""What watchers must be told. Plain values: `docvigil.settings` fills them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WatchConfig:
    """One object for all watchers of a process."""

    database_url: str = field(repr=False)
    object_store: str
    #: S3 server of the object store and of watched buckets; AWS if None.
    s3_endpoint_url: str | None = None
    #: Queues that tell of new objects in watched buckets. Listings find the same, only later.
    sqs_queue_urls: tuple[str, ...] = ()

    #: A document is judged against the day of its arrival here.
    timezone: str = "Asia/Kolkata"
    max_file_bytes: int = 200 * 2**20

    #: A file is whole when neither size nor time has changed for so long.
    stable_seconds: float = 2.0
    #: Folders and buckets are listed again after so long, whatever notifications said.
    rescan_seconds: float = 30.0
    #: Leave files of watched folders where they are.
    in_place: bool = False
    #: Documents of a source with a higher number are taken up first; by the source as it was given, 0 if not named.
    priorities: Mapping[str, int] = field(default_factory=dict)
    #: Files a source that are taken in at the same time.
    parallel: int = 8
    #: Files watched until they are finished, at most; the others are found again by the next listing.
    settling: int = 20_000
