"""Keeps child processes running: started in order, restarted when they die, stopped in order, gone with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

#: Seconds between a death and the next start; doubles up to the limit, starts over after a long life.
FIRST_WAIT, LONGEST_WAIT, LONG_LIFE = 0.3, 10.0, 30.0

#: Whoever waits so long for the next start has ended three times in a row.
TROUBLED_WAIT = FIRST_WAIT * 2**3

#: How often children are looked at, in seconds.
LOOK_SECONDS = 0.1

#: A log larger than this is renamed to `<name>.1`, in place of the one before.
LOG_BYTES = 20 * 2**20

LOG_LOOK_SECONDS = 20.0


class StartFailed(RuntimeError):
    """A child can't be started or did not become ready; the message says why, or has its last words."""


@dataclass(frozen=True)
class Child:
    """A process to keep running.

    `ready` says whether it serves (None: at once). `stop_signal` asks it to end; `death_signal` reaches it when this
    process dies. `user` is whom it runs as. Its output goes to `log`; `also_rotated` are logs that it writes by itself,
    and opens anew when they are renamed.
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    user: str | None = None
    also_rotated: Sequence[Path] = ()
    stop_seconds: float = 20.0
    start_seconds: float = 60.0


@dataclass
class _Running:
    child: Child
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    wait: float = FIRST_WAIT
    start_at: float = 0.0
    starts: int = 0


class Supervisor:
    """One thread starts and watches all children: the kernel ties a child's life to the thread that made it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, _Running] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="supervisor", daemon=True)
        self._thread.start()

    def start(self, children: Sequence[Child]) -> None:
        """Starts children one after another, each when the one before is ready. Raises StartFailed."""
        for child in children:
            running = _Running(child)
            with self._lock:
                self._running[child.name] = running
            self._await(running)

    def _await(self, running: _Running) -> None:
        child, until = running.child, time.monotonic() + running.child.start_seconds
        while time.monotonic() < until and not self._stop.is_set():
            alive = running.process is not None and running.process.poll() is None
            if alive and (child.ready is None or child.ready()):
                log.debug("child.ready", child=child.name)
                return
            time.sleep(0.03)
        raise StartFailed(
            f"{child.name} did not start within {child.start_seconds:.0f} seconds: {last_words(child.log)}"
        )

    def pids(self) -> dict[str, int]:
        """The process of each child that runs now."""
        with self._lock:
            return {
                name: one.process.pid
                for name, one in self._running.items()
                if one.process is not None and one.process.poll() is None
            }

    def starts(self) -> dict[str, int]:
        """How often each child was started."""
        with self._lock:
            return {name: one.starts for name, one in self._running.items()}

    def troubled(self) -> dict[str, str]:
        """The last words of children that end again and again, each time soon after their start."""
        with self._lock:
            logs = {name: one.child.log for name, one in self._running.items() if one.wait >= TROUBLED_WAIT}
        return {name: last_words(log) for name, log in logs.items()}

    def stop(self) -> None:
        """Stops all children and waits for each: those that serve nobody, then the others, the last started first.
        Safe to call twice."""
        self._stop.set()
        self._thread.join()

    def _loop(self) -> None:
        rotate_at = time.monotonic() + LOG_LOOK_SECONDS
        while not self._stop.wait(LOOK_SECONDS):
            with self._lock:
                for running in self._running.values():
                    self._look_after(running)
                if time.monotonic() > rotate_at:
                    rotate_at = time.monotonic() + LOG_LOOK_SECONDS
                    for running in self._running.values():
                        for path in (running.child.log, *running.child.also_rotated):
                            _rotate(path)
        # Stopped here and not in `stop`: the end of this thread is a parent's death to the kernel.
        # Nobody waits for a child that serves nobody, so all of those may end at the same time.
        working = [one for one in self._running.values() if one.child.ready is None]
        serving = [one for one in self._running.values() if one.child.ready is not None]
        for running in working:
            _ask(running)
        for running in working:
            _end(running)
        for running in reversed(serving):
            _ask(running)
            _end(running)

    def _look_after(self, running: _Running) -> None:
        now = time.monotonic()
        process = running.process
        if process is not None:
            if process.poll() is None:
                if now - running.started_at > LONG_LIFE:
                    running.wait = FIRST_WAIT
                return
            log.warning("child.died", child=running.child.name, pid=process.pid, status=process.returncode)
            running.process = None
            running.start_at = now + running.wait
            running.wait = min(LONGEST_WAIT, running.wait * 2)
        if now >= running.start_at:
            running.process = _launch(running.child)
            running.started_at = now
            running.starts += 1
            log.info("child.started", child=running.child.name, pid=running.process.pid)


def last_words(path: Path, lines: int = 5) -> str:
    """The end of a log, for a message."""
    try:
        text = path.read_text(errors="replace")[-2000:].strip()
    except OSError as error:
        return f"its log can't be read ({error})"
    return " / ".join(text.splitlines()[-lines:]) or f"it said nothing; its log is {path}"


def _launch(child: Child) -> subprocess.Popen[bytes]:
    leash = [sys.executable, "-m", "docvigil.embedded.leash", str(os.getpid()), str(int(child.death_signal))]
    command = [*leash, *([child.user] if child.user else []), "--", *child.command]
    child.log.parent.mkdir(parents=True, exist_ok=True)
    with child.log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C in the terminal is ours to handle; children are stopped in order.
            start_new_session=True,
            # `nobody` may not be allowed to stand where we do.
            cwd="/",
            env={**os.environ, **child.environment},
        )


def _ask(running: _Running) -> None:
    """Asks a child to end."""
    if running.process is not None and running.process.poll() is None:
        running.process.send_signal(running.child.stop_signal)


def _end(running: _Running) -> None:
    """Waits for a child that was asked to end, and kills it if it takes too long."""
    process, child = running.process, running.child
    if process is None or process.poll() is not None:
        return
    try:
        process.wait(child.stop_seconds)
    except subprocess.TimeoutExpired:
        log.warning("child.killed", child=child.name, after_seconds=child.stop_seconds)
        process.kill()
        process.wait()


def _rotate(path: Path) -> None:
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_name(path.name + ".1"))
