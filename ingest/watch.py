"""One watcher a source, each in a thread, for as long as the process runs.

The database, the object store, a folder or the network being away ends none of them: each waits and begins again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from ingest.bucket import Bucket
from ingest.config import WatchConfig
from ingest.folder import FolderWatcher
from ingest.intake import Intake
from ingest.s3 import S3Watcher
from ingest.sqs import QueueReader, sqs_client
from ingest.tree import ignored
from records import database
from records.objects import open_store, s3_client
from records.outages import Backoff, outage
from records.traces import where

log = structlog.get_logger(__name__)

#: A watcher that has worked for so long starts anew with short waits.
LONG_LIFE_SECONDS = 30.0

Work = Callable[[threading.Event], None]


class BadSource(ValueError):
    """A source can't be watched; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Folder:
    path: Path
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Prefix:
    """A folder of a bucket: `prefix` ends in `/`, or is empty for the whole bucket."""

    bucket: str
    prefix: str
    priority: int = 0


def run(sources: Sequence[str], config: WatchConfig, stop: threading.Event) -> None:
    """Watches folders and buckets (`s3://BUCKET/PREFIX`) until `stop` is set. Raises BadSource before it starts."""
    planned = plan(sources, config)
    engine = database.engine(config.database_url)
    try:
        intake = Intake(
            database.sessions(engine),
            open_store(config.object_store, endpoint_url=config.s3_endpoint_url),
            timezone=config.timezone,
            max_bytes=config.max_file_bytes,
        )
        # Clients are made here because making them isn't safe in threads.
        threads = [
            threading.Thread(target=_keep, args=(work, stop), name=f"watch-{place}")
            for place, work in enumerate(_works(planned, intake, config))
        ]
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join()
    finally:
        engine.dispose()
    log.info("watch.stopped")


def plan(sources: Sequence[str], config: WatchConfig) -> list[Folder | Prefix]:
    """What these words name, each once. Raises BadSource where one can't be watched or two overlap."""
    planned: dict[object, Folder | Prefix] = {}
    for given in sources:
        one = _parsed(given, config.priorities.get(given, 0))
        planned.setdefault(_place(one), one)
    if not planned:
        raise BadSource("Nothing to watch was named. Give a folder or s3://BUCKET/PREFIX.")
    _apart([one for one in planned.values() if isinstance(one, Folder)], config)
    _prefixes_apart([one for one in planned.values() if isinstance(one, Prefix)], config)
    return list(planned.values())


def _works(planned: Sequence[Folder | Prefix], intake: Intake, config: WatchConfig) -> list[Work]:
    works = [_folder_work(one, intake, config) for one in planned if isinstance(one, Folder)]
    watchers = [
        S3Watcher(
            Bucket(one.bucket, one.prefix, s3_client(endpoint_url=config.s3_endpoint_url)),
            intake,
            config,
            priority=one.priority,
        )
        for one in planned
        if isinstance(one, Prefix)
    ]
    works += [watcher.run for watcher in watchers]
    if watchers:
        works += [QueueReader(url, sqs_client(url), watchers, config).run for url in config.sqs_queue_urls]
    return works


def _folder_work(folder: Folder, intake: Intake, config: WatchConfig) -> Work:
    # A folder that comes back may be on another file system: everything about it is looked at anew.
    return lambda stop: FolderWatcher(folder.path, intake, config, priority=folder.priority).run(stop)


def _keep(work: Work, stop: threading.Event) -> None:
    """Does the work until `stop` is set, again and again after whatever ended it."""
    backoff = Backoff()
    while not stop.is_set():
        began = time.monotonic()
        try:
            work(stop)
        except Exception as error:  # noqa: BLE001 — a watcher never ends; the error is logged by type and place.
            if time.monotonic() - began > LONG_LIFE_SECONDS:
                backoff.reset()
            wait = backoff.next()
            tell = log.warning if outage(error) else log.error
            tell("watch.waiting", error=type(error).__name__, where=where(error), seconds=round(wait, 1))
            stop.wait(wait)


def _parsed(given: str, priority: int) -> Folder | Prefix:
    if given.startswith("s3://"):
        bucket, prefix = _split(given)
        if not bucket:
            raise BadSource(f"{given} names no bucket. Write s3://BUCKET or s3://BUCKET/PREFIX.")
        return Prefix(bucket, prefix, priority)
    if "://" in given:
        raise BadSource(f"{given} is neither a folder nor s3://BUCKET/PREFIX.")
    path = Path(given).expanduser()
    if not path.is_dir():
        raise BadSource(f"There is no folder {given}. Make it first, or name another.")
    return Folder(path.resolve(), priority)


def _split(url: str) -> tuple[str, str]:
    """Bucket and prefix of an `s3://` URL; a prefix may hold what other URLs give a meaning to."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    prefix = prefix.strip("/")
    return bucket, f"{prefix}/" if prefix else ""


def _place(one: Folder | Prefix) -> object:
    return one.path if isinstance(one, Folder) else (one.bucket, one.prefix)


def _apart(folders: Sequence[Folder], config: WatchConfig) -> None:
    store = None if config.object_store.startswith("s3://") else Path(config.object_store.removeprefix("file://"))
    for one in folders:
        for other in folders:
            if one is not other and one.path.is_relative_to(other.path):
                raise BadSource(f"{one.path} lies in {other.path}, which is watched with all its folders. Name one.")
        if store is not None and _feeds(store.expanduser().resolve(), one.path):
            raise BadSource(f"The object store lies in the watched folder {one.path}. Move one of them.")
        if store is not None and one.path.is_relative_to(store.expanduser().resolve()):
            raise BadSource(f"The watched folder {one.path} lies in the object store. Watch another.")


def _feeds(store: Path, folder: Path) -> bool:
    """Whether a watcher of the folder would take in what the store keeps. Hidden folders aren't watched."""
    return store.is_relative_to(folder) and not any(ignored(part) for part in store.relative_to(folder).parts)


def _prefixes_apart(prefixes: Sequence[Prefix], config: WatchConfig) -> None:
    for one in prefixes:
        for other in prefixes:
            if one is not other and one.bucket == other.bucket and one.prefix.startswith(other.prefix):
                raise BadSource(f"{one.prefix} lies in {other.prefix or one.bucket}, which is watched whole. Name one.")
        if config.object_store.startswith("s3://"):
            bucket, prefix = _split(config.object_store)
            if bucket == one.bucket and (prefix.startswith(one.prefix) or one.prefix.startswith(prefix)):
                raise BadSource(f"The object store and s3://{one.bucket}/{one.prefix} overlap. Move one of them.")
