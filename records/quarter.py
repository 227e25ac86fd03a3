"""What a quarter of learning came to, as the records have it: the examples and whose labels were set aside, the
training, what the gate said, how the version did in shadow and as a canary, what it misses at most, who moved it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.shadowing import Comparison, compare
from pipeline.trust import Doubt
from records import examples, gathering, model_trials, readings, shadow_scans, trainings
from records.learning_tables import (
    FINISHED_STAGES,
    BoundReading,
    DriftReading,
    Evaluation,
    GoldenSet,
    LearningExample,
    Training,
)
from records.model_trials import Counts
from records.tables import Event, ModelVersion, Source
from records.trainings import TrainingView
from records.words import Refused


@dataclass(frozen=True, slots=True)
class Data:
    """The examples kept now: by class and side (`records.examples.counted`), by why their documents were looked at, and
    by the version that saw them; the documents and reviews they come from."""

    classes: Mapping[str, Mapping[str, int]]
    chosen: Mapping[str, int]
    seen_by: Mapping[str, int]
    documents: int
    reviews: int
    golden: GoldenSet | None


@dataclass(frozen=True, slots=True)
class Move:
    """A stage that a version came to, and who moved it."""

    at: datetime
    stage: str
    by: str


@dataclass(frozen=True, slots=True)
class Quarter:
    """Everything the report shows. `doubts` are those of the training where there is one, with their sources named;
    `bounds` is of the version and, before it judged anything, of the one it goes on from."""

    at: datetime
    training: TrainingView | None
    version: ModelVersion | None
    data: Data
    doubts: Sequence[str]
    evaluations: Sequence[Evaluation]
    bounds: Mapping[str, Sequence[BoundReading]]
    bounds_of: str | None
    drift: Sequence[DriftReading]
    shadow: Comparison
    shadow_counts: Counts | None
    counts: Counts | None
    moves: Sequence[Move]

    @property
    def gate(self) -> Mapping[str, Any] | None:
        """What the gate said: `passed`, `reasons`, and `golden` and `fresh` with their `classes`; None before that."""
        if self.training is not None and "gate" in self.training.progress:
            told: Mapping[str, Any] = self.training.progress["gate"]
            return told
        golden = next((one for one in self.evaluations if one.set == "golden"), None)
        fresh = next((one for one in self.evaluations if one.set == "fresh"), None)
        if golden is None:
            return None
        sides = {name: {"classes": one.classes} for name, one in (("golden", golden), ("fresh", fresh)) if one}
        return {"passed": bool(golden.passed), "reasons": golden.reasons, **sides}


def of_training(session: Session, number: int) -> Quarter:
    """The report of a training. Raises LookupError for an unknown one."""
    training = trainings.get(session, number)
    return _quarter(session, training, training.candidate)


def of_version(session: Session, version: str) -> Quarter:
    """The report of a version, with the training it came from. Raises LookupError for an unknown one."""
    if session.get(ModelVersion, version) is None:
        raise LookupError(f"there is no model version {version}")
    number = session.scalar(select(func.max(Training.id)).where(Training.candidate == version))
    return _quarter(session, None if number is None else trainings.get(session, number), version)


def newest(session: Session) -> Quarter:
    """The report of the training that ended last. Raises Refused before any has."""
    number = session.scalar(
        select(Training.id)
        .where(Training.stage.in_(FINISHED_STAGES))
        .order_by(Training.finished_at.desc(), Training.id.desc())
        .limit(1)
    )
    if number is None:
        raise Refused("no training has ended yet; name a version (docvigil models list) or a training")
    return of_training(session, number)


def _quarter(session: Session, training: TrainingView | None, version: str | None) -> Quarter:
    row = None if version is None else session.get(ModelVersion, version)
    judged = version if version is not None else training.parent if training is not None else None
    bounds = [] if judged is None else readings.bounds(session, judged)
    if not bounds and row is not None and row.parent is not None:
        judged, bounds = row.parent, readings.bounds(session, row.parent)
    evaluations = select(Evaluation).where(Evaluation.version == version).order_by(Evaluation.at.desc(), Evaluation.id)
    by_check: dict[str, list[BoundReading]] = {}
    for one in bounds:
        by_check.setdefault(one.check, []).append(one)
    return Quarter(
        at=session.scalars(select(func.now())).one(),
        training=training,
        version=row,
        data=_data(session),
        doubts=_doubts(session, training),
        evaluations=list(session.scalars(evaluations)),
        bounds=by_check,
        bounds_of=judged,
        drift=[] if judged is None else readings.last_drift(session, judged),
        shadow=compare([] if version is None else shadow_scans.pairs(session, version)),
        shadow_counts=None if version is None else model_trials.shadowed(session, version),
        counts=None if version is None else model_trials.judged(session, version),
        moves=[] if version is None else _moves(session, version),
    )


def _data(session: Session) -> Data:
    documents, reviews = session.execute(
        select(
            func.count(func.distinct(LearningExample.document_id)), func.count(func.distinct(LearningExample.review_id))
        )
    ).one()
    return Data(
        classes=examples.counted(session),
        chosen=_by(session, LearningExample.chosen),
        seen_by=_by(session, LearningExample.model_version),
        documents=documents,
        reviews=reviews,
        golden=session.scalar(select(GoldenSet).order_by(GoldenSet.id.desc()).limit(1)),
    )


def _by(session: Session, column: Any) -> dict[str, int]:
    rows = session.execute(select(column, func.count()).group_by(column).order_by(func.count().desc(), column))
    return {row[0]: row[1] for row in rows}


def _doubts(session: Session, training: TrainingView | None) -> list[str]:
    if training is not None and "set_aside" in training.progress:
        found = [Doubt(**one) for one in training.progress["set_aside"]]
    else:
        found = gathering.reviewers(session)
    places = {str(number): location for number, location in session.execute(select(Source.id, Source.location))}
    return [f"{one} ({places[one.who]})" if one.what == "source" and one.who in places else str(one) for one in found]


def _moves(session: Session, version: str) -> list[Move]:
    rows = session.execute(
        select(Event.at, Event.body)
        .where(Event.subject == f"model:{version}", Event.kind.in_(("model.registered", "model.staged")))
        .order_by(Event.id)
    )
    told = [(at, json.loads(body)) for at, body in rows]
    return [Move(at, one.get("stage", "candidate"), one.get("actor") or "") for at, one in told]
