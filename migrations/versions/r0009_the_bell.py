"""A scan that comes to the outbox, or comes back to it, rings for the relay."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION ring() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY outbox;
    RETURN NULL;
END $$
"""

#: Many rings of one transaction are one.
COMES = """
CREATE TRIGGER outbox_rings AFTER INSERT ON outbox
    FOR EACH ROW WHEN (NEW.published_at IS NULL) EXECUTE FUNCTION ring()
"""
COMES_BACK = """
CREATE TRIGGER outbox_rings_again AFTER UPDATE OF published_at, priority ON outbox
    FOR EACH ROW WHEN (NEW.published_at IS NULL) EXECUTE FUNCTION ring()
"""


def upgrade() -> None:
    op.execute(FUNCTION)
    op.execute(COMES)
    op.execute(COMES_BACK)


def downgrade() -> None:
    op.execute("DROP TRIGGER outbox_rings_again ON outbox")
    op.execute("DROP TRIGGER outbox_rings ON outbox")
    op.execute("DROP FUNCTION ring()")
