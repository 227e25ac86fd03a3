"""Running the programs of a training: on a tether, watched, with their last words kept.

They need none of docvigil's secrets and get none: of its settings only what is named. They stand in the folder of their
logs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from workers import tether

log = structlog.get_logger(__name__)

#: Seconds between two looks at a program, and those it has to end after it was asked to.
LOOK_SECONDS, END_SECONDS = 0.5, 40.0

#: Signs of a log's end that are quoted, and its lines.
QUOTED_SIGNS, QUOTED_LINES = 600, 3


class Asked(RuntimeError):
    """The worker was asked to stop: the work is given back."""


class Killed(RuntimeError):
    """A program was killed from outside; it can be started again."""


class Failed(RuntimeError):
    """A program can't do its work; the text is a sentence for a person."""


@dataclass(frozen=True)
class Program:
    """A command, where what it says is kept, and its limits."""

    name: str
    words: Sequence[str]
    log: Path
    memory_bytes: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)


def run(program: Program, *, look: Callable[[], None], stop: threading.Event, seconds: float) -> None:
    """Runs it to its end; `look` is called again and again meanwhile, and ends it by raising.

    Raises Asked once `stop` is set, Killed, and Failed, also after so many seconds.
    """
    words = tether.command(program.words, memory_bytes=program.memory_bytes)
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with program.log.open("ab") as output:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(program.settings),
            cwd=program.log.parent,
            start_new_session=True,
        )
    log.info("program.started", program=program.name, pid=process.pid)
    try:
        _watch(process, program, look, stop, seconds)
    finally:
        _end(process)
    status = process.returncode
    log.info("program.ended", program=program.name, status=status)
    if status == 0:
        return
    if stop.is_set():
        raise Asked()
    if status > 128 or status < 0:
        raise Killed(f"{program.name} was killed ({_how(status)})")
    raise Failed(f"{program.name} ended with status {status}: {last_words(program.log)}")


def _watch(
    process: subprocess.Popen[bytes],
    program: Program,
    look: Callable[[], None],
    stop: threading.Event,
    seconds: float,
) -> None:
    until = time.monotonic() + seconds
    while process.poll() is None and not stop.is_set():
        look()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_SECONDS)
            return
        if time.monotonic() > until:
            raise Failed(f"{program.name} was not done in time; DOCVIGIL_RETRAIN_HOURS gives a training more")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks a program that still runs to end, then ends it with everything that it started."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)
        return
    process.send_signal(signal.SIGINT)
    process.wait()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if not name.startswith("DOCVIGIL_")}, **settings}


def _how(status: int) -> str:
    number = -status if status < 0 else status - 128
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"status {status}"


def last_words(path: Path) -> str:
    """The end of a log, for a message."""
    try:
        text = path.read_text(errors="replace").strip()
    except OSError as error:
        return f"its log can't be read ({error.strerror})"
    lines = [line.strip() for line in text.splitlines() if line.strip()][-QUOTED_LINES:]
    return " / ".join(lines)[-QUOTED_SIGNS:] or "it said nothing"
