"""What a process that reads all day does so that its memory stays what it was: pictures of ever new sizes, seen by many
threads, leave a heap of pieces that nothing else fits into.
"""

from __future__ import annotations

import ctypes
import os

#: Parameters of glibc's `mallopt` (malloc.h), and what they are set to: heaps beside each other, and the bytes from
#: which a piece is given back to the system as soon as it is free.
ARENA_MAX, ARENAS = -8, 2
MMAP_THRESHOLD, MMAP_BYTES = -3, 4 * 2**20

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
