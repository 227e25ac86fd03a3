"""The database, the store or the folder goes away and comes back: watchers wait, and go on where they were."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from records.objects import FolderStore, Received
from tests.integration.ingest.watching import Watch, bodies, files_in, until
from tests.services import Services


def test_the_database_goes_away(watched: Watch, drop: Path, postgres: Services, database_name: str) -> None:
    def allow(yes: bool) -> None:
        with psycopg.connect(postgres.url("postgres", owner=True), autocommit=True) as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(
                    sql.Identifier(database_name), sql.Literal(yes)
                )
            )
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database_name]
            )

    for number, body in enumerate(bodies(20)):
        (drop / f"{number}.pdf").write_bytes(body)
    with watched.running(drop):
        until(lambda: watched.count() >= 3)
        allow(False)
        for number, body in enumerate(bodies(20, 20)):
            (drop / f"{number + 20}.pdf").write_bytes(body)
        time.sleep(1.0)
        allow(True)
        watched.arrived(40)
        watched.listed(0)
    assert watched.contents() == sorted(bodies(40))
    assert len(files_in(drop / "processed")) == 40


class Full(FolderStore):
    """A store on a full disk."""

    full = True

    def receive(self, chunks: Iterable[bytes]) -> Received:
        if Full.full:
            raise OSError(28, "No space left on device")
        return super().receive(chunks)


def test_the_store_is_full_for_a_while(watched: Watch, drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Full.full = True
    monkeypatch.setattr("ingest.watch.open_store", lambda url, **_: Full(Path(url)))
    (drop / "a.pdf").write_bytes(b"%PDF a")
    with watched.running(drop):
        time.sleep(1.5)
        assert watched.count() == 0
        Full.full = False
        assert watched.arrived(1)[0].status == "document"
        watched.listed(0)


def test_the_folder_goes_away_and_comes_back(watched: Watch, drop: Path) -> None:
    away = drop.with_name("away")
    with watched.running(drop):
        watched.listed(0)
        drop.rename(away)
        time.sleep(1.5)
        (away / "a.pdf").write_bytes(b"%PDF a")
        away.rename(drop)
        watched.arrived(1)
        watched.listed(0)
    assert files_in(drop) == ["processed/a.pdf"]


def test_an_error_nobody_expected_stops_no_other_file(
    watched: Watch, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.intake import Intake

    take, failed = Intake.take, []

    def sometimes(self: Intake, source: object, path: str, *rest: object, **more: object) -> object:
        if path.endswith("odd.pdf") and len(failed) < 2:
            failed.append(path)
            raise RuntimeError("odd")
        return take(self, source, path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Intake, "take", sometimes)
    for name in ("a", "odd", "b"):
        (drop / f"{name}.pdf").write_bytes(b"%PDF " + name.encode())
    with watched.running(drop):
        watched.arrived(3)
        watched.listed(0)
    assert len(failed) == 2
