"""What a working process has: connections, object store, types, register, heartbeat; all made after the fork."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.orm import Session, sessionmaker

from pipeline.desk import DeskRules
from pipeline.doctypes.schema import DocumentType
from pipeline.reading import Answer, Question, Reader
from pipeline.verdict import Judgement, Thresholds
from records import database, leases, model_versions, registry
from records.objects import ObjectStore, open_store
from workers.config import WorkerConfig
from workers.fleet import Fleet
from workers.heartbeat import Heartbeat, Held
from workers.knowledge import Register, Types
from workers.resolve import resolve


class Station:
    """Everything a task works with. One a process; safe to share between threads."""

    def __init__(self, config: WorkerConfig, reader: Reader | None = None) -> None:
        self.config = config
        self.rules = DeskRules.model_validate(config.desk)
        #: Names this process in leases; a new one each time, so that nobody inherits a namesake's work.
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.engine = database.engine(config.database_url)
        self.sessions: sessionmaker[Session] = database.sessions(self.engine)
        self.store: ObjectStore = open_store(config.object_store, endpoint_url=config.object_store_endpoint)
        self.types = Types(config.doctypes_folder, config.refresh_seconds, self._record_types)
        #: By what answers are judged: those of the versions that were loaded, and of the one that came along.
        self._judgements: dict[str, Judgement] = {}
        self._usual = Judgement(Thresholds(config.clear, config.default_clear), config.rules)
        self.register = Register(self.sessions, config.refresh_seconds)
        self.fleet = (
            None if reader is None else Fleet(Watched(reader), self._standing, self._loader(), config.refresh_seconds)
        )
        self.heartbeat = Heartbeat(
            self._renew,
            every=config.heartbeat_seconds,
            stall=config.stall_seconds,
            hang=config.hang_seconds,
            moved_at=lambda: 0.0 if self.fleet is None else self.fleet.moved_at,
        )
        #: The version that came with the installation; all others stand in the records before they are loaded.
        self._own = None if reader is None else reader.version
        self._recorded = False

    @contextmanager
    def judging(self, document_id: str) -> Iterator[Reader]:
        """The reader that judges a document; its version stands in the records."""
        if self.fleet is None:
            raise RuntimeError("this process was started without a reader")
        with self.fleet.judging(document_id) as reader:
            if reader.version == self._own and not self._recorded:
                with self.sessions.begin() as session:
                    model_versions.used(session, reader.version)
                self._recorded = True
            yield reader

    def judgement(self, version: str) -> Judgement:
        """By what the answers of a version are judged."""
        return self._judgements.get(version, self._usual)

    def _loader(self) -> Callable[[str, str], Reader] | None:
        """Makes a reader of a version and the key of its archive, where the configuration names what does."""
        if self.config.registered is None:
            return None
        make = resolve(self.config.registered)

        def load(version: str, key: str) -> Reader:
            reader, self._judgements[version] = make(version, key)
            return Watched(reader)

        return load

    def _standing(self) -> model_versions.Standing:
        with self.sessions.begin() as session:
            return model_versions.standing(session)

    def _record_types(self, types: Sequence[DocumentType], version: str) -> None:
        with self.sessions.begin() as session:
            registry.record_doctypes(session, types, version)

    def _renew(self, held: Collection[Held]) -> set[Held]:
        with self.sessions.begin() as session:
            return leases.renew(session, list(held), self.owner, self.config.lease_seconds)

    def close(self) -> None:
        self.heartbeat.stop()
        if self.fleet is not None:
            self.fleet.close()
        self.engine.dispose()


class Watched:
    """A reader that remembers when it last answered: the whole process waits for one engine."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._answered_at = time.monotonic()

    @property
    def version(self) -> str:
        return self._reader.version

    @property
    def moved_at(self) -> float:
        """On the monotonic clock: the last answer, or the engine's own last batch where it tells (`progress_at`)."""
        return max(self._answered_at, float(getattr(self._reader, "progress_at", 0.0)))

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        answers = self._reader.read(questions)
        self._answered_at = time.monotonic()
        return answers

    def close(self) -> None:
        close = getattr(self._reader, "close", None)
        if close is not None:
            close()


_lock = threading.Lock()
_config: WorkerConfig | None = None
_reader: Reader | None = None
_station: tuple[int, Station] | None = None


def configure(config: WorkerConfig, reader: Reader | None = None) -> None:
    """Sets what the tasks of this process, and of those forked from it, work with."""
    global _config, _reader, _station
    _config, _reader, _station = config, reader, None


def station() -> Station:
    """The station of this process, made at the first call in it."""
    global _station
    with _lock:
        if _station is None or _station[0] != os.getpid():
            if _config is None:
                raise RuntimeError("workers.station.configure() comes before any task")
            _station = (os.getpid(), Station(_config, _reader))
        return _station[1]
