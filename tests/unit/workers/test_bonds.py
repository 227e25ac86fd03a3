"""What a process asks of the system for itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

#: Two products that OpenBLAS parts among its threads, the second one after the process was made single.
PRODUCTS = """
import os, time, cv2, numpy
from workers.bonds import one_thread

def helpers():
    before = cpu()
    numpy.ones((600, 600)) @ numpy.ones((600, 600))
    return {name for name, ticks in cpu().items() if ticks > before.get(name, 0)} - {str(os.getpid())}

def cpu():
    tasks = "/proc/self/task"
    return {name: int(open(f"{tasks}/{name}/schedstat").read().split()[0]) for name in os.listdir(tasks)}

many = helpers()
one_thread()
time.sleep(0.5)  # The helper spins for some time after its last share.
print(bool(many), bool(helpers()), cv2.getNumThreads())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are looked up in /proc")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="there is nothing to part among threads")
def test_nothing_is_computed_beside_the_thread_that_asks() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    found = subprocess.run(
        [sys.executable, "-c", PRODUCTS], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.split() == ["True", "False", "1"]
