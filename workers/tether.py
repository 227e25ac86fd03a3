"""A command whose whole family ends with it: `python -m workers.tether [--memory BYTES] [--nice N] -- COMMAND…`.

A training starts processes that draw and read for it. Whoever kills it, or the worker that runs it, must not leave them
behind. This process takes orphans in (Linux), passes SIGTERM on, and ends as the command did; when the command ends, or
its own parent, or SIGINT comes, it ends them all.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from workers.bonds import die_with_parent, limit_memory

#: prctl(2): orphaned descendants become children of this process.
PR_SET_CHILD_SUBREAPER = 36

#: How often the command and the parent are looked at.
LOOK_SECONDS = 0.2

#: What it ends with after SIGINT, which ends everything at once.
INTERRUPTED = 130


def command(words: Sequence[str], *, memory_bytes: int, nice: int = 0) -> list[str]:
    """The command line that runs `words` on a tether."""
    options = ["--memory", str(memory_bytes), "--nice", str(nice), "--parent", str(os.getpid())]
    return [sys.executable, "-m", "workers.tether", *options, "--", *words]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory", type=int, default=0, help="address space of each process; 0: as much as it likes")
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--parent", type=int, default=os.getppid(), help="whose end ends this")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1)
    os.nice(given.nice)
    if given.memory:
        limit_memory(given.memory)
    process = subprocess.Popen(given.command, preexec_fn=die_with_parent, process_group=0)
    signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGTERM))
    try:
        while process.poll() is None:
            # Its parent's death is looked for, since the kernel would kill this process before it could end the others.
            if os.getppid() != given.parent:
                return 1
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_SECONDS)
    except KeyboardInterrupt:
        # At once, without waiting for what the command would do about SIGTERM.
        return INTERRUPTED
    finally:
        end_all()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def end_all() -> None:
    """Kills every descendant, those that become children by another's end too."""
    while children := _children():
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    try:
        told = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except OSError:
        # Elsewhere than on Linux the command's own group is all that is known.
        return []
    return [int(pid) for pid in told.split()]


if __name__ == "__main__":
    sys.exit(main())
