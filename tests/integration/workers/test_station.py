"""What a process writes down of the versions that judge in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from pipeline.reading import Answer, Question
from records import model_versions
from records.model_versions import Staged, Standing
from workers.config import WorkerConfig
from workers.fleet import Fleet
from workers.station import Station

CANARY = Staged("second", "canary", "models/second.tar", 1.0)


class Named:
    def __init__(self, version: str) -> None:
        self.version = version

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return []


@pytest.fixture
def station(database_url: str, tmp_path: Path) -> Iterator[Station]:
    config = WorkerConfig(database_url, "redis://unused", str(tmp_path / "objects"), reader="unused:unused")
    made = Station(config, Named("first"))
    yield made
    made.close()


def test_a_canary_just_rolled_back_does_not_come_into_production(
    station: Station, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        model_versions.install(session, "first")
        model_versions.register(session, "second", key="models/second.tar", by="alice", parent="first")
        model_versions.stage(session, "second", "canary", by="alice", share=1.0)
        model_versions.stage(session, "second", "retired", by="guard")
    # The process has not looked at the records since.
    stale = Standing(Staged("first", "production", None), CANARY)
    station.fleet = Fleet(Named("first"), lambda: stale, lambda version, key: Named(version), refresh_seconds=60.0)
    station.fleet.look(wait=True)
    with station.judging("0" * 64) as reader:
        assert reader.version == "second"
    with sessions.begin() as session:
        assert {one.version: one.stage for one in model_versions.every(session)} == {
            "first": "production",
            "second": "retired",
        }


def test_the_version_that_came_with_the_installation_stands_in_the_records(
    station: Station, sessions: sessionmaker[Session]
) -> None:
    with station.judging("0" * 64) as reader:
        assert reader.version == "first"
    with sessions.begin() as session:
        assert [(one.version, one.stage) for one in model_versions.every(session)] == [("first", "production")]
