"""Nothing that a command starts outlives it, or whoever runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from workers import tether

#: Starts a grandchild in a group of its own, writes both ids, and sleeps.
FAMILY = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
open(sys.argv[1] + ".part", "w").write(f"{os.getpid()} {child.pid}")
os.rename(sys.argv[1] + ".part", sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
time.sleep(600)
"""


def started(folder: Path) -> tuple[subprocess.Popen[bytes], list[psutil.Process]]:
    told = folder / "ids"
    words = tether.command([sys.executable, "-c", FAMILY, str(told)], memory_bytes=2**33, nice=5)
    process = subprocess.Popen(words)
    until = time.monotonic() + 60
    while not told.exists():
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.05)
    return process, [psutil.Process(int(pid)) for pid in told.read_text().split()]


def gone(family: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(family, 20)
    return all(one.status() == psutil.STATUS_ZOMBIE for one in alive)


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are taken in on Linux only")
@pytest.mark.parametrize("how", ["asked", "killed", "orphaned"])
def test_a_family_ends_together(tmp_path: Path, how: str) -> None:
    process, family = started(tmp_path)
    assert family[0].nice() == os.getpriority(os.PRIO_PROCESS, 0) + 5
    if how == "asked":
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 7, "it ends as the command did"
    elif how == "killed":
        family[0].send_signal(signal.SIGKILL)
        assert process.wait(30) == 128 + signal.SIGKILL
    else:
        process.kill()
        process.wait(30)
        # Its command dies with it; what that started is an orphan that nobody takes in.
        family[1].kill()
    assert gone(family)


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are taken in on Linux only")
def test_a_family_ends_with_the_worker_that_runs_it(tmp_path: Path) -> None:
    told = tmp_path / "ids"
    worker = (
        "import subprocess, sys; from workers import tether;"
        f"words = [sys.executable, '-c', {FAMILY!r}, {str(told)!r}];"
        "subprocess.Popen(tether.command(words, memory_bytes=0)).wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", worker])
    until = time.monotonic() + 60
    while not told.exists():
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.05)
    family = [psutil.Process(int(pid)) for pid in told.read_text().split()]
    process.kill()
    process.wait()
    assert gone(family)
