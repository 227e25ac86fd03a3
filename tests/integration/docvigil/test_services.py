"""Embedded services keep their promises."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from docvigil.embedded import folders as embedded_folders
from docvigil.embedded import postgres as embedded
from docvigil.embedded import supervisor as supervision
from docvigil.embedded.folders import Folders
from docvigil.embedded.supervisor import Child, StartFailed, Supervisor
from docvigil.instance import Instance, InstanceBusy, owned, running
from docvigil.settings import Settings
from tests.services import open_folder

OWNER = """
import sys, time
from pathlib import Path
from docvigil import logging
from docvigil.instance import owned
from docvigil.settings import Settings
from tests.services import open_folder
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
def home() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder / "home"


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


def test_two_instances_side_by_side_and_long_paths(home: Path) -> None:
    deep = home.parent / ("a" * 90) / "home"
    with running(Settings(home=home)) as one, running(Settings(home=deep)) as two:
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
    elsewhere = Folders.of(home).postgres
    if not elsewhere.is_relative_to(home):
        shutil.rmtree(elsewhere.parent)


def test_a_database_outlives_a_move_of_its_folder_but_not_its_removal(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = home.parent / "shared"
    monkeypatch.setattr(embedded_folders, "SHARED", shared)
    # As for root, whatever user runs the tests.
    monkeypatch.setattr(embedded_folders, "reachable", lambda path: False)
    monkeypatch.setattr(Folders, "own", lambda self, folder: folder.mkdir(parents=True, exist_ok=True))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    first = Folders.of(home).postgres
    (first / "data").mkdir()
    assert first.is_relative_to(shared) and Folders.of(home).postgres == first
    moved = home.rename(home.with_name("moved"))
    assert Folders.of(moved).postgres == first
    anew = Folders.of(home).postgres
    assert anew.is_relative_to(shared) and anew != first, "another folder of the same name begins anew"
    assert (Folders.of(moved).postgres / "data").is_dir()
    (home / "postgres").unlink()
    (home / "postgres").mkdir()
    with pytest.raises(PermissionError, match=r"chmod o\+x"):
        Folders.of(home)


def sleeper(settings: Settings, instance: Instance) -> list[Child]:
    """Stands for workers: notes its process, then sleeps."""
    note = f"import os, time; open({str(settings.home / 'worker')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    return [Child(name="worker", command=[sys.executable, "-c", note], log=settings.home / "logs" / "worker.err")]


def test_a_command_brings_the_processes_that_an_owner_without_them_has_not(home: Path) -> None:
    settings, pid = Settings(home=home), home / "worker"
    with owned(settings), running(settings, sleeper) as instance:
        until(lambda: pid.exists() and bool(pid.read_text()))
        assert alive(int(pid.read_text()))
        assert answers(instance)
    assert not alive(int(pid.read_text()))
    pid.unlink()
    with owned(settings, processes=True), running(settings, sleeper) as instance:
        assert answers(instance)
        assert not pid.exists(), "the owner has workers of its own"


def test_a_command_alone_brings_services_and_processes(home: Path) -> None:
    settings, pid = Settings(home=home), home / "worker"
    with running(settings, sleeper) as instance:
        until(lambda: pid.exists() and bool(pid.read_text()))
        assert instance.processes and answers(instance)
    assert not alive(int(pid.read_text()))


def test_an_owner_waits_for_those_who_use_its_services(home: Path) -> None:
    settings = Settings(home=home)
    ended = threading.Event()
    owner = owned(settings)
    instance, supervisor = owner.__enter__()
    pids = list(supervisor.pids().values())
    with running(settings) as used:
        leaver = threading.Thread(target=lambda: (owner.__exit__(None, None, None), ended.set()))
        leaver.start()
        assert not ended.wait(1.0)
        assert answers(used) and used == instance
    leaver.join()
    assert not any(alive(pid) for pid in pids)


def test_a_child_that_will_not_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    supervisor = Supervisor()
    words = "import sys; print('no such disk'); sys.exit(3)"
    child = Child(
        name="broken",
        command=[sys.executable, "-c", words],
        log=tmp_path / "broken.log",
        ready=lambda: False,
        start_seconds=3.0,
    )
    try:
        with pytest.raises(StartFailed, match=r"broken did not start within 3 seconds: .*no such disk"):
            supervisor.start([child])
    finally:
        supervisor.stop()


def test_children_are_killed_where_they_do_not_end_and_long_logs_are_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "LOG_BYTES", 10)
    monkeypatch.setattr(supervision, "LOG_LOOK_SECONDS", 0.2)
    own = tmp_path / "own.log"
    own.write_text("more than ten bytes")
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    child = Child(
        name="deaf",
        command=[sys.executable, "-c", deaf],
        log=tmp_path / "deaf.err",
        also_rotated=[own],
        stop_seconds=0.5,
    )
    supervisor = Supervisor()
    supervisor.start([child])
    try:
        until(lambda: child.log.exists() and "deaf" in child.log.read_text())
        until(lambda: (tmp_path / "own.log.1").exists())
        (pid,) = supervisor.pids().values()
    finally:
        supervisor.stop()
    assert not alive(pid)


def test_a_child_that_ends_again_and_again_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine must not make every start count as a long life.
    monkeypatch.setattr(supervision, "LONG_LIFE", 600.0)
    words = "import sys; print('no model there'); sys.exit(2)"
    supervisor = Supervisor()
    supervisor.start([Child(name="broken", command=[sys.executable, "-c", words], log=tmp_path / "broken.err")])
    try:
        assert supervisor.troubled() == {}
        until(lambda: "broken" in supervisor.troubled())
        assert "no model there" in supervisor.troubled()["broken"]
    finally:
        supervisor.stop()
