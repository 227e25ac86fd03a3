"""Examples that are kept of what reviewers taught: written down for a training, counted, removed in time.

`records/gathering.py` makes them of decisions; what may be one is said by `pipeline.feedback`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import structlog
from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from pipeline import feedback
from pipeline.feedback import Example
from records.labels import Label
from records.learning_tables import LearningExample
from records.objects import Missing, ObjectStore
from records.tables import Review

log = structlog.get_logger(__name__)

#: What may be learned from, what versions are compared by, and what was held out besides.
Side = Literal["train", "golden", "fresh"]


def write_folder(session: Session, store: ObjectStore, folder: Path, side: Side) -> int:
    """Writes the examples of a side as a folder of feedback (`docs/feedback.md`); how many.

    `train` is what may be learned from, `golden` what versions are compared by, `fresh` what was held out besides.
    Whatever was set aside is in none but the golden set, which it can't be in.
    """
    rows = session.scalars(select(LearningExample).where(*_of_side(side)).order_by(LearningExample.id)).all()
    count = 0
    for row in rows:
        try:
            data = store.get(row.key)
        except Missing:
            log.error("example.picture_missing", number=row.id)
            continue
        feedback.add(folder, as_example(row), data)
        count += 1
    return count


def as_example(row: LearningExample) -> Example:
    """A row as `pipeline.feedback` has it."""
    return Example.model_validate(
        {
            "file_name": f"{feedback.PICTURES}/{row.picture}.png",
            "kind": row.kind,
            "state": row.state,
            "value": row.value,
            "label": row.label,
            "cells": row.cells,
            "identifier": row.identifier,
            "check": row.check,
            "document": row.document_id,
            "review": str(row.review_id) if row.label_id is None else f"label-{row.label_id}",
            "model_version": row.model_version,
        }
    )


def counted(session: Session) -> dict[str, dict[str, int]]:
    """How many examples there are, by defect class: to learn from (`train`), `golden`, `fresh`, `set_aside`, and labels
    that are `waiting` for the golden set to hold their class."""
    told: dict[str, dict[str, int]] = {}
    sides: list[tuple[str, Collection[Any]]] = [(side, _of_side(side)) for side in ("train", "golden", "fresh")]
    sides.append(("set_aside", (LearningExample.set_aside.is_not(None),)))
    sides.append(("waiting", (*_learned(), ~_comparable())))
    for name, condition in sides:
        rows = session.execute(select(LearningExample.check, func.count()).where(*condition).group_by("check"))
        for check, count in rows:
            told.setdefault(check, {})[name] = count
    return dict(sorted(told.items()))


def expire(session: Session, store: ObjectStore, *, keep_days: int | None = None, now: datetime | None = None) -> int:
    """Removes examples that were taken back or labelled anew, and crops of identifiers that were kept long enough, with
    their pictures; how many. Where `keep_days` is shorter than it was when they were gathered, the shorter one counts.
    `now` is the database's clock unless it is given."""
    clock: Any = func.now() if now is None else now
    old = [LearningExample.expires_at < clock]
    if keep_days is not None:
        old.append(
            LearningExample.expires_at.is_not(None) & (LearningExample.created_at < clock - timedelta(days=keep_days))
        )
    gone = session.execute(
        delete(LearningExample)
        .where(
            or_(
                *old,
                LearningExample.golden_set_id.is_(None)
                & (
                    LearningExample.review_id.in_(select(Review.id).where(Review.withdrawn_at.is_not(None)))
                    | exists().where(
                        Label.document_id == LearningExample.document_id, Label.id > LearningExample.label_id
                    )
                ),
            )
        )
        .returning(LearningExample.key)
    ).all()
    still = set(session.scalars(select(LearningExample.key).where(LearningExample.key.in_([one.key for one in gone]))))
    for key in {one.key for one in gone} - still:
        store.delete(key)
    return len(gone)


def _of_side(side: str) -> tuple[Any, ...]:
    if side == "golden":
        return (LearningExample.golden_set_id.is_not(None),)
    if side == "train":
        return (*_learned(), _comparable())
    return (LearningExample.held_out, LearningExample.golden_set_id.is_(None), LearningExample.set_aside.is_(None))


def _learned() -> tuple[Any, ...]:
    """What may be learned from, as far as it goes by itself."""
    return (~LearningExample.held_out, LearningExample.golden_set_id.is_(None), LearningExample.set_aside.is_(None))


def _comparable() -> Any:
    """Whether it is no label, or the golden set holds its class. A label of a form brings in every class at once, and
    of one that was learned from the gate wants to see that it became no worse."""
    golden = aliased(LearningExample)
    held = select(golden.check).where(golden.golden_set_id.is_not(None))
    return or_(LearningExample.label_id.is_(None), LearningExample.check.in_(held), ~held.exists())
