"""Many threads that read print of ever new sizes take no more memory than one."""

from __future__ import annotations

import subprocess
import sys

import pytest

READING = """
import sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np, psutil
from models.ocr import PrintReader
from models.thrift import thrifty
if sys.argv[1] == "thrifty":
    thrifty()
reader, rng = PrintReader(), np.random.default_rng(0)
pictures = [rng.integers(0, 255, (int(h), int(w)), np.uint8) for h, w in rng.integers((60, 200), (240, 640), (48, 2))]
reader.lines(pictures[0])
before = psutil.Process().memory_info().rss
with ThreadPoolExecutor(12) as pool:
    list(pool.map(reader.lines, pictures))
print((psutil.Process().memory_info().rss - before) >> 20)
"""


#: Runs in which it must be seen once.
TRIES = 3


def grown(how: str) -> int:
    """MiB that a process grew by."""
    done = subprocess.run([sys.executable, "-c", READING, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_many_threads_and_sizes_leave_no_heaps_behind() -> None:
    # How threads meet is left to chance, and one run in some says little; without it no run is so thrifty.
    assert any(grown("thrifty") < grown("as it is") / 2 for _ in range(TRIES))
