"""Bringing a database's tables to the version of this code, and back.

Run as the role that is to own the tables. The application works as another role (`docvigil`), which may read and
write ordinary tables but only read and append to the audit trail.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from records import (  # noqa: F401 - Their tables belong to `Base` too.
    desk_tables,
    drafts,
    labels,
    learning_tables,
    replies,
    signins,
    users,
)
from records.database import CONNECT_SECONDS, WrongServer, driver_url
from records.tables import APPEND_ONLY, Base

#: Two processes that start at once migrate one after the other.
MIGRATION_LOCK = 0x64766967_00000002
#: The oldest Postgres that has everything used here, as the server tells its version.
OLDEST_SERVER = 170000


def upgrade(url: str, revision: str = "head", *, application_role: str = "docvigil") -> None:
    """Migrate to a revision, in one transaction, and grant the application what it needs where its role exists."""
    _run(url, lambda config: command.upgrade(config, revision), application_role)


def downgrade(url: str, revision: str, *, application_role: str = "docvigil") -> None:
    """Go back to a revision; `base` removes every table with all that is in it."""
    _run(url, lambda config: command.downgrade(config, revision), application_role)


def current(url: str) -> str | None:
    """The revision that a database is at; None before the first."""
    database = create_engine(driver_url(url), poolclass=NullPool, connect_args={"connect_timeout": CONNECT_SECONDS})
    with database.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _run(url: str, move: Callable[[Config], None], application_role: str) -> None:
    database = create_engine(driver_url(url), poolclass=NullPool, connect_args={"connect_timeout": CONNECT_SECONDS})
    with database.begin() as connection:
        _check(connection)
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        config = Config()
        config.set_main_option("script_location", _scripts().replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        move(config)
        _grant(connection, application_role)


def _scripts() -> str:
    # The package's folder, wherever it is installed; naming it "migrations:" would import it by name from anywhere.
    found = find_spec("migrations")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("the package `migrations` is not installed; install docvigil again")
    return next(iter(found.submodule_search_locations))


def _check(connection: Connection) -> None:
    version = int(connection.scalar(text("SHOW server_version_num")))
    if version < OLDEST_SERVER:
        raise WrongServer(
            f"this Postgres is version {version // 10000}; docvigil needs {OLDEST_SERVER // 10000} or newer"
        )
    encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise WrongServer(f"this database is encoded in {encoding}; make one with ENCODING 'UTF8' for docvigil")


def _grant(connection: Connection, role: str) -> None:
    """Ordinary tables: read and write. The audit trail: read and append. Nothing is owned by the application."""
    here = connection.execute(
        text("SELECT rolname = current_user FROM pg_roles WHERE rolname = :role"), {"role": role}
    ).scalar()
    if here is None or here:
        return
    quoted = connection.dialect.identifier_preparer.quote(role)
    schema = connection.dialect.identifier_preparer.quote(connection.scalar(text("SELECT current_schema()")))
    present = set(connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")))
    for table in sorted(present):
        allowed = None
        if table in APPEND_ONLY:
            allowed = "SELECT, INSERT"
        elif table in Base.metadata.tables:
            allowed = "SELECT, INSERT, UPDATE, DELETE"
        elif table == "alembic_version":
            allowed = "SELECT"
        if allowed:
            connection.execute(text(f"REVOKE ALL ON {table} FROM {quoted}"))
            connection.execute(text(f"GRANT {allowed} ON {table} TO {quoted}"))
    connection.execute(text(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {quoted}"))
