"""The models that judged documents, and the one that would judge them now."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from docvigil.settings import settings
from docvigil.trials import Tried, label_digest, versions
from models.checkpoint import digest
from pipeline.missed import FILE, Trial
from records import model_versions
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
        "version", "stage", "selected", "folder", "calibrated", "metrics", "staged_at", "waits", "bound",
    }  # fmt: skip
    assert (one["version"], one["stage"], one["selected"], one["calibrated"]) == (digest(folder), None, True, False)
    with sessions.begin() as session:
        model_versions.install(session, "before", metrics={"exact": 0.5})
    with sessions.begin() as session:
        model_versions.install(session, digest(folder))
    (folder / "calibration.json").write_text('{"curves": {}}')
    new, *others = listed(run)
    assert new["selected"] and new["calibrated"] and new["stage"] is None, "calibration makes another version"
    assert {other["version"]: other["stage"] for other in others}["before"] == "retired"
    assert [other["metrics"] for other in others if other["version"] == "before"] == [{"exact": 0.5}]
    said = run("models", "list")
    assert "not used yet" in said.out and "retired" in said.out


def test_the_bound_of_the_selected_model(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert listed(run)[0]["bound"] is None and "No bound on missed anomalies" in run("models", "list").out
    labelled = tmp_path / "labelled"
    labelled.mkdir()
    config = settings()
    made_by = versions(config)
    lines, trials = [], []
    for number in range(330):
        path = labelled / f"{number}.pdf"
        path.write_text(str(number))
        defects = [{"page": 1, "field": None, "check": "page.missing"}] if number < 310 else []
        label = {"path": path.name, "document_type": "kyc-individual", "fields": [], "defects": defects}
        lines.append(json.dumps(label | {"on": "2026-11-25"}))
        checks = frozenset(one["check"] for one in defects)
        trial = Trial(hashlib.sha256(str(number).encode()).hexdigest(), checks, checks, {"date.future": 0.9})
        facts = (made_by[0], made_by[1], "kyc-individual", made_by[2]["kyc-individual"], "2026-11-25", ())
        digested = label_digest({"document_type": "kyc-individual", "fields": [], "defects": sorted(checks)})
        trials.append(json.dumps(Tried(trial, digested, *facts).as_json()))
    (labelled / "labels.jsonl").write_text("\n".join(lines))
    (labelled / "trials.jsonl").write_text("\n".join(trials) + "\n")
    # Everything is recorded, so the weights that are none are never loaded.
    said = run("models", "calibrate", str(labelled), "--dry-run", "--json")
    assert said.code == 0 and not (folder / FILE).exists()
    bound = json.loads(said.out)
    assert bound["classes"]["page.missing"]["holds"] and bound["clean"] == 20 and bound["made_up"]
    assert bound["command"] == "docvigil models calibrate labelled"
    words = " ".join(run("models", "calibrate", str(labelled)).out.split())
    assert "page.missing at most 1 % 0.5 310 0 0.0%" in words and "nothing for real paper" in words
    (one,) = listed(run)
    told = one["bound"]
    assert isinstance(told, dict) and told["classes"]["page.missing"]["in_force"]
    assert not told["classes"]["date.future"]["in_force"]
    monkeypatch.setenv("DOCVIGIL_CLEAR", '{"page.missing": 0.2}')
    settings.cache_clear()
    assert "ends the bound of: page.missing" in run("models", "list").out
    (folder / FILE).write_text("{}")
    assert run("models", "list").code == 2
    real = json.loads(run("models", "calibrate", str(labelled), "--real", "slips of May", "--json").out)
    assert not real["made_up"] and real["data"] == "330 labelled documents, slips of May"


def test_a_folder_without_weights(run: Run, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    settings.cache_clear()
    said = run("models", "list")
    assert said.code == 2 and "holds no model.safetensors" in said.err.replace("\n", " ")


def test_the_report_of_a_version(run: Run, tmp_path: Path, sessions: sessionmaker[Session]) -> None:
    out = tmp_path / "report.html"
    assert "No training has ended yet" in run("models", "report", "--out", str(out)).err
    with sessions.begin() as session:
        model_versions.install(session, "before")
    assert run("models", "report", "bef", "--out", str(out)).code == 0
    assert "<code>before</code> is at the stage <strong>production</strong>" in out.read_text()
    assert "give one of them" in run("models", "report", "bef", "--training", "1", "--out", str(out)).err
    assert "There is no training 7" in run("models", "report", "--training", "7", "--out", str(out)).err
    assert "can't be written" in run("models", "report", "bef", "--out", str(tmp_path / "no" / "report.html")).err
