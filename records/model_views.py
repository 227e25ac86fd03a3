"""What a page about a model version shows, read from the records; nothing is changed here."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records import model_versions, readings
from records.learning_tables import BoundReading, DriftReading, Evaluation, ShadowScan
from records.words import ModelView

#: Evaluations that are shown: the newest.
EVALUATIONS = 50


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version with what it was measured at: the newest bound and drift of each check, the scans it read in shadow.
    Of rows only the columns may be read."""

    model: ModelView
    evaluations: list[Evaluation]
    bounds: list[BoundReading]
    drift: list[DriftReading]
    shadow_scans: int


def version(session: Session, name: str) -> VersionView:
    """Raises LookupError for an unknown version."""
    model = model_versions.get(session, name)
    evaluations = select(Evaluation).where(Evaluation.version == name).order_by(Evaluation.at.desc())
    shadowed = session.scalar(select(func.count()).select_from(ShadowScan).where(ShadowScan.version == name))
    newest = {one.check: one for one in readings.bounds(session, name)}
    shown = VersionView(
        model,
        list(session.scalars(evaluations.limit(EVALUATIONS))),
        list(newest.values()),
        readings.last_drift(session, name),
        shadowed or 0,
    )
    session.expunge_all()
    return shown
