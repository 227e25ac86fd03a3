"""What a process asks of the system for itself: to end with its parent, to stay in its memory, to be one thread.

Nothing heavy is imported.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

#: prctl(2): a signal for this process when its parent dies.
PR_SET_PDEATHSIG = 1


def limit_memory(limit_bytes: int) -> None:
    """Bounds this process's address space: a bomb raises MemoryError here instead of bringing the machine down."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        limit_bytes = min(limit_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, hard))


def die_with_parent() -> None:
    """Asks Linux to kill this process when its parent dies, however it dies; elsewhere it does nothing."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # It died in between.
        os.kill(os.getpid(), signal.SIGKILL)


def one_thread() -> None:
    """OpenCV and numpy compute on the thread that asks. There are as many processes as cores are to be used, and a
    helper of numpy's that waits for its share of a small product spins meanwhile."""
    import cv2
    from threadpoolctl import threadpool_limits

    cv2.setNumThreads(1)
    threadpool_limits(1, "blas")
