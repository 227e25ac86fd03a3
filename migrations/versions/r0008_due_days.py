"""How many waiting documents are due on each day is tallied, so that those overdue need not be counted one by one."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

#: Every tally of a case; what is due on a day follows, by UTC, from this version on.
TALLY = """
CREATE OR REPLACE FUNCTION tally(one cases, by bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO tally_changes (dimension, key, change)
        SELECT 'stage', one.stage, by
        UNION ALL SELECT 'source', one.source_id::text, by
        UNION ALL SELECT 'assignee', coalesce(one.assignee, ''), by
        UNION ALL SELECT 'check', each, by FROM unnest(one.checks) each
        UNION ALL SELECT 'type', each, by FROM unnest(one.document_types) each{days}
$$
"""
DAYS = """
        UNION ALL SELECT 'due', to_char(one.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), by WHERE one.due_at IS NOT NULL"""

#: Comes first: it keeps writers out until the days that wait already are added.
TRIGGER = """
CREATE OR REPLACE TRIGGER cases_are_tallied_again AFTER UPDATE ON cases
    FOR EACH ROW WHEN (OLD.stage <> NEW.stage OR OLD.assignee IS DISTINCT FROM NEW.assignee{days})
    EXECUTE FUNCTION tally_case()
"""
MOVED = " OR OLD.due_at IS DISTINCT FROM NEW.due_at"

WAITING = """
INSERT INTO tallies (dimension, key, waiting)
SELECT 'due', to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), count(*)
  FROM cases WHERE waiting AND due_at IS NOT NULL GROUP BY 2
"""

BACK = """
DELETE FROM tally_changes WHERE dimension = 'due';
DELETE FROM tallies WHERE dimension = 'due';
"""


def upgrade() -> None:
    op.execute(TRIGGER.format(days=MOVED))
    op.execute(TALLY.format(days=DAYS))
    op.execute(WAITING)


def downgrade() -> None:
    op.execute(TRIGGER.format(days=""))
    op.execute(TALLY.format(days=""))
    op.execute(BACK)
