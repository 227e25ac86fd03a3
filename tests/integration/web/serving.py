"""The application served on a port of this machine, with documents whose pages went through the real first stage."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import uvicorn
from redis import Redis
from sqlalchemy.orm import Session, sessionmaker

from models.synthesis.documents import Label, synthesise
from pipeline.desk import DeskRules
from pipeline.doctypes.load import builtin
from pipeline.findings import Finding, Verdict
from records import handing, users
from records.database import engine
from records.database import sessions as make_sessions
from records.objects import FolderStore
from records.words import Lease, Versions
from tests.integration.records import steps
from tests.integration.workers.scripted import Scripted
from tests.services import Services
from web.app import create
from web.config import WebConfig
from web.passwords import hashed
from workers.config import WorkerConfig
from workers.heartbeat import Work
from workers.manifest import Manifest
from workers.prepare import prepare
from workers.station import Station

PASSWORD = "correct horse battery"
RULES = DeskRules(claim_seconds=60, undo_seconds=60)


@dataclass
class Form:
    """A filled form, scanned and prepared, with the truth about it."""

    label: Label
    manifest: Manifest


@dataclass
class Desk:
    """A running desk. `config` is what it was started with."""

    url: str
    config: WebConfig
    sessions: sessionmaker[Session]
    store: FolderStore

    def user(self, name: str, *roles: str) -> None:
        with self.sessions.begin() as session:
            users.add(session, name, roles, actor="test")
            users.set_secret(session, name, hashed(PASSWORD), actor="test")

    def form(self, folder: Path, seed: int = 3) -> Form:
        """Draws a delivery instruction slip and takes it apart as a worker would."""
        slip = next(one for one in builtin() if one.name == "delivery-instruction-slip")
        label = next(iter(synthesise(folder, 1, seed=seed, types=[slip], defects=0, on=date(2026, 3, 2))))
        received = self.store.receive([(folder / label.path).read_bytes()])
        station = Station(
            WorkerConfig(
                database_url=self.config.database_url,
                redis_url=self.config.redis_url,
                object_store=self.config.object_store,
                reader="tests.integration.workers.scripted:reader",
                doctypes_folder=str(folder / "none"),
            ),
            Scripted(),
        )
        media = {".pdf": "application/pdf", ".tif": "image/tiff", ".jpg": "image/jpeg"}[Path(label.path).suffix]
        lease = Lease(
            1,
            received.sha256,
            1,
            1,
            "prepare",
            "test",
            1,
            datetime.now(UTC),
            label.on,
            media,
            received.size,
            0,
            0,
            False,
        )
        try:
            return Form(label, prepare(station, lease, Work((1, 1))))
        finally:
            station.close()

    def put(self, name: str, form: Form, findings: list[Finding], *, priority: int = 0) -> str:
        """A document that looks like the form, judged; its id."""
        scan_id = steps.document(self.sessions, name, priority=priority)
        lease = steps.take(self.sessions, scan_id)
        with self.sessions.begin() as session:
            assert handing.prepared(session, lease, form.manifest.to_json())
        lease = steps.take(self.sessions, scan_id, "infer")
        versions = Versions("model-1", "rules-1", form.manifest.doctypes)
        types = [form.label.document_type]
        with self.sessions.begin() as session:
            assert handing.judged(
                session, lease, Verdict.FLAGGED, findings, versions=versions, document_types=types, rules=RULES
            )
        return steps.sha(name)


@contextmanager
def serving(services: Services, folder: Path, rules: DeskRules = RULES) -> Iterator[Desk]:
    """Serves on a free port until the end of the block."""
    with socket.socket() as listening, services.database() as name:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        store, types = str(folder / "objects"), folder / "types"
        config = WebConfig(services.url(name), services.redis_url, store, url, rules=rules, doctypes_folder=types)
        with Redis.from_url(config.redis_url) as client:
            client.flushall()
        server = uvicorn.Server(uvicorn.Config(create(config), access_log=False, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        database = engine(config.database_url)
        try:
            while not server.started:
                assert thread.is_alive(), "the server has ended"
                time.sleep(0.05)
            yield Desk(url, config, make_sessions(database), FolderStore(folder / "objects"))
        finally:
            server.should_exit = True
            thread.join()
            database.dispose()
