"""Versions move from stage to stage, and only as they may; archives give back what was put in."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from pipeline.findings import Verdict
from records import model_archives, model_versions, scans
from records.model_archives import BadArchive
from records.model_versions import Staged
from records.objects import open_store
from records.tables import Document, Event, Outbox, Scan
from records.words import Refused
from tests.integration.records.steps import document, judge


def registered(session: Session, *versions: str) -> None:
    model_versions.install(session, "first")
    for one in versions:
        assert model_versions.register(session, one, key=model_archives.key(one), by="alice", parent="first")


def test_the_way_of_a_version(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        registered(session, "second")
        assert not model_versions.register(session, "second", key="elsewhere", by="alice")
        assert model_versions.stage(session, "second", "shadow", by="alice") == "candidate"
        assert model_versions.standing(session).trial == Staged("second", "shadow", "models/second.tar")
        model_versions.stage(session, "second", "canary", by="guard", share=0.1, why="shadow")
        assert model_versions.standing(session).trial == Staged("second", "canary", "models/second.tar", 0.1)
        model_versions.stage(session, "second", "production", by="alice")
        now = model_versions.standing(session)
        assert (now.production, now.trial) == (Staged("second", "production", "models/second.tar"), None)
        assert model_versions.former(session) == "first"
        model_versions.stage(session, "first", "production", by="alice")
        assert model_versions.former(session) == "second"
        told = session.scalars(select(Event.body).where(Event.subject == "model:second").order_by(Event.id)).all()
        assert [kind in body for kind, body in zip(("registered", "shadow", "canary"), told, strict=False)] == [
            True
        ] * 3


@pytest.mark.parametrize("stage", ["candidate", "retired", "shadow", "canary"])
def test_what_is_in_production_leaves_only_for_another(sessions: sessionmaker[Session], stage: str) -> None:
    with sessions.begin() as session:
        registered(session)
        with pytest.raises(Refused, match="is in production and can't become"):
            model_versions.stage(session, "first", stage, by="alice")


def test_what_was_installed_last_is_in_production(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        assert model_versions.install(session, "first", metrics={"presence": 0.99})
        assert not model_versions.install(session, "first")
        assert model_versions.install(session, "second")
        first, second = model_versions.get(session, "first"), model_versions.get(session, "second")
    assert (first.stage, first.metrics, second.stage) == ("retired", {"presence": 0.99}, "production")


def test_a_promotion_is_taken_back_with_what_it_cleared(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        registered(session, "second")
        model_versions.stage(session, "second", "production", by="alice")
    with sessions.begin() as session:
        assert model_versions.judges(session, "first") and model_versions.judges(session, "second")
        assert model_versions.roll_back(session, by="alice") == "second"
        assert model_versions.taken_back(session) == ["second"]
        assert not model_versions.judges(session, "second")
        with pytest.raises(Refused, match="nothing to take back"):
            model_versions.roll_back(session, by="alice")
        model_versions.stage(session, "second", "shadow", by="alice")
        assert model_versions.taken_back(session) == [] and model_versions.judges(session, "second")


def test_one_is_on_trial(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        registered(session, "second", "third")
        model_versions.stage(session, "second", "canary", by="alice")
        with pytest.raises(Refused, match="second is on trial already"):
            model_versions.stage(session, "third", "shadow", by="alice")
        model_versions.stage(session, "second", "retired", by="alice")
        model_versions.stage(session, "third", "shadow", by="alice")


def test_what_a_version_cleared_is_scanned_again(sessions: sessionmaker[Session]) -> None:
    cleared = [document(sessions, f"clear {number}") for number in range(3)]
    flagged = document(sessions, "flagged")
    for one in cleared:
        judge(sessions, one, Verdict.CLEAR, [])
    judge(sessions, flagged, Verdict.FLAGGED, [])
    with sessions.begin() as session:
        version = session.scalars(select(Scan.model_version).distinct()).one()
        assert version is not None
        assert scans.rescan_cleared(session, "another", actor="guard") == 0
        assert scans.rescan_cleared(session, version, actor="guard", limit=2) == 2
        assert scans.rescan_cleared(session, version, actor="guard", limit=2) == 1
        assert scans.rescan_cleared(session, version, actor="guard", limit=2) == 0
        assert len(session.scalars(select(Outbox.scan_id)).all()) == 3
        statuses = session.scalars(select(Document.status).order_by(Document.status)).all()
    assert statuses == ["flagged", "in_flight", "in_flight", "in_flight"]


def checkpoint(folder: Path, weights: bytes = b"weights") -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "README.md").write_text("not taken along")
    return folder


def digest(folder: Path) -> str:
    return (folder / "model.safetensors").read_bytes().decode()


def test_an_archive_gives_back_the_folder(tmp_path: Path) -> None:
    store = open_store(tmp_path / "objects")
    key = model_archives.put(store, checkpoint(tmp_path / "a"), "weights")
    before = store.get(key)
    store.delete(key)
    assert store.get(model_archives.put(store, checkpoint(tmp_path / "b"), "weights")) == before
    folder = model_archives.fetch(store, key, "weights", tmp_path / "cache", digest)
    assert {one.name for one in folder.iterdir()} == {"config.json", "model.safetensors"}
    (folder / "model.safetensors").write_bytes(b"spoiled")
    again = model_archives.fetch(store, key, "weights", tmp_path / "cache", digest)
    assert digest(again) == "weights"
    with pytest.raises(BadArchive, match="holds version weights and not other"):
        model_archives.fetch(store, key, "other", tmp_path / "cache", digest)
    assert {one.name for one in (tmp_path / "cache").iterdir()} == {"weights"}


def test_what_stands_beside_the_model_is_kept_with_it(tmp_path: Path) -> None:
    store, folder = open_store(tmp_path / "objects"), checkpoint(tmp_path / "a")
    beside = ("calibration.json", "cells.safetensors", "spotting.json", "spotting.safetensors")
    for name in (*beside, "notes.txt"):
        (folder / name).write_bytes(name.encode())
    fetched = model_archives.fetch(
        store, model_archives.put(store, folder, "weights"), "weights", tmp_path / "cache", digest
    )
    assert {one.name for one in fetched.iterdir()} == {"config.json", "model.safetensors", *beside}


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path / "objects")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadArchive, match=r"has no config.json and no model.safetensors"):
        model_archives.put(store, tmp_path / "empty", "x")
    store.put("models/x.tar", b"no archive at all" * 100)
    with pytest.raises(BadArchive, match="can't be read"):
        model_archives.fetch(store, "models/x.tar", "x", tmp_path / "cache", digest)


def test_what_a_version_says_that_was_taken_back_is_not_written(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        registered(session, "second")
        model_versions.stage(session, "second", "canary", by="alice")
        assert model_versions.judges(session, "second") and model_versions.judges(session, "first")
        assert model_versions.roll_back(session, by="alice") == "second"
        assert not model_versions.judges(session, "second") and model_versions.judges(session, "first")
