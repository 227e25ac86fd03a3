"""The S3 watcher: a listing, compared with the ledger of arrivals, page by page; notifications only make it quicker."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import cached_property

import structlog

from ingest.bucket import Bucket, Gone, Version
from ingest.config import WatchConfig
from ingest.events import Told
from ingest.intake import Changed, Intake, Unfit, Unreadable
from records.outages import outage
from records.traces import where
from records.words import Source

log = structlog.get_logger(__name__)


class Became(Enum):
    """What became of an object version that was to be taken in."""

    ARRIVED = "arrived"
    #: Deleted.
    GONE = "gone"
    #: Overwritten before it could be read; what replaced it is another version.
    CHANGED = "changed"
    #: It can't be read now.
    LEFT = "left"


class S3Watcher:
    """Watches one prefix. Made once; `run` may be called again after what it raised."""

    def __init__(self, bucket: Bucket, intake: Intake, config: WatchConfig, *, priority: int = 0) -> None:
        self.bucket = bucket
        self._intake = intake
        self._config = config
        self._priority = priority

    @cached_property
    def source(self) -> Source:
        return self._intake.source("s3", self.bucket.location, self._priority)

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set, or something that is needed goes away (raised, as `records.outages.outage` knows)."""
        log.info("bucket.watched", source=self.source.id)
        with ThreadPoolExecutor(self._config.parallel, thread_name_prefix="s3") as pool:
            while not stop.is_set():
                self.list(pool, stop)
                stop.wait(self._config.rescan_seconds)

    def list(self, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        """Takes in what a listing finds new, and writes down what it counted."""
        counts: Counter[Became] = Counter()
        for page in self.bucket.pages():
            if stop.is_set():
                return
            counts.update(self.take_all(pool, page, stop).values())
        if stop.is_set():
            return
        arrived, waiting = counts[Became.ARRIVED], counts[Became.CHANGED] + counts[Became.LEFT]
        self._intake.listed(self.source, files=arrived + waiting, arrived=arrived, waiting=waiting)

    def told(self, told: Told) -> Version | None:
        """The version that a notification tells of, if it is watched here. Raises Gone, Unreadable, BucketAway."""
        if not self.bucket.covers(told.bucket, told.key):
            return None
        return self.bucket.version(told.key, told.etag, told.version_id)

    def take_all(
        self, pool: ThreadPoolExecutor, versions: Iterable[Version], stop: threading.Event
    ) -> dict[str, Became]:
        """Takes in those that haven't arrived yet, some at a time; what became of each, by its identity."""
        by_identity = {self.bucket.identity(version): version for version in versions}
        known = self._intake.known(self.source, by_identity)
        became = dict.fromkeys(known, Became.ARRIVED)
        new = {identity: version for identity, version in by_identity.items() if identity not in known}
        away: Exception | None = None
        took = pool.map(lambda one: self._take_safely(one, stop), new.values())
        for identity, what in zip(new, took, strict=True):
            if isinstance(what, Exception):
                away = what
            else:
                became[identity] = what
        if away is not None:
            raise away
        return became

    def _take_safely(self, version: Version, stop: threading.Event) -> Became | Exception:
        """Takes in one version; what became of it, or what went away. One object's trouble never stops the others."""
        if stop.is_set():
            return Became.LEFT
        try:
            self._take(version)
        except Gone:
            return Became.GONE
        except Changed:
            return Became.CHANGED
        except Unreadable as why:
            log.warning("bucket.unreadable", source=self.source.id, error=str(why))
            return Became.LEFT
        except Exception as error:  # noqa: BLE001 — logged by type; the next listing brings the object again.
            if outage(error):
                return error
            log.error("bucket.failed", source=self.source.id, error=type(error).__name__, where=where(error))
            return Became.LEFT
        return Became.ARRIVED

    def _take(self, version: Version) -> None:
        about = (self.source, self.bucket.shown(version.key), self.bucket.identity(version))
        with self.bucket.open(version) as opened:
            try:
                # Known before a byte is read.
                self._intake.check_size(opened.size)
            except Unfit as unfit:
                self._intake.refuse(*about, str(unfit), arrived_at=opened.modified)
            else:
                self._intake.take(*about, opened.chunks, arrived_at=opened.modified)
