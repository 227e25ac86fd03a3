"""What a process that reads all day does so that its memory stays what it was: pictures of ever new sizes, seen by many
threads, leave a heap of pieces that nothing else fits into.
"""

from __future__ import annotations

import ctypes
import os

#: Parameters of glibc's `mallopt` (malloc.h), and what they are set to: heaps beside each other; the bytes from which
#: a piece is the system's again as soon as it is free, the most that glibc takes, since a new piece costs a page fault
#: every 4 KiB and a reader's buffers are of some MiB; and the free bytes at a heap's end that are kept for the next.
ARENA_MAX, ARENAS = -8, 2
MMAP_THRESHOLD, MMAP_BYTES = -3, 32 * 2**20
TRIM_THRESHOLD, TRIM_BYTES = -1, 32 * 2**20

#: Shapes that oneDNN keeps its programs for; batches come in more.
PROGRAMS = "64"


def thrifty() -> None:
    """To be called before the first picture is read and threads begin. Other C libraries than glibc are left as they
    are."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", PROGRAMS)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(ARENA_MAX, ARENAS)
        mallopt(MMAP_THRESHOLD, MMAP_BYTES)
        mallopt(TRIM_THRESHOLD, TRIM_BYTES)
