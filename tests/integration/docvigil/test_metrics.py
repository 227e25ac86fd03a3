"""Metrics of the processes, scraped as Prometheus would."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.integration.records.steps import document

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def environment(database_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCVIGIL_", "PROMETHEUS_"))}
    own = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "HOME": str(tmp_path / "home")}
    return {**kept, **{f"DOCVIGIL_{name}": value for name, value in own.items()}}


@contextmanager
def running(environment: dict[str, str], *words: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "docvigil", *words], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def scraped(port: int, sample: str) -> float:
    """The value of a sample; 0 while it, or its process, is not there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return 0.0
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def test_what_forked_processes_count_is_scraped_from_their_worker(
    environment: dict[str, str], sessions: sessionmaker[Session]
) -> None:
    document(sessions, "first"), document(sessions, "second")
    relay, worker = free_port(), free_port()
    with ExitStack() as stack:
        stack.enter_context(running(environment, "relay", "--metrics-port", str(relay)))
        # The other way to say it.
        stack.enter_context(running({**environment, "DOCVIGIL_METRICS_PORT": str(worker)}, "worker", "prepare"))
        wanted = {
            (relay, 'docvigil_published_total{stage="prepare"}'): 2.0,
            (worker, 'docvigil_tasks_started_total{stage="prepare"}'): 2.0,
        }
        end = time.monotonic() + 200
        while any(scraped(*where) < least for where, least in wanted.items()):
            assert time.monotonic() < end, {where: scraped(*where) for where in wanted}
            time.sleep(0.2)


def test_a_port_that_is_taken_is_refused(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "docvigil", "reconcile", "--metrics-port", port]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 2
    assert f"metrics can't be offered at port {port}: Address already in use" in done.stderr.replace("\n", " ")
