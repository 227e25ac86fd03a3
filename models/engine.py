"""The engine: one thread owns the model, and batches questions of many callers.

A batch is formed when it is full or its longest-waiting question has waited long enough. Documents of a higher priority
go first. Interactive questions wait for no company: they go next and by themselves. A reader looks at pictures in
steps, some of them several times; people are answered between two steps of a batch of documents, and while they ask, a
step takes no longer than what was asked took, by what steps took before. Nobody is answered who has stopped waiting. A
batch that is too large for the memory is halved, and so are those after it. One bad question fails its own caller only:
a batch that raises is asked again one by one.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence, Sized
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import structlog
from prometheus_client import Counter, Gauge, Histogram

from models.cost import Cost
from models.steps import steps_of
from pipeline.reading import Answer, Question, QuestionKind, Reader, ReaderUnavailable

log = structlog.get_logger(__name__)

BATCH = Histogram("docvigil_engine_batch", "Questions a batch", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256))
WAIT = Histogram("docvigil_engine_wait_seconds", "Time a question waits for its batch")
COMPUTE = Histogram("docvigil_engine_compute_seconds", "Time a step of a batch computes")
FAILED = Counter("docvigil_engine_failed", "Questions that raised")
EXPIRED = Counter("docvigil_engine_expired", "Questions nobody waited for any more")
LARGEST = Gauge("docvigil_engine_largest_batch", "Questions a batch at most; falls when memory is short")

#: So long after a person's question the next one is expected.
ATTENTIVE_SECONDS = 2.0

#: Meanwhile a step of documents may take this many times as long as what people asked took, and always this many
#: seconds, which nobody feels.
PATIENCE, UNFELT_SECONDS = 1.2, 0.015

#: What people asked last counts this much in how long it takes.
NEWEST = 0.2

#: While nobody asks, a step of documents takes no longer than this many seconds, for that long whoever asks first may
#: wait; but where fewer pictures would cost more each it has up to this many.
LONGEST_SECONDS, EFFICIENT = 0.5, 32

#: A batch of documents has at most so many times as many questions as any before.
GROWTH = 2

#: Of so many batches of documents one is of those that have waited longest, whatever their priority.
FAIR = 4

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


class _Documents:
    """Questions of documents that wait: by priority, each in the order they came."""

    def __init__(self) -> None:
        self._queues: dict[int, deque[_Waiting]] = defaultdict(deque)

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    @property
    def since(self) -> float | None:
        """When the one that waits longest came."""
        return min((queue[0].since for queue in self._queues.values()), default=None)

    def append(self, one: _Waiting) -> None:
        self._queues[one.question.priority].append(one)

    def first(self) -> _Waiting:
        """Takes the oldest of the highest priority."""
        return self._take(max(self._queues))

    def oldest(self) -> _Waiting:
        """Takes the one that waits longest."""
        return self._take(min(self._queues, key=lambda priority: self._queues[priority][0].since))

    def _take(self, priority: int) -> _Waiting:
        queue = self._queues[priority]
        one = queue.popleft()
        if not queue:
            del self._queues[priority]
        return one


class Engine:
    """A `Reader` for any number of threads. `progress_at` is when a step was last finished (monotonic clock)."""

    def __init__(self, reader: Reader, *, max_batch: int = 64, max_wait_ms: float = 15.0) -> None:
        self._reader, self._max_batch, self._max_wait = reader, max_batch, max_wait_ms / 1000
        self._interactive: deque[_Waiting] = deque()
        self._documents = _Documents()
        self._changed = threading.Condition()
        self._closed = False
        self._asked_at = -ATTENTIVE_SECONDS
        self._people_next = True
        self._batches = 0
        #: What steps took, and what batches that people asked for took; and the most questions in one of documents.
        self._cost, self._asked_seconds, self._largest = Cost(), 0.0, EFFICIENT // GROWTH
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
                if one.question.interactive:
                    self._interactive.append(one)
                    self._asked_at = time.monotonic()
                else:
                    self._documents.append(one)
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
            self._serve(batch)

    def _serve(self, batch: list[_Waiting]) -> None:
        started = time.monotonic()
        BATCH.observe(len(batch))
        for one in batch:
            WAIT.observe(started - one.since)
        self._answer(batch)
        if not batch[0].question.interactive:
            self._largest = max(self._largest, len(batch))
            return
        # A slow model's answer may come when the next question would no longer have been expected.
        self._asked_at = time.monotonic()
        newest = NEWEST if self._asked_seconds else 1.0
        self._asked_seconds += newest * (self._asked_at - started - self._asked_seconds)

    def _next(self) -> list[_Waiting]:
        """The next batch; empty when the engine is closed and nothing waits."""
        with self._changed:
            while True:
                if self._interactive or len(self._documents) >= self._room() or self._closed:
                    break
                since = self._documents.since
                left = None if since is None else since + self._max_wait - time.monotonic()
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            # By turns where both wait, so that many people don't keep all documents waiting.
            if self._interactive and (self._people_next or not len(self._documents)):
                self._people_next = False
                taken = self._people()
            else:
                self._people_next = True
                self._batches += 1
                pop = self._documents.oldest if self._batches % FAIR == 0 else self._documents.first
                taken = _taken(pop, self._documents, self._room())
            if taken or (self._closed and not self._interactive and not len(self._documents)):
                return taken
        # All that waited had expired.
        return self._next()

    def _people(self) -> list[_Waiting]:
        """The questions of people that go together. The lock is held."""
        return _taken(self._interactive.popleft, self._interactive, self._max_batch)

    def _room(self) -> int:
        """How many questions of documents go together, and how many pictures of theirs are looked at at once."""
        if time.monotonic() - self._asked_at < ATTENTIVE_SECONDS:
            room = self._cost.within(max(UNFELT_SECONDS, PATIENCE * self._asked_seconds))
        else:
            room = max(self._cost.efficient(EFFICIENT), self._cost.within(LONGEST_SECONDS))
        return max(1, int(min(room, GROWTH * self._largest, self._max_batch)))

    def _answer(self, batch: list[_Waiting]) -> None:
        try:
            answers = self._read(batch)
        except Exception as error:  # noqa: BLE001 — it is handed to whoever asked.
            short = _too_large(error)
            # One question may still look at many pictures at once.
            if len(batch) == 1 and not (short and self._max_batch > 1):
                FAILED.inc()
                batch[0].future.set_exception(error)
                return
            log.warning("engine.batch_failed", questions=len(batch), error=type(error).__name__)
            parts = [[one] for one in batch]
            if short:
                half = len(batch) // 2
                self._max_batch = max(1, min(self._max_batch, half or self._max_batch // 2))
                LARGEST.set(self._max_batch)
                parts = [batch[:half], batch[half:]]
            for part in filter(None, parts):
                self._answer(part)
            return
        for one, answer in zip(batch, answers, strict=True):
            one.future.set_result(answer)

    def _read(self, batch: list[_Waiting]) -> list[Answer]:
        people = batch[0].question.interactive
        at_once = (lambda: self._max_batch) if people else self._room
        steps = steps_of(self._reader, [one.question for one in batch], at_once)
        while True:
            started = time.monotonic()
            try:
                pictures = next(steps)
            except StopIteration as end:
                answers: list[Answer] = end.value
                return answers
            self.progress_at = time.monotonic()
            COMPUTE.observe(self.progress_at - started)
            self._cost.learn(pictures, self.progress_at - started)
            if not people:
                self._let_people_in()

    def _let_people_in(self) -> None:
        """Answers those who ask, once, so that the documents under way go on."""
        with self._changed:
            batch = self._people()
        if batch:
            self._people_next = False
            self._serve(batch)


def _taken(pop: Callable[[], _Waiting], waiting: Sized, room: int) -> list[_Waiting]:
    """Up to `room` of those that wait; who has stopped waiting is told so and not taken."""
    taken: list[_Waiting] = []
    while len(waiting) and len(taken) < room:
        one = pop()
        if one.until is not None and one.until < time.monotonic():
            EXPIRED.inc()
            one.future.set_exception(Expired("its time was over before its batch"))
        else:
            taken.append(one)
    return taken


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
