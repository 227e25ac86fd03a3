"""The models that judged documents, and the one that would judge them now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from docvigil.settings import settings
from models.reader import digest
from records import registry
from tests.integration.docvigil.cli.conftest import Run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a checkpoint, which nobody loads here."""
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    monkeypatch.setenv("DOCVIGIL_MODEL_FOLDER", str(folder))
    return folder


def listed(run: Run) -> list[dict[str, object]]:
    settings.cache_clear()
    return [json.loads(line) for line in run("models", "list", "--json").out.splitlines()]


def test_the_selected_model_and_those_recorded(run: Run, folder: Path, sessions: sessionmaker[Session]) -> None:
    (one,) = listed(run)
    assert set(one) == {
        "version", "stage", "selected", "folder", "calibrated", "metrics", "staged_at",
    }  # fmt: skip
    assert (one["version"], one["stage"], one["selected"], one["calibrated"]) == (digest(folder), None, True, False)
    with sessions.begin() as session:
        registry.record_model(session, "before", metrics={"exact": 0.5})
    with sessions.begin() as session:
        registry.record_model(session, digest(folder))
    (folder / "calibration.json").write_text('{"curves": {}}')
    new, *others = listed(run)
    assert new["selected"] and new["calibrated"] and new["stage"] is None, "calibration makes another version"
    assert {other["version"]: other["stage"] for other in others}["before"] == "retired"
    assert [other["metrics"] for other in others if other["version"] == "before"] == [{"exact": 0.5}]
    said = run("models", "list")
    assert "not used yet" in said.out and "retired" in said.out


def test_a_folder_without_weights(run: Run, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    settings.cache_clear()
    said = run("models", "list")
    assert said.code == 2 and "holds no model.safetensors" in said.err.replace("\n", " ")
