"""Examples whose time is over go once a day, by the days that are set; with the database away they wait."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from records.learning_tables import LearningExample
from records.objects import FolderStore
from tests.integration.records.test_examples import DECIDED, TOLD, gathered, reviewed
from workers import app
from workers.config import WorkerConfig
from workers.retention import expire_examples
from workers.station import Station


def test_the_days_of_the_setting_count(sessions: sessionmaker[Session], database_url: str, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    reviewed(sessions, store, "one", TOLD, DECIDED)
    key = gathered(sessions, store)["identifier"].key
    with sessions.begin() as session:
        session.execute(text("UPDATE examples SET created_at = created_at - interval '31 days'"))
    config = WorkerConfig(database_url, "redis://unused", str(tmp_path / "objects"), "none:none")
    for days, gone in ((365, 0), (31, 1)):
        station = Station(replace(config, identifier_example_days=days))
        try:
            assert expire_examples(station) == gone
        finally:
            station.close()
    assert not store.exists(key)
    with sessions.begin() as session:
        assert set(session.scalars(select(LearningExample.kind))) == {"signature", "date"}


def test_a_database_that_is_away_ends_nothing(tmp_path: Path) -> None:
    station = Station(
        WorkerConfig("postgresql://nobody@127.0.0.1:1/none", "redis://unused", str(tmp_path), "none:none")
    )
    try:
        assert expire_examples(station) is None
    finally:
        station.close()


def test_the_calendar_has_it_once_a_day() -> None:
    entry = app.CALENDAR["remove old examples"]
    assert app.ROUTES[entry["task"]]["queue"] == app.CONTROL
    assert (entry["schedule"].hour, entry["schedule"].minute) == ({3}, {23})
