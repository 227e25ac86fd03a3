"""A training on real Postgres and Redis with a tiny recipe: by itself, killed on the way, refused, cancelled."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
import yaml
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from docvigil.embedded.supervisor import Child, Supervisor
from models.cells import CellNet
from models.checkpoint import CELLS, digest
from models.halves import save
from models.nanovlm.model import NanoVLM
from models.synthesis.evidence import make
from models.synthesis.faces import plain
from models.training.shards import SIZE, packed, place
from records import database, model_archives, trainings
from records.learning_tables import Evaluation
from records.objects import open_store
from records.tables import ModelVersion
from records.trainings import TrainingView
from tests.integration.workers.plant import ROOT, until
from tests.services import Services
from tests.unit.models.training.test_training import tiny
from workers import reconcile, relay
from workers.config import WorkerConfig

STEPS = 140


class School:
    """A trainer in its own process, restarted when it dies; relay and reconciler in this one."""

    def __init__(self, config: WorkerConfig, folder: Path, sessions: sessionmaker[Session], supervisor: Supervisor):
        self.config, self.folder, self.sessions, self.supervisor = config, folder, sessions, supervisor

    def ask(self) -> int:
        with self.sessions.begin() as session:
            return trainings.ask(session, by="asha")

    def get(self, number: int) -> TrainingView:
        with self.sessions.begin() as session:
            return trainings.get(session, number)

    def ended(self, number: int) -> TrainingView:
        until(lambda: self.get(number).finished, 240, lambda: str(self.get(number)))
        return self.get(number)

    def reached(self, number: int, step: int) -> None:
        until(
            lambda: self.get(number).progress.get("step", 0) >= step or self.get(number).finished,
            200,
            lambda: str(self.get(number)),
        )
        assert not self.get(number).finished, f"too quick to be disturbed: {self.get(number)}"

    def program(self) -> psutil.Process:
        """The process that trains, started by the trainer on a tether."""
        trainer = psutil.Process(self.supervisor.pids()["train"])
        return next(
            one for one in trainer.children(recursive=True) if one.cmdline()[1:4] == ["-m", "docvigil", "train"]
        )


@pytest.fixture(scope="module")
def school(postgres: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """One for all tests here; each leaves no training behind."""
    folder = tmp_path_factory.mktemp("school")
    with Redis.from_url(postgres.redis_url) as client:
        client.flushall()
    _prepare(folder)
    with postgres.database() as name, running(postgres.url(name), postgres.redis_url, folder) as started:
        yield started


def _prepare(folder: Path) -> None:
    """A checkpoint that knows nothing, a recipe, and evidence that nobody need draw."""
    recipe = tiny(
        steps=STEPS,
        descent=STEPS // 2,
        batch=16,
        rate=3e-3,
        feedback=0.9,
        evaluate_every=20,
        save_every=20,
        patience=99,
    )
    torch.manual_seed(0)
    NanoVLM(recipe.config).save(folder / "start")
    save(CellNet(), folder / "start" / CELLS)
    (folder / "tiny.yaml").write_text(yaml.safe_dump({**recipe.as_dict(), "architecture": {}}))
    evidence = folder / "trainings" / "evidence"
    evidence.mkdir(parents=True)
    one = packed([make(seed, "train", "checkbox", using=plain("train")) for seed in range(64)])
    columns = {"images": one.images, "tokens": one.tokens, "columns": one.columns}
    whole = {name: np.tile(each, (SIZE // 64, *[1] * (each.ndim - 1))) for name, each in columns.items()}
    np.savez(place(evidence, 0), **whole)
    np.savez(place(evidence, 1), **whole)
    np.savez(place(evidence, 999_999), **columns)


@contextmanager
def running(database_url: str, redis_url: str, folder: Path) -> Iterator[School]:
    config = WorkerConfig(
        database_url=database_url,
        redis_url=redis_url,
        object_store=str(folder / "objects"),
        reader="nobody:reads",
        lease_seconds=4.0,
        heartbeat_seconds=0.5,
        relay_seconds=0.05,
        publish_seconds=0.4,
        reconcile_seconds=0.3,
    )
    (folder / "config.json").write_text(config.to_json())
    engine = database.engine(database_url)
    supervisor, stop = Supervisor(), threading.Event()
    loops = [threading.Thread(target=each.run, args=(config, stop)) for each in (relay, reconcile)]
    child = Child(
        name="train",
        command=[sys.executable, "-m", "tests.integration.workers.learning", str(folder)],
        log=folder / "train.log",
        environment={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stop_seconds=50.0,
    )
    try:
        for loop in loops:
            loop.start()
        supervisor.start([child])
        yield School(config, folder, database.sessions(engine), supervisor)
    finally:
        stop.set()
        supervisor.stop()
        for loop in loops:
            loop.join()
        engine.dispose()


def test_a_training_that_is_killed_comes_to_the_same(school: School) -> None:
    """Undisturbed once; then the program is killed on the way, and later its worker with everything."""
    first = school.ended(school.ask())
    assert first.stage == "passed", first
    assert first.progress["step"] == STEPS and first.progress["examples"]["train"] == 120
    for what in ("loss", "evaluation"):
        assert any(what in point for point in first.progress["curve"])
    golden = first.progress["gate"]["golden"]["overall"]
    assert golden["examples"] == 40 and golden["candidate_errors"] <= 2 < 10 < golden["production_errors"]
    with school.sessions.begin() as session:
        version = session.get(ModelVersion, first.candidate)
        assert version is not None and version.stage == "shadow" and version.parent == first.parent
        assert version.lineage["data"] == first.progress["data"] and version.lineage["code"] == "of the test"
        sets = session.scalars(select(Evaluation.set).where(Evaluation.training_id == first.id).order_by(Evaluation.id))
        assert list(sets) == ["golden", "fresh"]
        assert version.key is not None
        stored = open_store(school.config.object_store)
        fetched = model_archives.fetch(stored, version.key, first.candidate or "", school.folder / "fetched", digest)
    assert (fetched / CELLS).read_bytes() == (school.folder / "start" / CELLS).read_bytes(), "what is not learned stays"

    number = school.ask()
    school.reached(number, 20)
    program = school.program()
    assert program.nice() == min(19, psutil.Process().nice() + 3), "it stands behind everything else"
    program.kill()
    school.reached(number, 60)
    starts = school.supervisor.starts()["train"]
    family = psutil.Process(school.supervisor.pids()["train"]).children(recursive=True)
    os.kill(school.supervisor.pids()["train"], signal.SIGKILL)
    psutil.wait_procs(family, 20)
    assert not any(one.is_running() for one in family), "programs of a killed worker live on"
    until(lambda: school.supervisor.starts()["train"] > starts)
    second = school.ended(number)
    assert second.stage == "passed" and second.progress["step"] == STEPS
    steps = [point["step"] for point in second.progress["curve"] if "evaluation" in point]
    assert steps == sorted(set(steps)), "it went on, and did not begin again"
    again = second.progress["gate"]["golden"]["overall"]
    assert abs(again["candidate_errors"] - golden["candidate_errors"]) <= 2
    assert "on trial already" in second.progress["waits"], "the first one is in shadow"
    best = [min(point.get("evaluation", 9.0) for point in one.progress["curve"]) for one in (first, second)]
    assert best[1] == pytest.approx(best[0], abs=0.1), (first.progress["curve"], second.progress["curve"])
