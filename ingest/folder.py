"""The folder watcher: what turns up beneath a folder is taken in once it is finished.

Notifications make it quick, listings make it complete. A finished file is claimed by renaming it (`ingest.claims`),
recorded, and moved to `processed/` or `refused/` after the commit; whatever interrupts that is taken up again at the
next start. Where files may not be moved they are read in place, and an arrival is told by path, device, inode, size
and time of writing.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path, PurePosixPath

import structlog

from ingest.claims import OURS, OWN, PROCESSED, REFUSED, Claims
from ingest.config import WatchConfig
from ingest.intake import Changed, Intake, Taken, Unreadable
from ingest.notices import Notices
from ingest.reading import kind_sentence, lasting, sentence_of, steady_chunks
from ingest.settling import Settling
from ingest.tree import Entry, Tree, being_written, ignored
from records.outages import outage
from records.traces import where
from records.words import Source

log = structlog.get_logger(__name__)

#: Files whose arrival is looked up in one query.
LOOKUP = 500
#: Finished files taken in before notifications are looked at again, a thread.
ROUND = 8
#: Longest sleep, so that a stop is heard.
LONGEST_WAIT = 0.5

_MAY_NOT_WRITE = (errno.EACCES, errno.EPERM, errno.EROFS)
_MAY_NOT_MOVE = (*_MAY_NOT_WRITE, errno.EXDEV, errno.ENAMETOOLONG)


class FolderAway(OSError):
    """The folder isn't there any more, or something else is mounted in its place."""

    def __init__(self) -> None:
        super().__init__(errno.ENOENT, "The watched folder is away")


