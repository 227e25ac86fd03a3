"""The instance of docvigil at a folder: whose services to use, and who started them.

Exactly one process owns the embedded services of a folder: it holds `instance.lock` and writes their addresses to
`instance.json` once they answer. Others that come while it runs use its services and are waited for before it stops
them. Locks are the kernel's (flock), so nothing is left behind by a process that was killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import structlog

from docvigil.embedded import postgres, redis
from docvigil.embedded.folders import Folders
from docvigil.embedded.supervisor import Child, Supervisor
from docvigil.settings import Settings

log = structlog.get_logger(__name__)

#: How long to wait for the services that another process is starting.
START_SECONDS = 90.0

#: How long the owner waits at its end for commands that still use its services.
LEAVE_SECONDS = 30.0


class InstanceBusy(RuntimeError):
    """Another process owns the instance; the message says which and what to do."""


@dataclass(frozen=True)
class Instance:
    """Addresses of the services. `processes` says whether watchers and workers run beside them; `owner` is the
    process that started embedded services, None for external ones."""

    database_url: str
    owner_url: str
    redis_url: str
    object_store: str
    processes: bool
    owner: int | None = None


Children = Callable[[Settings, Instance], Sequence[Child]]


@contextmanager
def running(settings: Settings, processes: Children | None = None) -> Iterator[Instance]:
    """Uses the configured services, or those of the instance that runs, or starts embedded ones for itself.

    `processes` gives the children that are needed beside services that are started here.
    """
    if settings.external:
        yield external(settings)
        return
    with _using(settings.home) as found:
        if found is not None:
            # Its owner may be a command that needed no more than the database.
            with _beside(processes(settings, found) if processes is not None and not found.processes else ()):
                yield found
            return
    with owned(settings, processes=processes is not None) as (instance, supervisor):
        if processes is not None:
            supervisor.start(processes(settings, instance))
        yield instance


@contextmanager
def owned(settings: Settings, *, processes: bool = False) -> Iterator[tuple[Instance, Supervisor]]:
    """Starts embedded services, up to date and ready, and stops them at the end. Raises InstanceBusy.

    With external services configured nothing but the supervisor is started.
    """
    # Alembic takes a while to import, and every command passes through this module.
    from records.migrate import upgrade

    settings.home.mkdir(parents=True, exist_ok=True)
    with _lock(settings.home) as lock:
        supervisor = Supervisor()
        try:
            instance = external(settings) if settings.external else _start(settings, supervisor, processes=processes)
            upgrade(instance.owner_url)
            _write(settings.home, instance)
            yield instance, supervisor
        finally:
            (settings.home / "instance.json").unlink(missing_ok=True)
            _wait_for_users(settings.home)
            supervisor.stop()
            lock.truncate(0)


@contextmanager
def _beside(children: Sequence[Child]) -> Iterator[None]:
    """Children of our own beside services of somebody else."""
    if not children:
        yield
        return
    supervisor = Supervisor()
    try:
        supervisor.start(children)
        yield
    finally:
        supervisor.stop()


def external(settings: Settings) -> Instance:
    """The configured services."""
    if settings.database_url is None or settings.redis_url is None:
        raise ValueError("no external services are configured")
    database = settings.database_url.get_secret_value()
    owner = settings.owner_database_url.get_secret_value() if settings.owner_database_url else database
    return Instance(database, owner, settings.redis_url.get_secret_value(), settings.objects, processes=True)


def _start(settings: Settings, supervisor: Supervisor, *, processes: bool) -> Instance:
    folders = Folders.of(settings.home)
    supervisor.start([postgres.child(folders), redis.child(folders)])
    postgres.create_database(folders)
    owner_url = postgres.url(folders, postgres.OWNER)
    return Instance(
        postgres.url(folders), owner_url, redis.url(folders), settings.objects, processes=processes, owner=os.getpid()
    )


@contextmanager
def _lock(home: Path) -> Iterator[IO[str]]:
    with (home / "instance.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise InstanceBusy(
                f"docvigil already runs in {home} ({holder}). Use that one, stop it first, or set DOCVIGIL_HOME to "
                "another folder."
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
        yield lock


@contextmanager
def _using(home: Path) -> Iterator[Instance | None]:
    """The instance that runs at a folder, which then stays until we have done; None where none does."""
    if not home.is_dir():
        yield None
        return
    until = time.monotonic() + START_SECONDS
    with (home / "users.lock").open("a") as users:
        while True:
            fcntl.flock(users, fcntl.LOCK_SH)
            if not _held(home):
                fcntl.flock(users, fcntl.LOCK_UN)
                yield None
                return
            instance = _read(home)
            if instance is not None:
                yield instance
                return
            # It is starting or stopping; the lock must not keep it from that.
            fcntl.flock(users, fcntl.LOCK_UN)
            if time.monotonic() > until:
                raise InstanceBusy(
                    f"docvigil in {home} has been starting for {START_SECONDS:.0f} seconds; see its logs"
                )
            time.sleep(0.1)


def _held(home: Path) -> bool:
    with (home / "instance.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _wait_for_users(home: Path) -> None:
    until = time.monotonic() + LEAVE_SECONDS
    with (home / "users.lock").open("a") as users:
        while time.monotonic() < until:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                time.sleep(0.05)
    log.warning("instance.users_left", seconds=LEAVE_SECONDS)


def _write(home: Path, instance: Instance) -> None:
    partial = home / "instance.json.new"
    partial.touch(mode=0o600)
    # External addresses hold passwords and are in everybody's environment anyway.
    shown = asdict(instance) if instance.owner is not None else {}
    partial.write_text(json.dumps(shown))
    partial.replace(home / "instance.json")


def _read(home: Path) -> Instance | None:
    try:
        values = json.loads((home / "instance.json").read_text())
    except FileNotFoundError:
        return None
    if not values:
        return None
    return Instance(**values) if _alive(values["owner"]) else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
