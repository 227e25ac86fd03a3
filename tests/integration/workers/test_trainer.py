"""The trainer in this process: rung again and again, with too little to learn from, cancelled, stopped, failing."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session, sessionmaker

from docvigil.settings import Settings
from pipeline import feedback
from records import audit, examples, gathering, trainings
from records.learning_tables import LearningExample
from records.objects import open_store
from records.trainings import TrainingView
from tests.integration.records import steps
from tests.integration.workers import schooling
from tests.integration.workers.learning import training_config
from tests.integration.workers.plant import until
from workers import app as celery_app
from workers.config import TrainingConfig, WorkerConfig
from workers.course import deciding
from workers.retrain import Trainer

#: What stands in place of these in the other tests.
WRITTEN = ((gathering, "gather", gathering.gather), (examples, "write_folder", examples.write_folder))

SLEEPS = (sys.executable, "-c", "import time; time.sleep(600)")
FAILS = (sys.executable, "-c", "import sys; sys.exit('the recipe is of another architecture')")


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> WorkerConfig:
    return WorkerConfig(
        database_url=database_url,
        redis_url="redis://nowhere",
        object_store=str(tmp_path / "objects"),
        reader="nobody:reads",
        lease_seconds=5,
        heartbeat_seconds=0.2,
        retrain_at=Settings.model_fields["retrain_at"].default,
    )


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainingConfig:
    for module, name, one in WRITTEN:
        monkeypatch.setattr(module, name, one)
    schooling.install(learned=30)
    start = tmp_path / "start"
    start.mkdir()
    for name in ("model.safetensors", "config.json"):
        (start / name).write_text("{}")
    return replace(training_config(tmp_path), production=lambda: ("before", start))


@contextmanager
def at_work(config: WorkerConfig, training: TrainingConfig) -> Iterator[tuple[Trainer, threading.Event]]:
    """A trainer that works until it has nothing to do, or is asked to stop."""
    stop = threading.Event()
    trainer = Trainer(config, training, stop)
    thread = threading.Thread(target=trainer.work)
    thread.start()
    try:
        yield trainer, stop
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()
        trainer.close()


def ask(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        return trainings.ask(session, by="asha")


def view(sessions: sessionmaker[Session], number: int) -> TrainingView:
    with sessions.begin() as session:
        return trainings.get(session, number)


def sleepers() -> list[psutil.Process]:
    found = []
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if tuple(one.cmdline()[:3]) == SLEEPS:
                found.append(one)
    return found


def test_a_quarter_is_trained_for_once_however_often_it_rings(
    config: WorkerConfig, training: TrainingConfig, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        audit.event(session, "signed_in", "somebody")
    year = datetime.now(UTC).year + 1
    trainer = Trainer(config, training, threading.Event())
    # Two hours before, at the moment, and for three months after it, twice a day.
    first = datetime(year, 3, 31, 20, 30, tzinfo=UTC)
    asked = []
    for hours in (-2, 0, *range(12, 24 * 90, 12)):
        number = trainer.ask_due(first + timedelta(hours=hours))
        if number is not None:
            asked.append(number)
            with sessions.begin() as session:
                trainings.cancel(session, number, by="test")
    trainer.close()
    with sessions.begin() as session:
        days = session.scalars(text("SELECT due_on::text FROM trainings ORDER BY id")).all()
    assert days == [f"{year}-01-01", f"{year}-04-01"] and len(asked) == 2


def test_with_too_few_examples_it_is_refused_with_a_sentence(
    config: WorkerConfig, training: TrainingConfig, sessions: sessionmaker[Session]
) -> None:
    number = ask(sessions)
    trainer = Trainer(config, replace(training, least_examples=100), threading.Event())
    assert trainer.work() == 1
    assert trainer.work() == 0
    trainer.close()
    one = view(sessions, number)
    assert one.stage == "refused" and one.error is not None
    assert "There are 30 examples from reviewers to learn from, and 100 are needed" in one.error
    assert "70 more" in one.error


def test_what_the_records_hold_reaches_the_program(
    config: WorkerConfig, training: TrainingConfig, sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real examples: by sides, with half of what is held out set apart to choose the best state by."""
    for module, name, one in WRITTEN:
        monkeypatch.setattr(module, name, one)
    store = open_store(config.object_store)
    rows = []
    for seed in range(60):
        one, data = schooling.example(seed)
        steps.document(sessions, f"form {seed}")
        document = steps.sha(f"form {seed}")
        key = f"examples/{Path(one.file_name).name}"
        store.put(key, data)
        rows.append(
            {
                "picture": Path(one.file_name).stem,
                "key": key,
                "kind": one.kind.value,
                "state": one.state.value,
                "label": one.label,
                "check": "field.missing",
                "document_id": document,
                "reviewer": "asha",
                "model_version": "before",
                "right": False,
                "chosen": "flagged",
                "held_out": feedback.held_out(document),
            }
        )
    with sessions.begin() as session:
        session.execute(insert(LearningExample), rows)
    held = [row["document_id"] for row in rows if row["held_out"]]
    number = ask(sessions)
    with at_work(config, replace(training, train=SLEEPS)):
        until(lambda: bool(sleepers()))
        (gathered,) = training.folder.glob(f"{number}-*/gathered")
        taught = feedback.examples(gathered / "train")
        fresh = feedback.examples(gathered / "fresh") if held else []
    assert len(taught) == 60 - len(held) + sum(deciding(one) for one in held)
    assert sorted(one.document for one in fresh) == sorted(one for one in held if not deciding(one))
    assert all((gathered / "train" / one.file_name).is_file() for one in taught)
    counted = view(sessions, number).progress["examples"]
    assert counted == {"train": 60 - len(held), "golden": 0, "fresh": len(fresh)}
    with sessions.begin() as session:
        trainings.cancel(session, number, by="asha")


def test_one_that_is_cancelled_ends_at_once_and_leaves_nothing(
    config: WorkerConfig, training: TrainingConfig, sessions: sessionmaker[Session]
) -> None:
    number = ask(sessions)
    with at_work(config, replace(training, train=SLEEPS)):
        until(lambda: bool(sleepers()))
        assert view(sessions, number).stage == "training"
        with sessions.begin() as session:
            trainings.cancel(session, number, by="asha")
        until(lambda: not sleepers())
        until(lambda: not list(training.folder.glob(f"{number}-*/gathered")))
    assert view(sessions, number).stage == "cancelled"


def test_a_worker_that_is_stopped_gives_it_back_as_far_as_it_is(
    config: WorkerConfig, training: TrainingConfig, sessions: sessionmaker[Session]
) -> None:
    number = ask(sessions)
    with at_work(config, replace(training, train=SLEEPS)) as (_, stop):
        until(lambda: bool(sleepers()))
        stop.set()
        until(lambda: not sleepers())
    given = view(sessions, number)
    assert given.stage == "training" and not given.at_work
    assert list(training.folder.glob(f"{number}-*/gathered/train/metadata.jsonl")), "what was gathered is kept"
    with at_work(config, replace(training, train=FAILS)):
        until(lambda: view(sessions, number).finished)
    failed = view(sessions, number)
    assert failed.stage == "failed"
    assert str(failed.error).startswith("train ended with status 1: the recipe is of another architecture")
    assert not list(training.folder.glob(f"{number}-*/gathered"))


def test_trainings_have_a_queue_of_their_own() -> None:
    others = {route["queue"] for task, route in celery_app.ROUTES.items() if task != "docvigil.retrain"}
    assert celery_app.ROUTES["docvigil.retrain"]["queue"] == "train" and "train" not in others
