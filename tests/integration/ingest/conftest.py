"""A watch on a fresh database and store, quick enough for tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from ingest.config import WatchConfig
from tests.integration.ingest.watching import Watch


@pytest.fixture
def watched(database_url: str, sessions: sessionmaker[Session], tmp_path: Path) -> Watch:
    config = WatchConfig(
        database_url=database_url,
        object_store=str(tmp_path / "objects"),
        stable_seconds=0.3,
        rescan_seconds=1.0,
        max_file_bytes=1_000_000,
    )
    return Watch(config, sessions, tmp_path)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made
