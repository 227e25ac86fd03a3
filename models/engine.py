"""The engine: one thread owns the model, and batches questions of many callers.

A batch is formed when it is full or its longest-waiting question has waited long enough. Interactive questions wait for
no company: they go next and by themselves, and while people ask, other batches are small. Nobody is answered who has
stopped waiting. A batch that is too large for the memory is halved, and so are those after it. One bad question fails
its own caller only: a batch that raises is asked again one by one.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import structlog
from prometheus_client import Counter, Gauge, Histogram

from pipeline.reading import Answer, Question, QuestionKind, Reader, ReaderUnavailable

log = structlog.get_logger(__name__)

BATCH = Histogram("docvigil_engine_batch", "Questions a batch", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256))
WAIT = Histogram("docvigil_engine_wait_seconds", "Time a question waits for its batch")
COMPUTE = Histogram("docvigil_engine_compute_seconds", "Time a batch computes")
FAILED = Counter("docvigil_engine_failed", "Questions that raised")
EXPIRED = Counter("docvigil_engine_expired", "Questions nobody waited for any more")
LARGEST = Gauge("docvigil_engine_largest_batch", "Questions a batch at most; falls when memory is short")

#: So long after a person's question the next one is expected, and other batches have this share of their size: who
#: asks waits for the one that is under way.
ATTENTIVE_SECONDS, ATTENTIVE_SHARE = 2.0, 4

#: A picture of nothing, for the first batch: what is slow once is slow before anybody waits.
BLANK = np.full((32, 256), 255, np.uint8)


class Expired(ReaderUnavailable):
    """No answer came in the time that its caller had."""


@dataclass(slots=True)
class _Waiting:
    question: Question
    future: Future[Answer]
    until: float | None = None
    since: float = field(default_factory=time.monotonic)


class Engine:
    """A `Reader` for any number of threads. `progress_at` is when a batch was last finished (monotonic clock)."""

    def __init__(self, reader: Reader, *, max_batch: int = 64, max_wait_ms: float = 15.0) -> None:
        self._reader, self._max_batch, self._max_wait = reader, max_batch, max_wait_ms / 1000
        self._bulk: deque[_Waiting] = deque()
        self._interactive: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._asked_at = -ATTENTIVE_SECONDS
        self._turn = self._interactive
        self.progress_at = time.monotonic()
        LARGEST.set(max_batch)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def version(self) -> str:
        return self._reader.version

    def read(self, questions: Sequence[Question], within: float | None = None) -> list[Answer]:
        """One answer a question, in their order.

        Raises ReaderUnavailable once the engine is closed, and Expired where `within` so many seconds not all answers
        are there; what was not begun by then is not computed.
        """
        until = None if within is None else time.monotonic() + within
        waiting = [_Waiting(question, Future(), until) for question in questions]
        with self._changed:
            if self._closed:
                raise ReaderUnavailable("the engine is closed")
            for one in waiting:
                (self._interactive if one.question.interactive else self._bulk).append(one)
            if self._interactive:
                self._asked_at = time.monotonic()
            self._changed.notify()
        try:
            return [one.future.result(_left(until)) for one in waiting]
        except TimeoutError as late:
            raise Expired(f"no answer within {within} seconds") from late

    def warm_up(self) -> None:
        """Asks a choice and a string and waits: the first caller finds everything loaded."""
        self.read([Question(kind, BLANK) for kind in (QuestionKind.SIGNATURE, QuestionKind.DATE)])

    def close(self) -> None:
        """Answers what waits, then ends the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            started = time.monotonic()
            BATCH.observe(len(batch))
            for one in batch:
                WAIT.observe(started - one.since)
            self._answer(batch)
            self.progress_at = time.monotonic()
            COMPUTE.observe(self.progress_at - started)

    def _next(self) -> list[_Waiting]:
        """The next batch; empty when the engine is closed and nothing waits."""
        with self._changed:
            while True:
                if self._interactive or len(self._bulk) >= self._room() or self._closed:
                    break
                left = self._bulk[0].since + self._max_wait - time.monotonic() if self._bulk else None
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            taken: list[_Waiting] = []
            # By turns where both wait, so that many people don't keep all documents waiting.
            queue = self._turn or self._interactive or self._bulk
            self._turn = self._bulk if queue is self._interactive else self._interactive
            room = self._max_batch if queue is self._interactive else self._room()
            while queue and len(taken) < room:
                one = queue.popleft()
                if one.until is not None and one.until < time.monotonic():
                    EXPIRED.inc()
                    one.future.set_exception(Expired("its time was over before its batch"))
                else:
                    taken.append(one)
            if taken or (self._closed and not self._interactive and not self._bulk):
                return taken
        # All that waited had expired.
        return self._next()

    def _room(self) -> int:
        """How many questions of documents go together."""
        attentive = time.monotonic() - self._asked_at < ATTENTIVE_SECONDS
        return max(1, self._max_batch // ATTENTIVE_SHARE) if attentive else self._max_batch

    def _answer(self, batch: list[_Waiting]) -> None:
        try:
            answers = self._reader.read([one.question for one in batch])
        except Exception as error:  # noqa: BLE001 — it is handed to whoever asked.
            if len(batch) == 1:
                FAILED.inc()
                batch[0].future.set_exception(error)
                return
            log.warning("engine.batch_failed", questions=len(batch), error=type(error).__name__)
            if _too_large(error):
                half = len(batch) // 2
                self._max_batch = max(1, min(self._max_batch, half))
                LARGEST.set(self._max_batch)
                parts = [batch[:half], batch[half:]]
            else:
                parts = [[one] for one in batch]
            for part in parts:
                self._answer(part)
            return
        for one, answer in zip(batch, answers, strict=True):
            one.future.set_result(answer)


def _left(until: float | None) -> float | None:
    return None if until is None else max(0.0, until - time.monotonic())


def _too_large(error: Exception) -> bool:
    """Whether memory was short. On a CPU torch raises RuntimeError, and only its words tell."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "not enough memory" in str(error)
        or "can't allocate memory" in str(error)
    )
