"""One training, from the examples to what the gate said of it.

    gather    examples, golden set and the version in production are written down beside each other
    learn     a copy of that version learns from the examples, and has its confidence calibrated
    compare   both versions answer the golden set and the fresh reviews; the gate decides; what comes out is recorded

Each step leaves its result whole or not at all (`workers.files`) and is passed over where the result is there. The
model is never here: it learns and answers in programs of its own, which are told files and tell files.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.orm import Session, sessionmaker

from pipeline import feedback
from records import examples, gathering, model_archives, model_versions, trainings
from records import golden as golden_sets
from records.objects import ObjectStore
from records.trainings import MOST_LOST, TrainingLease
from workers import observe, programs, teaching
from workers.config import TrainingConfig
from workers.files import Files, whole
from workers.heartbeat import LeaseLost, Work
from workers.outages import outage

log = structlog.get_logger(__name__)

#: Seconds between two tellings of how far it is.
TELL_SECONDS = 2.0

#: What a version is made of besides what training and calibration write: the detector of signatures
#: and the reader of comb boxes.
CARRIED = ("spotting.json", "spotting.safetensors", "cells.safetensors")
CALIBRATION = "calibration.json"
WEIGHTS = "model.safetensors"


class Refused(RuntimeError):
    """There is no sense in this training, or nothing came of it; the text is a sentence for a person."""


class Course:
    """The steps of one training, under its lease."""

    def __init__(
        self,
        config: TrainingConfig,
        sessions: sessionmaker[Session],
        store: ObjectStore,
        lease: TrainingLease,
        work: Work,
        stop: threading.Event,
    ) -> None:
        self._config, self._sessions, self._store = config, sessions, store
        self._lease, self._work, self._stop = lease, work, stop
        self.files = Files(config.folder, lease.id, lease.created_at)
        self._told: dict[str, Any] = {}
        self._tell_at = 0.0
        self._curve: list[dict[str, float]] = []
        self._moved: tuple[object, float] | None = None
        self._began = time.monotonic()

    def run(self) -> str:
        """Does what is left to do; how the training ended. Raises LeaseLost, `programs.Asked` and outages, after which
        it can be run again, and `programs.Failed`."""
        try:
            if not self.files.gathered.is_dir():
                self.gather()
            if not self.files.candidate.is_dir():
                self.learn()
            return self.compare()
        except Refused as no:
            self._finish("refused", error=str(no))
            return "refused"

    # -- gather

    def gather(self) -> None:
        """Writes down what is learned from, what is compared on, and the version it goes on from."""
        self._advance("gathering")
        version, folder = self._config.production()
        with self._sessions.begin() as session:
            gathering.gather(session, self._store, keep_days=self._config.identifier_example_days)
        with whole(self.files.gathered) as part:
            shutil.copytree(folder, part / "parent")
            for side in teaching.SIDES:
                self._step()
                with self._sessions.begin() as session:
                    examples.write_folder(session, self._store, part / side, side)
            _set_apart(part / "fresh", part / "train")
            counted = {side: len(_examples(part / side)) for side in teaching.SIDES}
            learned = sum(not feedback.held_out(one.document) for one in _examples(part / "train"))
            self._enough(learned)
            digest = hashlib.sha256((part / "train" / feedback.LIST).read_bytes()).hexdigest()
        told: dict[str, Any] = {"examples": {**counted, "train": learned}, "data": digest}
        with self._sessions.begin() as session:
            told["set_aside"] = [asdict(one) for one in gathering.reviewers(session)]
            if version not in model_versions.beginning(session, version):
                # It has judged nothing here yet.
                model_versions.install(session, version)
            golden = next((one.id for one in golden_sets.sets(session)), None)
            self._kept(
                trainings.advance(session, self._lease, "training", parent=version, golden_set_id=golden, progress=told)
            )
        self._lease = replace(self._lease, parent=version, golden_set_id=golden)

    def _enough(self, learned: int) -> None:
        least = self._config.least_examples
        if learned < least:
            raise Refused(
                f"There are {learned} examples from reviewers to learn from, and {least} are needed "
                f"(DOCVIGIL_RETRAIN_EXAMPLES): {least - learned} more."
            )

    # -- learn

    def learn(self) -> None:
        """A copy of the version learns from the examples, unless only its calibration has drifted; then it is
        calibrated."""
        self._advance("training")
        if self._lease.cause == "drift":
            shutil.copytree(self.files.parent, self.files.trained, dirs_exist_ok=True)
        elif not self.files.trained.is_dir():
            with whole(self.files.trained) as part:
                self._train(part)
        with whole(self.files.candidate) as part:
            shutil.copytree(self.files.trained, part)
            for name in CARRIED:
                if (self.files.parent / name).is_file():
                    shutil.copyfile(self.files.parent / name, part / name)
            self._calibrate(part)

    def _train(self, out: Path) -> None:
        config, files = self._config, self.files
        words = [
            *config.train,
            *("--recipe", str(config.recipe), "--feedback", str(files.learned), "--start", str(files.parent)),
            *("--folder", str(files.states), "--evidence", str(files.evidence), "--out", str(out)),
            *("--drawers", str(config.drawers), "--report-to", config.report_to),
        ]
        lost = 0
        while True:
            step = files.progress().get("step")
            try:
                self._run("train", words, self._look_at_states)
                self._tell(self._so_far(files.progress()))
                return
            except programs.Killed as killed:
                lost = lost + 1 if files.progress().get("step") == step else 1
                if lost >= MOST_LOST:
                    raise programs.Failed(f"{killed}, {lost} times without a step forward between") from killed
                log.warning("training.killed", training=self._lease.id, times=lost)

    def _look_at_states(self) -> None:
        """Tells how far it is, and that it moves where it does."""
        now = self.files.progress()
        drawn = self.files.evidence.stat().st_mtime if self.files.evidence.is_dir() else 0.0
        if (moved := (now.get("step"), drawn)) != self._moved:
            self._moved = moved
            self._work.advanced()
        if now and time.monotonic() >= self._tell_at:
            observe.trained(now)
            self._tell(self._so_far(now))

    def _so_far(self, now: dict[str, Any]) -> dict[str, Any]:
        forward = {"lost": 0} if now.get("step") != self._lease.progress.get("step") else {}
        # The curve is long, and changes with each state only.
        curve = self.files.curve()
        drawn = {"curve": curve} if curve != self._curve else {}
        self._curve = curve
        return {**now, **forward, **drawn}

    def _calibrate(self, folder: Path) -> None:
        config = self._config
        if self._lease.cause == "drift":
            self._run("calibrate", [*config.calibrate, str(folder), "--feedback", str(self.files.learned)])
        elif config.calibration_documents:
            count = ["--documents", str(config.calibration_documents), "--processes", str(config.drawers)]
            self._run("calibrate", [*config.calibrate, str(folder), *count])
        elif (self.files.parent / CALIBRATION).is_file():
            # Another's curves are nearer to the truth than none.
            shutil.copyfile(self.files.parent / CALIBRATION, folder / CALIBRATION)

    # -- compare

    def compare(self) -> str:
        """Both versions answer what neither learned from; the gate decides, and it is recorded."""
        self._advance("evaluating")
        version = self._config.version(self.files.candidate)
        if version == self._config.version(self.files.parent):
            raise Refused("Nothing was learned: what came out is the version that it went on from.")
        for side in teaching.COMPARED:
            if not self.files.judged(side).is_file() and _examples(self.files.side(side)):
                with whole(self.files.judged(side)) as part:
                    self._judge(self.files.side(side), part)
        key = model_archives.put(self._store, self.files.candidate, version)
        result = teaching.decide(self.files, self._lease.cause)
        with self._sessions.begin() as session:
            waits = teaching.record(session, self._lease, version, key=key, lineage=self._lineage(), result=result)
            self._kept(
                trainings.finish(
                    session,
                    self._lease,
                    "passed" if result.passed else "refused",
                    candidate=version,
                    error=None if result.passed else " ".join(result.reasons),
                    progress={"gate": result.told} if waits is None else {"gate": result.told, "waits": waits},
                )
            )
        return "passed" if result.passed else "refused"

    def _judge(self, side: Path, out: Path) -> None:
        pair = ["--candidate", str(self.files.candidate), "--production", str(self.files.parent)]
        self._run("judge", [*self._config.judge, str(side), *pair, "--out", str(out)])

    def _lineage(self) -> dict[str, Any]:
        """What the candidate was made of: digests of data, recipe and code."""
        return {
            "training": self._lease.id,
            "cause": self._lease.cause,
            "data": hashlib.sha256((self.files.learned / feedback.LIST).read_bytes()).hexdigest(),
            "examples": len(_examples(self.files.learned)),
            "recipe": hashlib.sha256(self._config.recipe.read_bytes()).hexdigest(),
            "recipe_name": self._config.recipe.name,
            "code": self._config.code,
        }

    # -- all of them

    def _run(self, name: str, words: list[str], look: Callable[[], None] | None = None) -> None:
        config = self._config

        def watch() -> None:
            if self._work.lost:
                raise LeaseLost(f"training {self._lease.id} is no longer this worker's")
            if look is None:
                self._work.advanced()
            else:
                look()

        program = programs.Program(
            name,
            words,
            self.files.log(name),
            memory_bytes=config.memory_bytes,
            settings={
                "DOCVIGIL_HOME": str(config.folder),
                "DOCVIGIL_MODEL_THREADS": str(config.threads),
                "OMP_NUM_THREADS": str(config.threads),
                # What outlives the training lies beside its folder; libraries keep nothing anywhere else.
                "TENSORBOARD_LOGGING_DIR": str(config.folder / "tensorboard" / self.files.folder.name),
                "HF_HOME": str(config.folder / "cache"),
            },
        )
        left = config.hours * 3600 - (time.monotonic() - self._began)
        programs.run(program, look=watch, stop=self._stop, seconds=left)

    def _step(self) -> None:
        """Between two pieces of work: on, unless there is no sense in it."""
        if self._stop.is_set():
            raise programs.Asked()
        self._work.advanced()

    def _advance(self, stage: str) -> None:
        self._step()
        with self._sessions.begin() as session:
            self._kept(trainings.advance(session, self._lease, stage))

    def _tell(self, progress: dict[str, Any]) -> None:
        """Writes down how far it is, where that is news; while the database is away nothing is told."""
        self._tell_at = time.monotonic() + TELL_SECONDS
        if progress == self._told:
            return
        try:
            with self._sessions.begin() as session:
                self._kept(trainings.tell(session, self._lease, progress))
        except Exception as error:
            if not outage(error):
                raise
            log.warning("training.not_told", training=self._lease.id, error=type(error).__name__)
            return
        self._told = progress

    def _finish(self, stage: str, **given: Any) -> None:
        with self._sessions.begin() as session:
            self._kept(trainings.finish(session, self._lease, stage, **given))

    def _kept(self, ours: bool) -> None:
        if not ours:
            raise LeaseLost(f"training {self._lease.id} is no longer this worker's")


def _examples(folder: Path) -> list[feedback.Example]:
    return feedback.examples(folder) if (folder / feedback.LIST).is_file() else []


def _set_apart(fresh: Path, learned: Path) -> None:
    """Moves half of the fresh examples, by document, to those of the training, which doesn't learn from them but says
    by them which of its states is best. The others are for measuring alone."""
    every = _examples(fresh)
    moved = [one for one in every if feedback.held_out(one.document) and deciding(one.document)]
    for one in moved:
        feedback.add(learned, one, (fresh / one.file_name).read_bytes())
    left = [one for one in every if one not in moved]
    if every:
        lines = "".join(one.model_dump_json() + "\n" for one in left)
        (fresh / feedback.LIST).write_text(lines, encoding="utf-8")


def deciding(document: str) -> bool:
    """Whether the held out document with that SHA-256 says which state of a training is best."""
    return int(hashlib.sha256(f"deciding:{document}".encode()).hexdigest(), 16) % 2 == 0
