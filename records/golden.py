"""The golden set: examples that two people agreed on, by which versions of the model are compared.

A set is frozen: its examples keep their answers, and no document of it is learned from. It grows by a later set, which
holds the former's examples too. Crops of identifiers leave it when their time is over.
"""

from __future__ import annotations

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from records.audit import event
from records.canonical import digest
from records.learning_tables import GoldenSet, LearningExample, Training
from records.words import Refused


def freeze(session: Session, *, by: str) -> GoldenSet:
    """Freezes the former set's examples and those that two people agreed on since, of documents that no training here
    has seen. Raises Refused where nothing would be added."""
    # What a training gathers stands there before it ends.
    trained = session.scalar(
        select(func.max(func.coalesce(Training.finished_at, func.now()))).where(Training.started_at.is_not(None))
    )
    unseen = [] if trained is None else [or_(LearningExample.held_out, LearningExample.created_at > trained)]
    new = session.scalars(
        select(LearningExample).where(
            LearningExample.confirmed,
            LearningExample.set_aside.is_(None),
            LearningExample.golden_set_id.is_(None),
            *unseen,
        )
    ).all()
    if not new:
        raise Refused(
            "there is no new example that two people agreed on; have classes decided by two (DOCVIGIL_FOUR_EYES)"
        )
    old = session.scalars(select(LearningExample).where(LearningExample.golden_set_id.is_not(None))).all()
    every = sorted([one.picture, one.kind, one.state, one.value or "", one.label or ""] for one in [*old, *new])
    frozen = GoldenSet(digest=digest(every), examples=len(every), frozen_by=by)
    session.add(frozen)
    session.flush()
    documents = {one.document_id for one in new}
    session.execute(update(LearningExample).where(LearningExample.document_id.in_(documents)).values(held_out=True))
    session.execute(
        update(LearningExample).where(LearningExample.id.in_([one.id for one in new])).values(golden_set_id=frozen.id)
    )
    event(session, "golden.frozen", f"golden:{frozen.id}", actor=by, examples=len(every), digest=frozen.digest)
    return frozen


def sets(session: Session) -> list[GoldenSet]:
    """Every set, the newest first."""
    return list(session.scalars(select(GoldenSet).order_by(GoldenSet.id.desc())))
