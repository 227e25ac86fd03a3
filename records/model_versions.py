"""The versions of the model and the stages they move through.

    candidate ──► shadow ──► canary ──► production ──► retired
        └───────────┴──────────┴────────────▲  ▲           │
                     (a person may skip)        └───────────┘ (rolled back to)

One version is in production; one other at most is on trial, in shadow (it answers, and nothing follows from it) or as a
canary (it judges a share of the documents). Every move is an event of the audit trail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from records.audit import event
from records.canonical import as_id
from records.tables import ModelVersion
from records.words import ModelView, Refused

#: Where a version may go from each stage.
MOVES: Mapping[str, tuple[str, ...]] = {
    "candidate": ("shadow", "canary", "production", "retired"),
    "shadow": ("canary", "production", "retired"),
    "canary": ("production", "retired"),
    "production": (),
    "retired": ("shadow", "canary", "production"),
}
TRIALS = ("shadow", "canary")

#: Two processes that move versions take their turns.
MODEL_LOCK = 0x64766967_00000004

#: The share of documents that a canary judges where nobody says.
SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Staged:
    """A version at work; `key` is its archive in the object store, None for one that came with the installation."""

    version: str
    stage: str
    key: str | None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Which versions answer at present; `production` is None before anything was scanned."""

    production: Staged | None = None
    trial: Staged | None = None


