"""An instance of docvigil over the time of a year: documents dropped and decided on, versions that move."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from sqlalchemy import TextClause, text

from benchmarks import branch
from benchmarks.branch import Custom, Truth
from benchmarks.panel import Panel, Reviewer
from docvigil.bench.plant import Plant, plant
from models.checkpoint import digest
from models.synthesis.faces import Found
from pipeline.desk import DeskRules
from records import model_archives, model_trials, model_versions, quarter, trainings
from records.trainings import TrainingView
from web import quarter as web_quarter

ZONE = "Asia/Kolkata"

#: The least examples of a training here.
EXAMPLES = 100

#: What is set other than it is by default, so that a year takes minutes: more is looked at, and trials are shorter. The
#: limits are what some hundred labels can show: of ten flagged documents one is clean, of a hundred cleared one is not.
SETTINGS: dict[str, str | None] = {
    "DOCVIGIL_AUDIT_RATE": "1",
    "DOCVIGIL_CANARY_AUDIT_RATE": "1",
    "DOCVIGIL_CANARY_SHARE": "0.8",
    "DOCVIGIL_CANARY_MISSES": "0.05",
    "DOCVIGIL_CANARY_FALSE_ALARMS": "0.3",
    "DOCVIGIL_SHADOW_DOCUMENTS": "100",
    "DOCVIGIL_CANARY_DOCUMENTS": "100",
    "DOCVIGIL_RETRAIN_AT": "never",
    "DOCVIGIL_RETRAIN_RECIPE": str(Path(__file__).with_name("year.yaml")),
    "DOCVIGIL_RETRAIN_EXAMPLES": str(EXAMPLES),
    "DOCVIGIL_RETRAIN_THREADS": "2",
    "DOCVIGIL_RETRAIN_CALIBRATION": "0",
    "DOCVIGIL_RETRAIN_NICE": "0",
    "DOCVIGIL_UNDO_SECONDS": "0",
    "DOCVIGIL_TIMEZONE": ZONE,
}
RULES = DeskRules(audit_rate=1.0, canary_audit_rate=1.0, undo_seconds=0.0)

#: What a year knows besides its instance, in its folder.
KEPT = "year.json"

#: The guard looks every half minute.
GUARD_SECONDS = 45.0

#: Fields of newest scans, by the paths of the documents.
READ = text(
    "SELECT a.path, f.field, f.outcome FROM arrivals a JOIN documents d ON d.id = a.document_id"
    " JOIN findings f ON f.scan_id = d.scan_id WHERE f.field = ANY(:fields)"
)
#: What the guard last counted of a version that waits.
SEEN = text(
    "SELECT classes -> 'counts' FROM evaluations WHERE version = :version AND set = :stage AND passed IS NULL"
    " ORDER BY id DESC LIMIT 1"
)


@dataclass
class Year:
    """One branch's documents over the time, and the folder of the instance that scans them."""

    folder: Path
    using: Found
    seed: int
    truths: dict[str, Truth] = field(default_factory=dict)
    batches: int = 0

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.doctype = branch.form(self.home / "doctypes")

    def keep(self, **told: Any) -> None:
        """Writes down what has been, so that other years can begin with it; the instance must not run."""
        truths = [asdict(one) for one in self.truths.values()]
        text = json.dumps({"seed": self.seed, "batches": self.batches, "told": told, "truths": truths})
        (self.folder / KEPT).write_text(text, encoding="utf-8")

    def copied(self, folder: Path) -> Self:
        """A year in an empty folder that begins with what has been in this one, which was kept."""
        # Postgres's files belong to the user it runs as, whom a copy in Python would forget.
        subprocess.run(["/bin/cp", "-a", str(self.home), str(folder)], check=True)
        return type(self)(folder, self.using, self.seed, dict(self.truths), self.batches)

    @classmethod
    def kept(cls, folder: Path, using: Found) -> tuple[Self, dict[str, Any]] | None:
        """The year that was kept in a folder, and what was told of it; None where none is there, or a part of one."""
        if not (folder / KEPT).is_file():
            return None
        known = json.loads((folder / KEPT).read_text(encoding="utf-8"))
        truths = {one["path"]: Truth(**one) for one in known["truths"]}
        return cls(folder, using, known["seed"], truths, known["batches"]), known["told"]

    @contextmanager
    def running(self, **settings: str | None) -> Iterator[Plant]:
        """The instance with settings of its own, None for the default, until the block ends."""
        with _environment({**SETTINGS, **settings}), plant(self.home) as started:
            yield started

    def drop(self, running: Plant, count: int, custom: Custom | None = None) -> list[Truth]:
        """Drops so many documents and waits for their verdicts."""
        self.batches += 1
        drawn, seed = self.folder / f"batch-{self.batches}", self.seed * 1000 + self.batches
        custom = custom or Custom()
        new = branch.draw(self.doctype, drawn, count, custom, seed=seed, using=self.using)
        for one in new:
            self.truths[one.path] = one
            shutil.move(drawn / one.path, running.drop / f".{one.path}")
            (running.drop / f".{one.path}").rename(running.drop / one.path)
        self.settle(running)
        return new

    def settle(self, running: Plant) -> None:
        running.settle(len(self.truths), 3600)

    def decide(self, running: Plant, reviewers: Sequence[Reviewer], *, two: bool = False) -> int:
        """Everything that waits is decided; `two`: what needs a second opinion gets it. The number of decisions."""
        rules = RULES.model_copy(update={"four_eyes": frozenset(branch.FIELDS.values())}) if two else RULES
        panel = Panel(running.desk.sessions, rules, reviewers, np.random.default_rng([self.seed, self.batches]))
        return panel.decide_all(self.truths)


