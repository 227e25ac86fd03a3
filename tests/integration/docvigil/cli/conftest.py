"""Commands run in this process, on the test's own database, Redis and object store."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from docvigil import cli
from docvigil.cli import common
from docvigil.settings import settings
from pipeline.findings import Finding, Verdict
from records import handing
from records.objects import FolderStore
from tests.integration.records import steps
from workers.manifest import Manifest, PageEntry
from workers.pictures import jpeg


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Run]:
    """Runs a command; its exit code and what it prints."""
    values = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "HOME": str(tmp_path)}
    for name, value in values.items():
        monkeypatch.setenv(f"DOCVIGIL_{name}", value)
    monkeypatch.setattr(common, "actor", lambda: "tester")
    monkeypatch.setattr(common.screen, "_width", 240)
    settings.cache_clear()

    def command(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["docvigil", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return Ran(int(str(ended.value.code)), said.out, said.err)

    yield command
    settings.cache_clear()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


def judge_with_pages(
    sessions: sessionmaker[Session], store: FolderStore, name: str, findings: list[Finding], pages: int = 2
) -> str:
    """A flagged document whose pages are in the store, white; its id."""
    import numpy as np

    scan_id = steps.document(sessions, name)
    entries = []
    for number in range(1, pages + 1):
        key = f"scans/{scan_id}/1/page-{number}.jpg"
        store.put(key, jpeg(np.full((877, 620), 255, np.uint8)))
        entries.append(PageEntry(number, key, 620, 877, "kyc-individual@1", number, True, "", 0))
    lease = steps.take(sessions, scan_id)
    with sessions.begin() as session:
        manifest = Manifest(f"scans/{scan_id}/1", None, "types-1", tuple(entries), ())
        assert handing.prepared(session, lease, manifest.to_json())
    lease = steps.take(sessions, scan_id, "infer")
    with sessions.begin() as session:
        assert handing.judged(
            session, lease, Verdict.FLAGGED, findings, versions=steps.VERSIONS, document_types=["kyc-individual"]
        )
    return steps.sha(name)
