"""A ring of the outbox says how urgent the scan is that came there."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

#: Rings of one transaction that say the same are one.
FUNCTION = """
CREATE OR REPLACE FUNCTION ring() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {rings};
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute(FUNCTION.format(rings="PERFORM pg_notify('outbox', NEW.priority::text)"))


def downgrade() -> None:
    op.execute(FUNCTION.format(rings="NOTIFY outbox"))
