"""`docvigil models promote`, `rollback`, `import` and `export` as a person uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from docvigil.cli import versions
from models.checkpoint import digest
from pipeline.findings import Verdict
from records import handing, model_trials, model_versions
from records.objects import FolderStore
from records.tables import Document, ModelVersion
from records.words import Versions
from tests.integration.docvigil.cli.conftest import Run
from tests.integration.records import steps


def checkpoint(folder: Path, weights: str) -> Path:
    """A folder that nobody loads here."""
    folder.mkdir()
    (folder / "model.safetensors").write_text(weights)
    (folder / "config.json").write_text("{}")
    (folder / "calibration.json").write_text('{"curves": {}}')
    (folder / "notes.txt").write_text("no part of it")
    return folder


def row(sessions: sessionmaker[Session], version: str) -> tuple[str, float | None, str]:
    with sessions.begin() as session:
        found = session.get_one(ModelVersion, version)
        return found.stage, found.share, found.staged_by


def test_a_folder_comes_in_and_goes_out_unchanged(run: Run, tmp_path: Path) -> None:
    folder, out = checkpoint(tmp_path / "one", "weights"), tmp_path / "out"
    version = digest(folder)
    assert f"version {version} is a candidate now" in run("models", "import", str(folder)).out
    assert "is known already" in run("models", "import", str(folder)).out
    listed = [json.loads(line) for line in run("models", "list", "--json").out.splitlines()]
    assert {one["version"]: one["stage"] for one in listed}[version] == "candidate"
    assert run("models", "export", version[:6], str(out)).code == 0
    assert digest(out) == version
    assert {one.name for one in out.iterdir()} == {"model.safetensors", "config.json", "calibration.json"}
    again = run("models", "export", version, str(out))
    assert again.code == 2 and "is there already" in again.err


def test_what_can_not_be_brought_in_or_out_is_refused(
    run: Run, tmp_path: Path, sessions: sessionmaker[Session], store: FolderStore
) -> None:
    (tmp_path / "empty").mkdir()
    wrong = run("models", "import", str(tmp_path / "empty"))
    assert wrong.code == 2 and "has no config.json and no model.safetensors" in " ".join(wrong.err.split())
    with sessions.begin() as session:
        model_versions.install(session, "installed")
    came = run("models", "export", "installed", str(tmp_path / "out"))
    assert came.code == 2 and "has no archive" in " ".join(came.err.split())
    version = digest(checkpoint(tmp_path / "one", "one"))
    run("models", "import", str(tmp_path / "one"))
    other = checkpoint(tmp_path / "other", "other")
    run("models", "import", str(other))
    # Somebody puts other weights where the version's archive stands.
    store.put(f"models/{version}.tar", store.get(f"models/{digest(other)}.tar"))
    spoiled = run("models", "export", version, str(tmp_path / "out"))
    assert spoiled.code == 2 and f"holds version {digest(other)} and not {version}" in " ".join(spoiled.err.split())
    assert not (tmp_path / "out").exists()


def test_a_version_is_promoted_and_taken_back(
    run: Run, tmp_path: Path, sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "actor", lambda: "tester")
    with sessions.begin() as session:
        model_versions.install(session, "installed")
    version = digest(checkpoint(tmp_path / "one", "one"))
    assert "No version begins with" in run("models", "promote", version).err
    run("models", "import", str(tmp_path / "one"))
    nothing = run("models", "rollback")
    assert nothing.code == 2 and "nothing to take back" in " ".join(nothing.err.split())
    wide = run("models", "promote", version, "--to", "canary", "--share", "0")
    assert wide.code == 2 and "between 0 and 1" in " ".join(wide.err.split())
    said = run("models", "promote", version[:5], "--to", "canary", "--share", "0.5")
    assert f"version {version} was candidate and is canary now" in said.out
    assert row(sessions, version) == ("canary", 0.5, "tester")
    with sessions.begin() as session:
        waits = ["3 of 500 documents judged."]
        model_trials.write(session, version, "canary", baseline="installed", classes={}, passed=None, reasons=waits)
    listed = [json.loads(line) for line in run("models", "list", "--json").out.splitlines()]
    assert {one["version"]: one["waits"] for one in listed}[version] == waits
    assert f"{version[:12]} waits: {waits[0]}" in run("models", "list").out
    for number in range(3):
        scan_id = steps.document(sessions, f"form {number}")
        steps.prepare(sessions, scan_id)
        lease = steps.take(sessions, scan_id, "infer")
        with sessions.begin() as session:
            judged = Versions(version, "rules", "types")
            assert handing.judged(session, lease, Verdict.CLEAR, [], versions=judged, document_types=())
    assert f"version {version} is retired; 3 documents" in " ".join(run("models", "rollback").out.split())
    with sessions.begin() as session:
        assert set(session.scalars(select(Document.status))) == {"in_flight"}
    assert "is production now" in run("models", "promote", version).out
    assert row(sessions, "installed")[0] == "retired"
    assert f"version {version} is retired; 0 documents" in " ".join(run("models", "rollback").out.split())
    assert (row(sessions, "installed")[0], row(sessions, version)[0]) == ("production", "retired")
