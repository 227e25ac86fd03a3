"""`docvigil train` as a person uses it: a recipe, progress, Ctrl-C, going on, feedback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib import util
from pathlib import Path

import numpy as np
import pytest
import yaml

from docvigil.cli import train as command
from models.nanovlm.model import NanoVLM
from models.reader import ModelReader
from models.training.shards import load, place
from tests.unit.docvigil.cli.conftest import Run
from tests.unit.models.training.conftest import evidence  # noqa: F401 - a fixture.
from tests.unit.models.training.test_feedback import fill
from tests.unit.models.training.test_training import tiny


def recipe(folder: Path, **given: object) -> Path:
    """A recipe of a tiny model; it begins at a shard as large as shards are."""
    numbers = {**tiny(**given).as_dict(), "first_shard": 5}
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(numbers))
    return path


@pytest.fixture
def drawn(evidence: Path, tmp_path: Path) -> Path:  # noqa: F811
    """A shard of the usual size, of few evidences again and again, and one to evaluate on."""
    one = load(place(evidence, 0))
    folder = tmp_path / "evidence"
    folder.mkdir()
    for number in range(5, 9):
        repeated = {name: np.tile(getattr(one, name), (16, *[1] * (getattr(one, name).ndim - 1))) for name in NAMES}
        np.savez(place(folder, number), **repeated)
    np.savez(place(folder, 999_999), **{name: getattr(one, name) for name in NAMES})
    return folder


NAMES = ("images", "tokens", "columns")


def test_a_training_tells_how_far_it_is_and_writes_a_checkpoint(run: Run, drawn: Path, tmp_path: Path) -> None:
    file = recipe(tmp_path, steps=100, descent=20, batch=8, save_every=100)
    told = run(
        "train", "--recipe", str(file), "--folder", str(tmp_path / "run"), "--evidence", str(drawn), "--drawers", "0"
    )
    assert told.code == 0, told.err
    assert re.search(r"step 50 of 100 · .*\d+ examples/s · \d+ min remain", told.err)
    assert re.search(r"step 100 of 100 · loss \d\.\d{3}", told.err)
    assert f"The checkpoint is in {tmp_path / 'run' / 'checkpoint'}" in told.out
    assert ModelReader.from_folder(tmp_path / "run" / "checkpoint").version
    assert all(line.startswith("step ") for line in told.err.splitlines()), "a library speaks"


def test_reviewers_teach_a_checkpoint(run: Run, drawn: Path, tmp_path: Path) -> None:
    NanoVLM(tiny().config).save(tmp_path / "start")
    fill(tmp_path / "feedback", 30)
    file = recipe(tmp_path, steps=4, descent=2, batch=8, feedback=0.5, evaluate_every=2, save_every=2, architecture={})
    given = ("--recipe", str(file), "--folder", str(tmp_path / "run"), "--evidence", str(drawn), "--drawers", "0")
    told = run("train", "--feedback", str(tmp_path / "feedback"), "--start", str(tmp_path / "start"), *given)
    assert told.code == 0 and "evaluated" in told.err, told.err
    progress = json.loads((tmp_path / "run" / "progress.json").read_text())
    assert (progress["step"], progress["steps"]) == (4, 4) and progress["evaluation"] > 0
    assert ModelReader.from_folder(tmp_path / "run" / "checkpoint").version


def test_a_state_that_was_being_written_is_passed_over(run: Run, drawn: Path, tmp_path: Path) -> None:
    file = recipe(tmp_path, steps=4, descent=2, batch=8, save_every=2)
    given = ("--recipe", str(file), "--folder", str(tmp_path / "run"), "--evidence", str(drawn), "--drawers", "0")
    assert run("train", *given).code == 0
    # As kill -9 leaves it: the weights are there, and what is written last is not, or not whole.
    last = tmp_path / "run" / "checkpoint-4" / "trainer_state.json"
    last.write_bytes(last.read_bytes()[:100])
    told = run("train", *given)
    assert told.code == 0, told.err
    assert json.loads(last.read_text())["global_step"] == 4


def test_what_can_not_be_trained_is_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: str, code: int = 2) -> str:
        told = run("train", "--folder", str(tmp_path / "run"), "--drawers", "0", *arguments)
        assert told.code == code, told.err
        return told.err

    assert "give the checkpoint to go on from" in refused("--feedback", str(tmp_path), code=64)
    assert "not from both" in refused("--feedback", "a", "--conversations", "b", code=64)
    assert "nowhere.yaml" in refused("--recipe", "nowhere")
    (tmp_path / "other.yaml").write_text("speed: 9\n")
    assert "names what no recipe has: speed" in refused("--recipe", str(tmp_path / "other.yaml"))
    start = ("--start", str(tmp_path / "start"))
    NanoVLM(tiny().config).save(tmp_path / "start")
    assert "holds no metadata.jsonl" in refused("--feedback", str(tmp_path), *start)
    assert "is no published nanoVLM" in refused("--conversations", str(tmp_path), *start)
    file = recipe(tmp_path)
    for name in ("tensorboard", "wandb", "mlflow"):
        if util.find_spec(name) is None:
            assert f"{name} is not installed" in refused("--recipe", str(file), "--report-to", name)
    with command.alone(tmp_path / "run"):
        assert "another training runs" in refused("--recipe", str(file))
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert "pip install 'docvigil[train]'" in refused("--recipe", str(file))


def test_ctrl_c_saves_the_state_and_says_how_to_go_on(drawn: Path, tmp_path: Path) -> None:
    file = recipe(tmp_path, steps=100_000, descent=20, batch=4, save_every=50_000)
    given = ["--recipe", str(file), "--folder", str(tmp_path / "run"), "--evidence", str(drawn), "--drawers", "0"]
    environment = {**os.environ, "DOCVIGIL_HOME": str(tmp_path / "home")}
    training = [sys.executable, "-m", "docvigil", "train", *given]
    with subprocess.Popen(training, stderr=subprocess.PIPE, text=True, env=environment, process_group=0) as process:
        try:
            assert process.stderr is not None
            before = []
            for line in process.stderr:
                before.append(line)
                if line.startswith("step "):
                    break
            assert before[-1].startswith("step "), before
            # As a terminal does: to the whole group.
            os.killpg(process.pid, signal.SIGINT)
            told = process.stderr.read()
            assert process.wait(200) == 130, [*before, told]
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert "Stopping after this step" in told and "Traceback" not in told
    step = int(re.search(r"Stopped after (\d+) of 100000 steps", told)[1])  # type: ignore[index]
    assert f"docvigil train --recipe {file}" in told
    assert [one.name for one in (tmp_path / "run").glob("checkpoint-*")] == [f"checkpoint-{step}"]


def test_drawers_end_with_the_training(tmp_path: Path) -> None:
    from models.training.train import drawing

    with drawing(tmp_path, tiny(steps=2000, descent=10, batch=32), 1, tmp_path / "drawing.log"):
        until = time.monotonic() + 60
        while not _drawers(tmp_path) and time.monotonic() < until:
            time.sleep(0.2)
        assert _drawers(tmp_path)
    assert not _drawers(tmp_path)


def _drawers(folder: Path) -> list[str]:
    """The processes that draw into a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in path.read_bytes():
                found.append(path.parent.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
