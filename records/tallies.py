"""How many documents wait at the desk, by check, type, source, assignee and stage: exact, and cheap at any size."""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from records.desk_filters import SOON, Filters
from records.desk_tables import Case

#: One process at a time folds.
FOLD_LOCK = 0x64766967_00000005

#: What is counted by; the assignee "" stands for nobody.
DIMENSIONS = ("stage", "check", "type", "source", "assignee")

#: So many documents are rather all read and sorted than looked for among everything that waits.
FEW = 400


def counts(session: Session) -> dict[str, dict[str, int]]:
    """How many cases wait, by dimension and key; keys without any are left out."""
    rows = session.execute(
        text("""
            SELECT dimension, key, sum(n)::bigint AS waiting
              FROM (SELECT dimension, key, waiting AS n FROM tallies
                    UNION ALL SELECT dimension, key, change FROM tally_changes) every
             GROUP BY dimension, key HAVING sum(n) <> 0 ORDER BY dimension, key
        """)
    )
    found: dict[str, dict[str, int]] = {dimension: {} for dimension in DIMENSIONS}
    for row in rows:
        found[row.dimension][row.key] = row.waiting
    return found


def few(session: Session, chosen: Filters) -> bool:
    """Whether no more than FEW of what waits can fit these filters, by the one of them that the fewest fit.

    The planner knows shares of all cases, most of which are decided, and takes for frequent what hardly waits.
    """
    given = {
        "stage": chosen.stage,
        "check": chosen.check,
        "type": chosen.doctype,
        "source": None if chosen.source_id is None else str(chosen.source_id),
        "assignee": chosen.assignee,
    }
    keys = {dimension: key for dimension, key in given.items() if key is not None}
    if not keys:
        return False
    fewest = session.scalar(
        text("""
            SELECT min(coalesce((SELECT waiting FROM tallies t WHERE (t.dimension, t.key) = (g.dimension, g.key)), 0)
                       + coalesce((SELECT sum(change) FROM tally_changes c
                                    WHERE (c.dimension, c.key) = (g.dimension, g.key)), 0))
              FROM unnest(CAST(:dimensions AS text[]), CAST(:keys AS text[])) g (dimension, key)
        """),
        {"dimensions": list(keys), "keys": list(keys.values())},
    )
    return fewest is not None and fewest <= FEW


def due(session: Session) -> dict[str, int]:
    """How many waiting documents are `overdue`, and how many are due `soon`."""
    now = func.now()
    row = session.execute(
        select(
            func.count().filter(Case.due_at < now).label("overdue"),
            func.count().filter(Case.due_at >= now).label("soon"),
        ).where(Case.waiting, Case.due_at < now + SOON)
    ).one()
    return {"overdue": row.overdue, "soon": row.soon}


def fold(session: Session, limit: int = 20_000) -> int:
    """Add changes to the tallies; how many it was. 0 also when another process is at it."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(FOLD_LOCK))):
        return 0
    done = session.execute(
        text("""
            WITH gone AS (
                DELETE FROM tally_changes WHERE id IN (SELECT id FROM tally_changes ORDER BY id LIMIT :limit)
                RETURNING dimension, key, change),
            added AS (
                INSERT INTO tallies (dimension, key, waiting)
                SELECT dimension, key, sum(change) FROM gone GROUP BY dimension, key
                ON CONFLICT (dimension, key) DO UPDATE SET waiting = tallies.waiting + excluded.waiting)
            SELECT count(*) FROM gone
        """),
        {"limit": limit},
    )
    return int(done.scalar_one())
