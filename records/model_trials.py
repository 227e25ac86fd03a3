"""What people's decisions say of a version of the model: how often it missed a defect, how often it raised an alarm for
nothing. Each is counted by document, among those that were looked at whatever the version said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, insert, select, update
from sqlalchemy.orm import Session

from records.desk_tables import Case, Miss
from records.learning_tables import Evaluation, ShadowScan
from records.tables import Finding, ModelVersion, Review, Scan


@dataclass(frozen=True, slots=True)
class Counts:
    """Documents a version judged, those labelled of each kind, and the errors among them."""

    documents: int
    cleared_labelled: int
    misses: int
    flagged_labelled: int
    false_alarms: int


def judged(session: Session, version: str) -> Counts:
    """Of the documents that the version judged: of cleared ones only those drawn at random are labelled, of flagged
    ones all that were decided."""
    documents = session.scalar(select(func.count()).select_from(Scan).where(Scan.model_version == version)) or 0
    drawn, misses = _counted(session, version, Case.cause == "drawn", _missed())
    flagged, alarms = _counted(session, version, Case.cause == "flagged", ~_found())
    return Counts(documents, drawn, misses, flagged, alarms)


def shadowed(session: Session, version: str) -> Counts:
    """The same of what a version in shadow would have said, where people decided: of the documents with a defect those
    that it would have cleared are misses, of those it would have flagged the ones without a defect false alarms.

    What production flagged is decided on whole, what it cleared hardly ever. So of the documents without a defect most
    that are known are production's own false alarms, and a share of those would blame whoever says the same.
    """
    documents = session.scalar(select(func.count()).select_from(ShadowScan).where(ShadowScan.version == version)) or 0
    defect = _found() | _missed()
    rows = session.execute(
        select(ShadowScan.verdict, defect.label("defect"), func.count())
        .join(Case, Case.scan_id == ShadowScan.scan_id)
        .where(ShadowScan.version == version, Case.stage == "decided", Case.cause.in_(("flagged", "drawn")))
        .group_by("verdict", "defect")
    )
    at = {(row[0], bool(row[1])): int(row[2]) for row in rows}
    found = at.get(("clear", True), 0) + at.get(("flagged", True), 0)
    flagged = at.get(("flagged", True), 0) + at.get(("flagged", False), 0)
    return Counts(documents, found, at.get(("clear", True), 0), flagged, at.get(("flagged", False), 0))


def write(
    session: Session,
    version: str,
    stage: str,
    *,
    baseline: str,
    classes: Mapping[str, Any],
    passed: bool | None,
    reasons: Sequence[str],
) -> None:
    """What a trial shows by now, in one evaluation that is open (`passed` is None) until the version moves; nothing is
    written where nothing has changed."""
    now = {"baseline": baseline, "classes": dict(classes), "passed": passed, "reasons": list(reasons)}
    open_one = session.scalars(_open(version, stage)).one_or_none()
    if open_one is None:
        session.execute(insert(Evaluation).values(version=version, set=stage, **now))
    elif now != {name: getattr(open_one, name) for name in now}:
        session.execute(update(Evaluation).where(Evaluation.id == open_one.id).values(**now, at=func.now()))


def waits(session: Session) -> dict[str, list[str]]:
    """What the version on trial waits for, in sentences, as the guard last saw it; empty while none is."""
    on_trial = select(ModelVersion.version, ModelVersion.stage).where(ModelVersion.stage.in_(("shadow", "canary")))
    found = {}
    for version, stage in session.execute(on_trial):
        told = session.scalars(_open(version, stage)).one_or_none()
        found[version] = [] if told is None else list(told.reasons)
    return found


def _open(version: str, stage: str) -> Select[Evaluation]:
    """The evaluation of a trial that has not ended."""
    of_stage = select(Evaluation).where(Evaluation.version == version, Evaluation.set == stage)
    return of_stage.where(Evaluation.passed.is_(None)).order_by(Evaluation.id.desc()).limit(1)


def _counted(session: Session, version: str, which: ColumnElement[bool], error: ColumnElement[bool]) -> tuple[int, int]:
    row = session.execute(
        select(func.count(), func.count().filter(error))
        .select_from(Case)
        .join(Scan, Scan.id == Case.scan_id)
        .where(Scan.model_version == version, Case.stage == "decided", which)
    ).one()
    return int(row[0]), int(row[1])


def _missed() -> ColumnElement[bool]:
    return exists().where(Miss.scan_id == Case.scan_id, Miss.withdrawn_at.is_(None))


def _found() -> ColumnElement[bool]:
    """A finding that people did not dismiss."""
    return exists().where(
        Finding.scan_id == Case.scan_id,
        Finding.outcome != "pass",
        Review.finding_id == Finding.id,
        Review.withdrawn_at.is_(None),
        Review.decision != "dismissed",
    )
