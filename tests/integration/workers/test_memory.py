"""Preparing holds one page at a time: a long file takes no more memory than a short one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.memory import peak_mib

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux, which tells the peak of memory"),
]

#: Enough to tell; `benchmarks/memory.py` measures 500, which takes longer than a test may.
SHORT, LONG = 6, 36

#: What 30 pages more may add. Held as pictures they would add at least 30.
MOST_MIB = 10.0


def test_a_longer_file_takes_no_more_memory(tmp_path: Path) -> None:
    short, long = (peak_mib(tmp_path / str(count), count) for count in (SHORT, LONG))
    assert long - short < MOST_MIB, (short, long)
