"""What a page about a model version shows, read from the records; nothing is changed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records import model_versions, readings
from records.learning_tables import BoundReading, DriftReading, Evaluation, ShadowScan
from records.model_versions import MOVES, Standing
from records.words import ModelView

#: Evaluations that are shown: the newest.
EVALUATIONS = 50


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version with what it was measured at: the bounds of each check day by day, its newest drift, the scans it read
    in shadow; `standing` and `former` say what it may move to. Of rows only the columns may be read."""

    model: ModelView
    evaluations: list[Evaluation]
    bounds: Mapping[str, Sequence[BoundReading]]
    drift: list[DriftReading]
    shadow_scans: int
    standing: Standing
    former: str | None

    @property
    def moves(self) -> tuple[str, ...]:
        """The stages that a person may move it to now; one other version is on trial at most, and needs an archive."""
        trial = self.standing.trial
        free = self.model.key is not None and (trial is None or trial.version == self.model.version)
        return tuple(
            to for to in MOVES[self.model.stage] if to == "production" or (to in model_versions.TRIALS and free)
        )

    @property
    def back_to(self) -> str | None:
        """The version that judges instead where this one is taken back; None where a rollback takes back another, or
        nothing."""
        trial, production = self.standing.trial, self.standing.production
        if trial is not None:
            return production.version if production is not None and trial.version == self.model.version else None
        return self.former if production is not None and production.version == self.model.version else None


def version(session: Session, name: str, timezone: str) -> VersionView:
    """A version as it stands now, days being those of the time zone. Raises LookupError for an unknown one."""
    model = model_versions.get(session, name)
    evaluations = select(Evaluation).where(Evaluation.version == name).order_by(Evaluation.at.desc())
    shadowed = session.scalar(select(func.count()).select_from(ShadowScan).where(ShadowScan.version == name))
    shown = VersionView(
        model,
        list(session.scalars(evaluations.limit(EVALUATIONS))),
        readings.daily_bounds(session, name, timezone),
        readings.last_drift(session, name),
        shadowed or 0,
        model_versions.standing(session),
        model_versions.former(session),
    )
    session.expunge_all()
    return shown