def register(
    session: Session,
    version: str,
    *,
    key: str,
    by: str,
    parent: str | None = None,
    lineage: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> bool:
    """Write down a version whose archive is stored, as a candidate; False where it was known. A known one keeps its
    stage, and learns where its archive is."""
    _lock(session)
    known = session.get(ModelVersion, version)
    if known is not None:
        if known.key is None:
            known.key = key
        return False
    values = {"key": key, "parent": parent, "lineage": dict(lineage or {}), "metrics": dict(metrics or {})}
    session.execute(insert(ModelVersion).values(version=version, stage="candidate", staged_by=by, **values))
    event(session, "model.registered", f"model:{version}", actor=by, parent=parent)
    return True


def install(session: Session, version: str, *, metrics: Mapping[str, Any] | None = None) -> bool:
    """A version that came with the installation judges documents: it is in production from now on; False where it was.
    Metrics of a known version stay as they are."""
    _lock(session)
    before = session.scalar(select(ModelVersion.stage).where(ModelVersion.version == version))
    if before == "production":
        return False
    if before is None:
        session.execute(insert(ModelVersion).values(version=version, stage="candidate", metrics=dict(metrics or {})))
    _move(session, version, before, "production")
    return True


def used(session: Session, version: str) -> None:
    """The version that came with the installation judges here: it is in production, unless the records name one with an
    archive, which every process judges by as soon as it has it."""
    production = standing(session).production
    if production is None or production.key is None:
        install(session, version)


def stage(session: Session, version: str, to: str, *, by: str, share: float | None = None, why: str = "") -> str:
    """Move a version to a stage; the stage it was at. What was in production before is retired.

    `why` goes into the audit trail. Raises LookupError for an unknown version, and Refused, with a sentence, for a move
    that there isn't, a second version on trial, and one that has no archive here.
    """
    _lock(session)
    one = session.execute(
        select(ModelVersion.stage, ModelVersion.key).where(ModelVersion.version == version)
    ).one_or_none()
    if one is None:
        raise LookupError(f"there is no model version {version}")
    if to not in MOVES[one.stage]:
        raise Refused(f"version {version} is {_said(one.stage)} and can't become {_said(to)}")
    if share is not None and not 0 < share <= 1:
        raise Refused(f"a canary judges a share of the documents between 0 and 1, not {share:g}")
    if to in TRIALS:
        trial = session.scalar(select(ModelVersion.version).where(ModelVersion.stage.in_(TRIALS)))
        if trial not in (None, version):
            raise Refused(f"version {trial} is on trial already; roll it back or promote it first")
        if one.key is None:
            raise Refused(f"version {version} has no archive here; import its folder first")
    _move(session, version, one.stage, to, by=by, share=(share or SHARE) if to == "canary" else None, why=why)
    return str(one.stage)


def roll_back(session: Session, *, by: str, why: str = "") -> str:
    """Take back the version on trial or, without one, put the former into production again; the version that is retired
    by it. What it cleared is to be scanned again after the commit (`records.scans.rescan_all_cleared`).

    Raises Refused where there is nothing to take back.
    """
    now, before = standing(session), former(session)
    if now.trial is not None:
        stage(session, now.trial.version, "retired", by=by, why=why)
        return now.trial.version
    if before is None or now.production is None:
        raise Refused("no version is on trial, and none was in production before; there is nothing to take back")
    stage(session, before, "production", by=by, why=why)
    session.execute(update(ModelVersion).where(ModelVersion.version == now.production.version).values(taken_back=True))
    return now.production.version


def judges(session: Session, version: str) -> bool:
    """Whether what the version says may be written: not what one says that was taken back meanwhile. Until the end of
    the transaction nobody takes it back."""
    taken_back = session.scalar(
        select(ModelVersion.taken_back).where(ModelVersion.version == version).with_for_update(read=True)
    )
    return not taken_back


def taken_back(session: Session) -> list[str]:
    """Versions by which nothing may stay cleared."""
    return list(session.scalars(select(ModelVersion.version).where(ModelVersion.taken_back)))


def standing(session: Session) -> Standing:
    """Which versions answer now."""
    rows = session.execute(
        select(ModelVersion.version, ModelVersion.stage, ModelVersion.key, ModelVersion.share).where(
            ModelVersion.stage.in_(("production", *TRIALS))
        )
    ).all()
    at = {row.stage: Staged(row.version, row.stage, row.key, row.share) for row in rows}
    return Standing(at.get("production"), at.get("shadow") or at.get("canary"))


def former(session: Session) -> str | None:
    """The version that was in production before the present one, and was not taken back; None where there was none."""
    return session.scalar(
        select(ModelVersion.version)
        .where(ModelVersion.stage == "retired", ModelVersion.was_production, ~ModelVersion.taken_back)
        .order_by(ModelVersion.staged_at.desc())
        .limit(1)
    )


def beginning(session: Session, start: str) -> list[str]:
    """The versions that begin with these letters."""
    query = select(ModelVersion.version).where(ModelVersion.version.startswith(start, autoescape=True))
    return list(session.scalars(query.order_by(ModelVersion.version)))


def every(session: Session) -> list[ModelView]:
    """Every version that has been recorded, the last one staged first."""
    rows = session.scalars(select(ModelVersion).order_by(ModelVersion.staged_at.desc(), ModelVersion.version))
    return [_view(row) for row in rows]


def get(session: Session, version: str) -> ModelView:
    """Raises LookupError for an unknown one."""
    row = session.get(ModelVersion, version, populate_existing=True)
    if row is None:
        raise LookupError(f"there is no model version {version}")
    return _view(row)


def _move(
    session: Session,
    version: str,
    before: str | None,
    to: str,
    *,
    by: str = "",
    share: float | None = None,
    why: str = "",
) -> None:
    """Writes a move and its event; the caller holds the lock and knows that there is such a move."""
    if to == "production":
        replaced = session.scalars(
            update(ModelVersion)
            .where(ModelVersion.stage == "production")
            .values(stage="retired", was_production=True, staged_at=func.now(), staged_by=by)
            .returning(ModelVersion.version)
        ).all()
        for one in replaced:
            event(session, "model.staged", f"model:{one}", actor=by or None, stage="retired", before="production")
    session.execute(
        update(ModelVersion)
        .where(ModelVersion.version == version)
        .values(
            stage=to,
            share=share,
            taken_back=to == "retired" and before in TRIALS,
            staged_at=func.now(),
            staged_by=by,
        )
    )
    event(
        session,
        "model.staged",
        f"model:{version}",
        actor=by or None,
        stage=to,
        before=before,
        why=as_id(why) if why else None,
    )


def _view(row: ModelVersion) -> ModelView:
    return ModelView(
        version=row.version,
        stage=row.stage,
        share=row.share,
        parent=row.parent,
        lineage=row.lineage,
        metrics=row.metrics,
        key=row.key,
        registered_at=row.registered_at,
        staged_at=row.staged_at,
        staged_by=row.staged_by,
    )


def _lock(session: Session) -> None:
    session.execute(select(func.pg_advisory_xact_lock(MODEL_LOCK)))


def _said(stage: str) -> str:
    return {"candidate": "a candidate", "shadow": "in shadow", "canary": "a canary", "production": "in production"}.get(
        stage, stage
    )
