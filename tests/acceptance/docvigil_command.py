"""The real command in a process of its own, as a user would type it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

#: A busy machine with two cores starts everything, and reads a handful of documents, in less.
PATIENCE_SECONDS = 240.0


@dataclass
class DocVigil:
    """`docvigil` with a folder of its own."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Ours without settings of docvigil, since what a developer has set is nobody else's business."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DOCVIGIL_")}
        return {**kept, "DOCVIGIL_HOME": str(self.home), **self.settings}

    def run(self, *arguments: str | bytes | Path) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "docvigil", *arguments],
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def lines(self, *arguments: str | bytes | Path) -> tuple[int, list[dict[str, Any]]]:
        """Runs a command that prints JSON; its exit code and the objects."""
        done = self.run(*arguments)
        assert done.returncode in (0, 1, 2), done.stderr
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def up(self, *arguments: str | Path) -> Up:
        return Up(self, arguments)


class Up:
    """`docvigil up` as it runs; a context that stops it."""

    def __init__(self, command: DocVigil, arguments: Sequence[str | Path]) -> None:
        command.home.mkdir(parents=True, exist_ok=True)
        self.output = command.home / "up.out"
        self.started_at = time.monotonic()
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "docvigil", "up", *arguments],
                env=command.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def until_it_says(self, words: str, times: int = 1, seconds: float = PATIENCE_SECONDS) -> None:
        until(lambda: self.said.count(words) >= times or self.process.poll() is not None, seconds, lambda: self.said)
        assert self.said.count(words) >= times, self.said

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends a signal and waits for the end; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def __enter__(self) -> Up:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def gone(processes: Sequence[psutil.Process], seconds: float = 60.0) -> bool:
    """Whether these processes end, or have ended, within a time. One that nobody has waited for counts as ended."""
    until(lambda: not any(_lives(one) for one in processes), seconds, lambda: str([p for p in processes if _lives(p)]))
    return True


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], bool], seconds: float, what: Callable[[], str] = lambda: "waited in vain") -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.1)
