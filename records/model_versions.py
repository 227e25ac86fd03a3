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
from records.registry import MODEL_LOCK, record_model
from records.tables import ModelVersion
from records.words import Refused

#: Where a version may go from each stage.
MOVES: Mapping[str, tuple[str, ...]] = {
    "candidate": ("shadow", "canary", "production", "retired"),
    "shadow": ("canary", "production", "retired"),
    "canary": ("production", "retired"),
    "production": (),
    "retired": ("shadow", "canary", "production"),
}
TRIALS = ("shadow", "canary")

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
    """Write down a version whose archive is stored; False where it was known. A known one keeps its stage, and learns
    where its archive is."""
    _lock(session)
    known = session.get(ModelVersion, version)
    if known is not None:
        if known.key is None:
            known.key = key
        return False
    session.execute(
        insert(ModelVersion).values(
            version=version,
            stage="candidate",
            key=key,
            parent=parent,
            lineage=dict(lineage or {}),
            metrics=dict(metrics or {}),
            staged_by=by,
        )
    )
    event(session, "model.registered", f"model:{version}", actor=by, parent=parent)
    return True


def stage(session: Session, version: str, to: str, *, by: str, share: float | None = None, why: str = "") -> str:
    """Move a version to a stage; the stage it was at. What was in production before is retired.

    `why` goes into the audit trail. Raises LookupError for an unknown version, and Refused, with a sentence, for a move
    that there isn't, a second version on trial, and one that has no archive here.
    """
    _lock(session)
    one = session.scalars(select(ModelVersion).where(ModelVersion.version == version).with_for_update()).one_or_none()
    if one is None:
        raise LookupError(f"there is no model version {version}")
    before = one.stage
    if to not in MOVES[before]:
        raise Refused(f"version {version} is {_said(before)} and can't become {_said(to)}")
    if share is not None and not 0 < share <= 1:
        raise Refused(f"a canary judges a share of the documents between 0 and 1, not {share:g}")
    trial = session.scalar(select(ModelVersion.version).where(ModelVersion.stage.in_(TRIALS)))
    if to in TRIALS:
        if trial not in (None, version):
            raise Refused(f"version {trial} is on trial already; roll it back or promote it first")
        if one.key is None:
            raise Refused(f"version {version} has no archive here; import its folder first")
    if to == "production":
        _retire_production(session, by)
    session.execute(
        update(ModelVersion)
        .where(ModelVersion.version == version)
        .values(stage=to, share=(share or SHARE) if to == "canary" else None, staged_at=func.now(), staged_by=by)
    )
    event(
        session, "model.staged", f"model:{version}", actor=by, stage=to, before=before, why=as_id(why) if why else None
    )
    return before


def roll_back(session: Session, *, by: str, why: str = "") -> str:
    """Take back the version on trial or, without one, put the former into production again; the version that is retired
    by it. What it cleared is to be scanned again after the commit (`records.scans.rescan_cleared`).

    Raises Refused where there is nothing to take back.
    """
    now, before = standing(session), former(session)
    if now.trial is not None:
        stage(session, now.trial.version, "retired", by=by, why=why)
        return now.trial.version
    if before is None or now.production is None:
        raise Refused("no version is on trial, and none was in production before; there is nothing to take back")
    stage(session, before, "production", by=by, why=why)
    return now.production.version


def judges(session: Session, version: str) -> bool:
    """Whether what the version says may be written: not what one says that was rolled back meanwhile. Until the end of
    the transaction nobody rolls it back."""
    row = session.execute(
        select(ModelVersion.stage, ModelVersion.key).where(ModelVersion.version == version).with_for_update(read=True)
    ).one_or_none()
    return row is None or row.key is None or row.stage != "retired"


def used(session: Session, version: str) -> None:
    """A version judges documents here: one that the records don't know, or that stands aside, is in production from now
    on, unless they name one that is to be judged by instead."""
    now = standing(session)
    if version in {one.version for one in (now.production, now.trial) if one is not None}:
        return
    if now.production is None or now.production.key is None:
        record_model(session, version)


def standing(session: Session) -> Standing:
    """Which versions answer now."""
    rows = session.execute(
        select(ModelVersion.version, ModelVersion.stage, ModelVersion.key, ModelVersion.share).where(
            ModelVersion.stage.in_(("production", *TRIALS))
        )
    ).all()
    at = {row.stage: Staged(row.version, row.stage, row.key, row.share) for row in rows}
    return Standing(at.get("production"), at.get("shadow") or at.get("canary"))


def beginning(session: Session, start: str) -> list[str]:
    """The versions that begin with these letters."""
    query = select(ModelVersion.version).where(ModelVersion.version.startswith(start, autoescape=True))
    return list(session.scalars(query.order_by(ModelVersion.version)))


def former(session: Session) -> str | None:
    """The version that was in production before the present one; None where there was none."""
    return session.scalar(
        select(ModelVersion.version)
        .where(ModelVersion.stage == "retired", ModelVersion.lineage["was_production"].as_boolean())
        .order_by(ModelVersion.staged_at.desc())
        .limit(1)
    )


def _retire_production(session: Session, by: str) -> None:
    replaced = session.scalars(select(ModelVersion).where(ModelVersion.stage == "production").with_for_update()).all()
    for one in replaced:
        one.stage, one.staged_at, one.staged_by = "retired", func.now(), by
        one.lineage = {**one.lineage, "was_production": True}
        event(session, "model.staged", f"model:{one.version}", actor=by, stage="retired", before="production")
    session.flush()


def _lock(session: Session) -> None:
    session.execute(select(func.pg_advisory_xact_lock(MODEL_LOCK)))


def _said(stage: str) -> str:
    return {"candidate": "a candidate", "shadow": "in shadow", "canary": "a canary", "production": "in production"}.get(
        stage, stage
    )