def errors(running: Plant, documents: Sequence[Truth]) -> dict[str, Any]:
    """What the newest scans of documents say against the truth: a field is right, wrong, or left to people."""
    by_path = {one.path: one for one in documents}
    told: dict[str, dict[str, int]] = {}
    with running.desk.sessions.begin() as session:
        for row in session.execute(READ, {"fields": list(branch.FIELDS)}):
            truth = by_path.get(row.path.rsplit("/", 1)[-1])
            if truth is None:
                continue
            style = "stamped" if truth.stamped and row.field == "holder_signature" else "as before"
            counted = told.setdefault(f"{branch.FIELDS[row.field]}, {style}", {"fields": 0, "wrong": 0, "unsure": 0})
            counted["fields"] += 1
            counted["unsure"] += row.outcome == "uncertain"
            counted["wrong"] += row.outcome != "uncertain" and (row.outcome == "anomaly") != truth.defect(row.field)
    return dict(sorted(told.items()))


def stages(running: Plant) -> dict[str, str]:
    """The stage of each version of the model."""
    with running.desk.sessions.begin() as session:
        return {one.version: one.stage for one in model_versions.every(session)}


def trained(running: Plant) -> TrainingView | None:
    """The calendar's newest training, once it has ended."""
    with running.desk.sessions.begin() as session:
        newest = next((one for one in trainings.latest(session, 10) if one.cause == "scheduled"), None)
    return newest if newest is not None and newest.finished else None


def looked_at(running: Plant, version: str) -> bool:
    """Whether the guard has seen all that people decided of the version on trial, and lets it wait."""
    with running.desk.sessions.begin() as session:
        shadow = model_versions.get(session, version).stage == "shadow"
        counts = (model_trials.shadowed if shadow else model_trials.judged)(session, version)
        seen = session.execute(SEEN, {"version": version, "stage": "shadow" if shadow else "canary"}).scalar()
    return seen == asdict(counts)


def registered(running: Plant, checkpoint: Path) -> str:
    """A checkpoint put into the registry; its version."""
    version = digest(checkpoint)
    key = model_archives.put(running.desk.store, checkpoint, version)
    with running.desk.sessions.begin() as session:
        model_versions.register(session, version, key=key, by="model owner")
    return version


def report(running: Plant, path: Path) -> None:
    """Writes the quarter's report."""
    with running.desk.sessions.begin() as session:
        path.write_text(web_quarter.page(quarter.newest(session), ZONE), encoding="utf-8")


def number(running: Plant, statement: TextClause, **values: Any) -> int:
    """The one number that a statement gives."""
    with running.desk.sessions.begin() as session:
        return int(session.execute(statement, values).scalar_one())


def until(condition: Callable[[], Any], seconds: float, *, patient: bool = False) -> Any:
    """What the condition gives once it is anything. After so long raises TimeoutError, or returns None if patient."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            if patient:
                return None
            raise TimeoutError(f"waited for {seconds:.0f} s in vain")
        time.sleep(1)
    return found


def say(words: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {words}\n")


@contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