class FolderWatcher:
    """Watches one folder from now on. Raises OSError where it is away, and what `records.outages.outage` knows."""

    def __init__(self, root: Path, intake: Intake, config: WatchConfig, *, priority: int = 0) -> None:
        self._tree = Tree(root)
        self._intake = intake
        self._config = config
        self._source: Source = intake.source("folder", str(self._tree.root), priority)
        self._log = log.bind(source=self._source.id)
        self._claims = self._open_claims()
        self._skip = OURS if self._tree.look(OWN) else frozenset[str]()
        self._settling = Settling(config.stable_seconds, config.settling)
        self._left_over = False

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set, or something that is needed goes away (which is raised)."""
        self._log.info("folder.watched", in_place=self._claims is None)
        listing_at = 0.0
        with (
            Notices(self._tree.root, self._wanted) as notices,
            ThreadPoolExecutor(self._config.parallel, thread_name_prefix="folder") as pool,
        ):
            while not stop.is_set():
                paths, missed = notices.take()
                for path in paths:
                    self._notice(path)
                now = time.monotonic()
                if missed or now >= listing_at or (self._left_over and not len(self._settling)):
                    self._list(stop)
                    now = time.monotonic()
                    listing_at = now + self._config.rescan_seconds
                finished = self._settling.ready(self._tree.look, now, ROUND * self._config.parallel)
                if finished:
                    self._take_all(pool, finished)
                else:
                    due = min(listing_at, self._settling.due or listing_at)
                    notices.wait(max(0.0, min(LONGEST_WAIT, due - time.monotonic())))

    def _open_claims(self) -> Claims | None:
        if self._config.in_place:
            return None
        try:
            claims = Claims(self._tree)
            claims.sweep()
        except OSError as error:
            if error.errno not in _MAY_NOT_WRITE:
                raise
            self._log.warning("folder.read_in_place", hint="docvigil may not move files here", errno=error.errno)
            return None
        return claims

    def _wanted(self, path: str) -> bool:
        parts = PurePosixPath(path).parts
        return bool(parts) and parts[0] not in self._skip and not any(ignored(part) for part in parts)

    def _notice(self, path: str) -> None:
        entry = self._tree.look(path)
        if entry is None:
            return
        # A folder that was moved in brings files of which nobody tells.
        for found in self._tree.walk(within=path) if entry.is_folder else (entry,):
            if not self._settling.note(found, time.monotonic()):
                self._left_over = True

    def _list(self, stop: threading.Event) -> None:
        """Looks at everything there is, and writes down what it counted."""
        if os.stat(self._tree.root).st_dev != self._tree.device:
            raise FolderAway
        self._left_over = False
        files = arrived = waiting = 0
        everything = chain(self._claims.waiting() if self._claims else (), self._tree.walk(skip=self._skip))
        while entries := list(islice(everything, LOOKUP)):
            if stop.is_set():
                return
            known = self._intake.known(self._source, {self._identity(entry) for entry in entries})
            for entry in entries:
                files += 1
                recorded = self._identity(entry) in known
                arrived += recorded
                waiting += not recorded
                # A claimed file that is on record has only to be moved.
                if (not recorded or self._claimed(entry.path)) and not self._settling.note(entry, time.monotonic()):
                    self._left_over = True
        self._intake.listed(self._source, files=files, arrived=arrived, waiting=waiting)

    def _take_all(self, pool: ThreadPoolExecutor, finished: list[Entry]) -> None:
        if self._claims is None:
            known = self._intake.known(self._source, {self._identity(entry) for entry in finished})
            finished = [entry for entry in finished if self._identity(entry) not in known]
        away: BaseException | None = None
        for again in pool.map(self._take_safely, finished):
            if isinstance(again, BaseException):
                away = again
            elif again is not None:
                self._settling.note(again, time.monotonic())
        if away is not None:
            raise away

    def _take_safely(self, entry: Entry) -> Entry | Exception | None:
        """Takes in one file; what to look at again, or what went away. One file's trouble never stops the others."""
        try:
            return self._take(entry)
        except Unreadable as why:
            self._log.warning("folder.unreadable", inode=entry.inode, error=type(why.__cause__).__name__)
        except Exception as error:  # noqa: BLE001 — logged by type; the next listing brings the file again.
            if outage(error):
                return error
            self._log.error("folder.failed", inode=entry.inode, error=type(error).__name__, where=where(error))
        return None

    def _take(self, entry: Entry) -> Entry | None:
        path = entry.path
        if self._claims is not None and not self._claimed(path):
            if entry.is_file and self._written(path):
                return entry
            try:
                path = self._claims.claim(path)
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno not in _MAY_NOT_MOVE:
                    raise Unreadable("The file can't be moved now.") from error
        at = self._tree.look(path)
        if at is None:
            return None
        try:
            taken = self._record(at, came=entry.ctime_ns)
        except FileNotFoundError:
            return None
        except Changed:
            return self._tree.look(path)
        self._release(path, taken)
        return None

    def _record(self, entry: Entry, *, came: int) -> Taken:
        shown = self._claims.shown(entry.path) if self._claims and self._claimed(entry.path) else entry.path
        about = (self._source, str(self._tree.root / shown), self._identity(entry))
        # The time of change is when the file was finished here, or moved here: its own time may be years old.
        arrived_at = datetime.fromtimestamp(came / 1e9, UTC)
        if not entry.is_file:
            return self._intake.refuse(*about, kind_sentence(entry.mode), arrived_at=arrived_at)
        try:
            handle = self._tree.open(entry.path)
        except FileNotFoundError:
            raise
        except OSError as error:
            if not lasting(error):
                raise Unreadable(sentence_of(error)) from error
            return self._intake.refuse(*about, sentence_of(error), arrived_at=arrived_at)
        with os.fdopen(handle, "rb") as file:
            if being_written(handle):
                raise Changed
            return self._intake.take(*about, steady_chunks(file, entry), arrived_at=arrived_at)

    def _release(self, path: str, taken: Taken) -> None:
        if self._claims is None or not self._claimed(path):
            return
        folder = REFUSED if taken.status == "refused" else PROCESSED
        try:
            self._claims.release(path, folder, taken.reason)
        except FileNotFoundError:
            # Another watcher of this folder was faster.
            return
        except OSError as error:
            self._log.warning("folder.not_moved", arrival=taken.arrival_id, errno=error.errno)

    def _written(self, path: str) -> bool:
        """Whether somebody has the file open for writing, as far as can be seen from here."""
        try:
            handle = self._tree.open(path)
        except OSError:
            # Gone, or not to be opened: the next step says which.
            return False
        try:
            return being_written(handle)
        finally:
            os.close(handle)

    def _claimed(self, path: str) -> bool:
        return self._claims is not None and self._claims.holds(path)

    def _identity(self, entry: Entry) -> str:
        if self._claims is not None and self._claims.holds(entry.path):
            return self._claims.identity(entry.path)
        return f"{entry.device}:{entry.inode}:{entry.size}:{entry.mtime_ns}:{entry.path}"
