"""What a document costs and how fast documents go while a run lasts: whether the last are as cheap as the first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

#: A run is parted into so many stretches of as many documents each.
PARTS = 4


@dataclass(frozen=True)
class Stretch:
    """`cpu_ms` is of a document, all processes counted, also what is done meanwhile for documents that still wait;
    `workers_cpu_ms` is the part of the workers, which is done for a document when its turn comes."""

    documents: int
    documents_per_s: float
    cpu_ms: float
    workers_cpu_ms: float


class Stretches:
    """Is told now and then how many documents are done, beginning with none. `cpu` tells the CPU seconds of each
    process so far."""

    def __init__(self, documents: int, cpu: Callable[[], Mapping[str, float]], workers: Sequence[str]) -> None:
        self._ends = [documents * part // PARTS for part in range(1, PARTS + 1)]
        self._cpu, self._workers = cpu, workers
        self._before: tuple[int, float, float, float] | None = None
        self.seen: list[Stretch] = []

    def look(self, done: int) -> None:
        """What is done has grown to this many documents."""
        if self._before is None:
            self._before = self._now(done)
        if not self._ends or done < self._ends[0]:
            return
        now = self._now(done)
        documents, seconds, whole, workers = (one - other for one, other in zip(now, self._before, strict=True))
        self._ends = [end for end in self._ends if end > done]
        if documents > 0:
            each = 1000 / documents
            self.seen.append(Stretch(int(documents), documents / seconds, whole * each, workers * each))
            self._before = now

    def _now(self, done: int) -> tuple[int, float, float, float]:
        cpu = self._cpu()
        return done, time.monotonic(), sum(cpu.values()), sum(cpu.get(name, 0.0) for name in self._workers)
