"""An example may come of a label, and says of which."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FORWARD = """
ALTER TABLE examples ADD COLUMN label_id bigint;
ALTER TABLE examples ADD CONSTRAINT examples_label_id_fkey FOREIGN KEY (label_id) REFERENCES labels (id);
ALTER TABLE examples ADD CONSTRAINT examples_one_origin CHECK (num_nonnulls(review_id, label_id) < 2);
CREATE INDEX examples_label ON examples (label_id) WHERE label_id IS NOT NULL;
"""

#: The version before would take a label for a decision that nobody can find, and export it so.
BACK = """
DELETE FROM examples WHERE label_id IS NOT NULL;
ALTER TABLE examples DROP COLUMN label_id;
"""


def upgrade() -> None:
    op.execute(FORWARD)


def downgrade() -> None:
    op.execute(BACK)
