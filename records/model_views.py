"""What a page about a model version shows, read from the records; nothing is changed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from records.learning_tables import BoundReading, DriftReading, Evaluation, ShadowScan
from records.tables import Base, ModelVersion

T = TypeVar("T", bound=Base)


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version with everything it was measured at. Rows are detached: only their columns may be read."""

    row: ModelVersion
    evaluations: list[Evaluation]
    bounds: list[BoundReading]
    drift: list[DriftReading]
    shadow_scans: int


def versions(session: Session) -> list[ModelVersion]:
    """Every version, the last one staged first."""
    order = ModelVersion.staged_at.desc(), ModelVersion.version
    return _detached(session, list(session.scalars(select(ModelVersion).order_by(*order))))


def version(session: Session, name: str) -> VersionView:
    """One version, with its newest bound and drift of each check. Raises LookupError where there is none."""
    row = session.get(ModelVersion, name)
    if row is None:
        raise LookupError("There is no such model version.")
    evaluations = select(Evaluation).where(Evaluation.version == name).order_by(Evaluation.at.desc()).limit(50)
    bounds = select(BoundReading).ext(distinct_on(BoundReading.check)).where(BoundReading.version == name)
    drift = select(DriftReading).ext(distinct_on(DriftReading.check)).where(DriftReading.version == name)
    newest_bounds = bounds.order_by(BoundReading.check, BoundReading.at.desc(), BoundReading.id.desc())
    newest_drift = drift.order_by(DriftReading.check, DriftReading.at.desc(), DriftReading.id.desc())
    shadowed = session.scalar(select(func.count()).select_from(ShadowScan).where(ShadowScan.version == name))
    return VersionView(
        _detached(session, [row])[0],
        _detached(session, list(session.scalars(evaluations))),
        _detached(session, list(session.scalars(newest_bounds))),
        _detached(session, list(session.scalars(newest_drift))),
        shadowed or 0,
    )


def _detached(session: Session, rows: list[T]) -> list[T]:
    for row in rows:
        session.expunge(row)
    return rows
