"""Runs the migrations on the connection that `records.migrate` hands over, in its transaction."""

from alembic import context

from records.tables import Base

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Run migrations with `docvigil migrate`: it takes the lock and gives the grants.")

context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
