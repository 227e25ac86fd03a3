"""Alembic's script location; `records.migrate` runs it, also from an installed wheel."""
