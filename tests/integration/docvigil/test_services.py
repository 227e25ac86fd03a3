"""Embedded services keep their promises."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from docvigil.embedded import postgres as embedded
from docvigil.embedded.folders import Folders
from docvigil.instance import Instance, InstanceBusy, owned, running
from docvigil.settings import Settings

OWNER = """
import sys, time
from pathlib import Path
from docvigil import logging
from docvigil.instance import owned
from docvigil.settings import Settings
logging.set_up()
with owned(Settings(home=Path(sys.argv[1]))) as (instance, supervisor):
    print(*supervisor.pids().values(), flush=True)
    time.sleep(600)
"""


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def answers(instance: Instance) -> bool:
    try:
        with psycopg.connect(instance.database_url, connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_the_application_owns_no_table(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        owners = session.scalars(text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")).all()
    assert owners == [embedded.OWNER]


def test_data_stays_and_a_second_owner_is_refused(home: Path) -> None:
    settings = Settings(home=home)
    with owned(settings) as (instance, supervisor):
        with psycopg.connect(instance.owner_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        with running(settings) as same:
            assert same == instance
        with pytest.raises(InstanceBusy, match=rf"already runs in .*process {os.getpid()}"), owned(settings):
            pass
        pids = list(supervisor.pids().values())
    assert not any(alive(pid) for pid in pids)
    with running(settings) as again, psycopg.connect(again.owner_url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_services_are_restarted_when_they_die(home: Path) -> None:
    with owned(Settings(home=home)) as (instance, supervisor):
        before = supervisor.pids()
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(supervisor.pids()) == 2 and not set(supervisor.pids().values()) & set(before.values()))
        until(lambda: answers(instance))


def test_services_go_with_a_parent_that_is_killed(home: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", OWNER, str(home)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not any(alive(pid) for pid in pids))
    with running(Settings(home=home)) as instance:
        assert answers(instance)


def test_two_instances_side_by_side_and_long_paths(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 90) / "home"
    with running(Settings(home=tmp_path / "one")) as one, running(Settings(home=deep)) as two:
        assert answers(one)
        assert answers(two)
        assert one.database_url != two.database_url
        folders = Folders.of(deep)
        assert len(os.fsencode(folders.sockets / ".s.PGSQL.5432.lock")) < 107


def test_postgres_never_runs_as_root(home: Path) -> None:
    home.mkdir(mode=0o700)
    expected = "nobody" if os.geteuid() == 0 else psutil.Process().username()
    with owned(Settings(home=home)) as (instance, supervisor):
        assert psutil.Process(supervisor.pids()["postgres"]).username() == expected
        assert answers(instance)
