"""What the stages of a scan take, by the clock and of the processor: it stands with the scan."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Seconds by stage: `<stage>` by the clock, `<stage>_cpu` of this thread's own processor time, which others on the
    machine don't lengthen."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Adds what the block takes to a stage."""
        clock, processor = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - clock
            self.seconds[f"{stage}_cpu"] += time.thread_time() - processor
