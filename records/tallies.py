"""How many documents wait at the desk, by check, type, source, assignee and stage: exact, and cheap at any size."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from records.desk_filters import ALL, SOON, Filters

#: One process at a time folds.
FOLD_LOCK = 0x64766967_00000005

#: What is counted by; the assignee "" stands for nobody. Days on which something is due are counted too, by UTC.
DIMENSIONS = ("stage", "check", "type", "source", "assignee")

#: Documents of a page, and the one after it.
PAGE = 51


@dataclass(frozen=True, slots=True)
class Fitting:
    """How many documents fit some filters: at least `least`, at most `most` of all that are `waiting`, whoever they are
    for. `later` are those past the first decision, of any filter: not everybody sees them."""

    waiting: int
    later: int
    least: int
    most: int

    @property
    def few(self) -> bool:
        """Whether those that fit are rather all read and sorted than looked for along the queue in its order, which
        takes PAGE / most of all that waits."""
        return self.most * self.most <= PAGE * self.waiting


def counts(session: Session) -> dict[str, dict[str, int]]:
    """How many cases wait, by dimension and key; keys without any are left out."""
    rows = session.execute(
        text("""
            SELECT dimension, key, sum(n)::bigint AS waiting
              FROM (SELECT dimension, key, waiting AS n FROM tallies
                    UNION ALL SELECT dimension, key, change FROM tally_changes) every
             WHERE dimension <> 'due'
             GROUP BY dimension, key HAVING sum(n) <> 0 ORDER BY dimension, key
        """)
    )
    found: dict[str, dict[str, int]] = {dimension: {} for dimension in DIMENSIONS}
    for row in rows:
        found[row.dimension][row.key] = row.waiting
    return found


def few(session: Session, chosen: Filters) -> bool:
    """Whether so few documents fit that all of them are rather read and sorted."""
    return chosen != ALL and fitting(session, chosen).few


def fitting(session: Session, chosen: Filters) -> Fitting:
    """How many of what waits fit these filters, as far as the tallies tell.

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
    every = counts(session)
    waiting = sum(every["stage"].values())
    each = [every[dimension].get(key, 0) for dimension, key in keys.items()]
    beside = chosen != Filters(chosen.check, chosen.doctype, chosen.source_id, chosen.assignee, stage=chosen.stage)
    return Fitting(
        waiting=waiting,
        later=waiting - every["stage"].get("open", 0),
        # Those that fit one filter and not another are no more than those that don't fit the other.
        least=0 if beside else max(0, waiting - sum(waiting - one for one in each)),
        most=min([waiting, *each]),
    )


def due(session: Session) -> dict[str, int]:
    """How many waiting documents are `overdue`, and how many are due `soon`: of the days before today as tallied."""
    row = session.execute(
        text("""
            SELECT (SELECT coalesce(sum(n), 0)
                      FROM (SELECT dimension, key, waiting AS n FROM tallies
                            UNION ALL SELECT dimension, key, change FROM tally_changes) every
                     WHERE dimension = 'due' AND key < to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD'))::bigint
                   + count(*) FILTER (WHERE due_at < now()) AS overdue,
                   count(*) FILTER (WHERE due_at >= now()) AS soon
              FROM cases WHERE waiting AND due_at >= date_trunc('day', now(), 'UTC') AND due_at < now() + :soon
        """),
        {"soon": SOON},
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
    folded = int(done.scalar_one())
    if folded:
        # Days come and go.
        session.execute(text("DELETE FROM tallies WHERE dimension = 'due' AND waiting = 0"))
    return folded
