"""Indexes that keep a narrowed queue as quick as the whole one, however many documents there are."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

#: Every index of what waits serves every query for what waits, and one that says no more than that looks cheapest
#: where its order is that of the table. `cases_due` was read from end to end so; now it serves due times alone.
NARROW = """
DROP INDEX cases_of_source;
CREATE INDEX cases_of_source ON cases (source_id, (- priority), (- risk), scan_id) WHERE waiting;
CREATE INDEX cases_of_stage ON cases (stage, (- priority), (- risk), scan_id) WHERE waiting;
DROP INDEX cases_due;
CREATE INDEX cases_due ON cases (due_at) WHERE waiting AND due_at IS NOT NULL;
CREATE INDEX cases_never_due ON cases ((- priority), (- risk), scan_id) WHERE waiting AND due_at IS NULL;
"""

#: Without them the planner takes a third of the table for any range of risk: of an index's expressions it knows
#: something only where the index is of all rows.
STATISTICS = "CREATE STATISTICS cases_negated ON (- priority), (- risk) FROM cases"

BEFORE = """
DROP INDEX cases_of_source;
CREATE INDEX cases_of_source ON cases (source_id) WHERE waiting;
DROP INDEX cases_of_stage;
DROP INDEX cases_never_due;
DROP INDEX cases_due;
CREATE INDEX cases_due ON cases (due_at) WHERE waiting;
"""


def upgrade() -> None:
    op.execute(NARROW)
    op.execute(STATISTICS)


def downgrade() -> None:
    op.execute("DROP STATISTICS cases_negated")
    op.execute(BEFORE)
