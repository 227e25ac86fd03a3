"""What a scan is judged by and what changes while workers run: document types and the register of endorsers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from sqlalchemy.orm import Session, sessionmaker

from pipeline.doctypes.load import known
from pipeline.doctypes.schema import DocumentType
from pipeline.endorsers import Endorser
from pipeline.locate import Atlas
from records import endorsers
from records.registry import types_version
from workers.outages import TypesUnavailable

log = structlog.get_logger(__name__)


class Types:
    """The built-in document types and the user's own, which replace built-in ones by their name.

    The user's folder is looked at again every `refresh_seconds`; a change that can't be read is logged, and the types
    read before stay. Raises TypesUnavailable where there were none before. `record` is told every set of types with
    its version before the first scan is made by it, and may raise.
    """

    def __init__(
        self,
        folder: str | None,
        refresh_seconds: float,
        record: Callable[[Sequence[DocumentType], str], None] = lambda types, version: None,
    ) -> None:
        self._folder, self._refresh, self._record = folder, refresh_seconds, record
        self._lock = threading.Lock()
        self._looked_at = -1e9
        self._seen: tuple[tuple[str, int, int], ...] | None = None
        self._types: dict[str, DocumentType] = {}
        self._atlas: Atlas | None = None
        self._version = ""

    def version(self) -> str:
        """A digest of all types, their blanks included."""
        with self._lock:
            self._look()
            return self._version

    def atlas(self) -> tuple[Atlas, str]:
        """All types ready for matching, and their version."""
        with self._lock:
            self._look()
            if self._atlas is None:
                self._atlas = Atlas(list(self._types.values()))
            return self._atlas, self._version

    def get(self, key: str) -> DocumentType:
        """The type of that key, e.g. `kyc-individual@1`. Raises LookupError with a sentence."""
        with self._lock:
            self._look()
            if key not in self._types:
                raise LookupError(
                    f"The document type {key} was removed while this document was scanned; "
                    "bring it back, or scan the document again with `docvigil retry`."
                )
            return self._types[key]

    def _look(self) -> None:
        # As long as there are none at all, every call tries again.
        if self._seen is not None and time.monotonic() - self._looked_at < self._refresh:
            return
        self._looked_at = time.monotonic()
        seen = _files(self._folder)
        if seen == self._seen:
            return
        try:
            types = known(Path(self._folder) if seen and self._folder else None)
            version = types_version(types)
        except (OSError, ValueError) as error:
            if self._seen is None:
                raise TypesUnavailable(f"the document types can't be read: {error}") from error
            log.error("types.unreadable", error=str(error))
            return
        if version != self._version:
            self._record(types, version)
        self._seen, self._types, self._version = seen, {one.key: one for one in types}, version
        self._atlas = None
        log.info("types.loaded", types=len(types), version=version)


class Register:
    """The endorsers, read from the database again every `refresh_seconds`."""

    def __init__(self, sessions: sessionmaker[Session], refresh_seconds: float) -> None:
        self._sessions, self._refresh = sessions, refresh_seconds
        self._lock = threading.Lock()
        self._read_at = -1e9
        self._endorsers: Sequence[Endorser] = ()

    def current(self) -> Sequence[Endorser]:
        with self._lock:
            if time.monotonic() - self._read_at > self._refresh:
                with self._sessions.begin() as session:
                    self._endorsers = endorsers.as_of(session)
                self._read_at = time.monotonic()
            return self._endorsers


def _files(folder: str | None) -> tuple[tuple[str, int, int], ...]:
    """What the files of a folder look like from outside: names, times and sizes."""
    root = Path(folder) if folder else None
    if root is None or not root.is_dir():
        return ()
    found = [(path, path.stat()) for path in sorted(root.rglob("*")) if path.is_file()]
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found)
