"""The engine: batches of many callers, the oldest and the impatient first, and nobody fails for a neighbour."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.engine import LARGEST, Engine, Expired
from models.steps import AtOnce, Steps, in_parts
from pipeline.reading import Answer, AnswerState, Pixels, Question, QuestionKind, ReaderUnavailable

BAD = 13


class Slow:
    """Answers with the grey of the picture, a batch at a time; a picture of grey 13 makes the whole batch fail."""

    version = "slow-1"

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.threads: set[int] = set()

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        self.gate.wait(10)
        self.threads.add(threading.get_ident())
        greys = [int(one.image[0, 0]) for one in questions]
        self.batches.append(greys)
        if BAD in greys:
            raise RuntimeError("a picture nobody can read")
        return [Answer(AnswerState.PRESENT, str(grey), 0.9, 0.9) for grey in greys]


def asked(grey: int, *, interactive: bool = False, priority: int = 0) -> Question:
    return Question(QuestionKind.DATE, np.full((4, 4), grey, np.uint8), interactive=interactive, priority=priority)


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def engine(slow: Slow) -> Iterator[Engine]:
    made = Engine(slow, max_batch=8, max_wait_ms=20)
    yield made
    slow.gate.set()
    made.close()


def test_everybody_gets_their_own_answers_in_their_order(engine: Engine, slow: Slow) -> None:
    wanted = [[grey, grey + 1] for grey in range(20, 80, 2)]
    with ThreadPoolExecutor(len(wanted)) as pool:
        got = list(pool.map(lambda greys: engine.read([asked(grey) for grey in greys]), wanted))
    assert [[one.value for one in answers] for answers in got] == [[str(g) for g in greys] for greys in wanted]
    assert max(map(len, slow.batches)) > 2, "questions of several callers share a batch"
    assert max(map(len, slow.batches)) <= 8
    assert len(slow.threads) == 1, "one thread alone owns the model"


def test_a_lonely_question_does_not_wait_for_company(engine: Engine) -> None:
    started = time.monotonic()
    assert engine.read([asked(50)])[0].value == "50"
    assert time.monotonic() - started < 5


def test_one_bad_question_fails_its_own_caller_only(engine: Engine, slow: Slow) -> None:
    slow.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        good = [pool.submit(engine.read, [asked(grey)]) for grey in (60, 61)]
        bad = pool.submit(engine.read, [asked(BAD)])
        time.sleep(0.1)
        slow.gate.set()
        assert [one.result(10)[0].value for one in good] == ["60", "61"]
        with pytest.raises(RuntimeError, match="nobody can read"):
            bad.result(10)
    assert engine.read([asked(62)])[0].value == "62", "the engine lives on"


def test_the_impatient_go_first(engine: Engine, slow: Slow) -> None:
    slow.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        # The first batch is under way when the others come.
        running = pool.submit(engine.read, [asked(90) for _ in range(8)])
        time.sleep(0.1)
        bulk = pool.submit(engine.read, [asked(91) for _ in range(8)])
        time.sleep(0.1)
        urgent = pool.submit(engine.read, [asked(92, interactive=True)])
        time.sleep(0.1)
        slow.gate.set()
        for one in (running, bulk, urgent):
            one.result(10)
    assert slow.batches[1] == [92], "and by themselves"


def test_many_people_do_not_keep_documents_waiting(engine: Engine, slow: Slow) -> None:
    slow.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        running = pool.submit(engine.read, [asked(90)])
        time.sleep(0.1)
        people = [pool.submit(engine.read, [asked(92, interactive=True) for _ in range(8)]) for _ in range(4)]
        bulk = pool.submit(engine.read, [asked(91) for _ in range(2)])
        time.sleep(0.1)
        slow.gate.set()
        for one in (running, bulk, *people):
            one.result(10)
    assert [91, 91] in slow.batches[1:3]


class Timed:
    """Takes its time: something for a batch and something for each question."""

    version = "timed-1"

    def __init__(self, batch: float, question: float) -> None:
        self._batch, self._question = batch, question
        self.sizes: list[int] = []

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        if not questions[0].interactive:
            self.sizes.append(len(questions))
        time.sleep(self._batch + self._question * len(questions))
        return [Answer(AnswerState.PRESENT, None, 0.9, 0.9) for _ in questions]


def sizes(timed: Timed, people: int) -> list[int]:
    """The batches of documents while nobody asks, or while somebody asks one question after another."""
    engine, end = Engine(timed, max_batch=16), threading.Event()

    def document() -> None:
        while not end.is_set():
            engine.read([asked(90) for _ in range(16)])

    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(document)
        time.sleep(0.5)
        for _ in range(people):
            engine.read([asked(92, interactive=True)])
        if people:
            timed.sizes[: -people // 2] = []
        end.set()
    engine.close()
    return timed.sizes


def test_while_people_ask_documents_take_no_longer_than_they_do() -> None:
    slow = sizes(Timed(0, 0.02), people=12)
    assert max(slow[:6]) <= 4, "any more would take longer than what was asked"
    assert max(sizes(Timed(0, 0.02), people=0)) == 16, "nobody waits"
    dear_batches = sizes(Timed(0.03, 0.0003), people=12)
    assert max(dear_batches[:6]) >= 12, "more of them take hardly longer"


@pytest.mark.parametrize(
    ("batch", "question", "most"),
    [(0.0, 0.02, 30), (0.0, 0.1, 6), (0.3, 0.01, 32)],
    ids=["half a second", "a slow model", "dear batches"],
)
def test_whoever_asks_first_waits_for_no_long_batch(batch: float, question: float, most: int) -> None:
    timed = Timed(batch, question)
    engine = Engine(timed, max_batch=64)
    # Batches of other sizes tell what a batch costs by itself.
    for count in (4, 16, most, most):
        engine.read([asked(90) for _ in range(count)])
    timed.sizes = []
    engine.read([asked(90) for _ in range(64)])
    engine.close()
    assert most * 0.6 <= max(timed.sizes) <= most


def test_documents_of_a_higher_priority_go_first(engine: Engine, slow: Slow) -> None:
    slow.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        running = pool.submit(engine.read, [asked(90)])
        time.sleep(0.1)
        bulk = pool.submit(engine.read, [asked(91) for _ in range(20)])
        time.sleep(0.1)
        high = pool.submit(engine.read, [asked(93, priority=1), asked(94, priority=10)])
        time.sleep(0.1)
        slow.gate.set()
        for one in (running, bulk, high):
            one.result(10)
    assert slow.batches[1][:2] == [94, 93]


def test_urgent_documents_do_not_keep_the_others_waiting_for_ever(engine: Engine, slow: Slow) -> None:
    slow.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        running = pool.submit(engine.read, [asked(90)])
        time.sleep(0.1)
        bulk = pool.submit(engine.read, [asked(91)])
        time.sleep(0.1)
        urgent = [pool.submit(engine.read, [asked(94, priority=10) for _ in range(8)]) for _ in range(5)]
        time.sleep(0.1)
        slow.gate.set()
        for one in (running, bulk, *urgent):
            one.result(10)
    place = next(number for number, batch in enumerate(slow.batches) if 91 in batch)
    assert 1 < place < len(slow.batches) - 2, "in between, neither first nor last"


def test_what_waits_is_answered_when_the_engine_closes(slow: Slow) -> None:
    engine = Engine(slow, max_batch=8, max_wait_ms=10_000)
    slow.gate.clear()
    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(engine.read, [asked(90, interactive=True)])
        time.sleep(0.1)
        gone = pool.submit(engine.read, [asked(92, interactive=True)], 0.01)
        bulk = pool.submit(engine.read, [asked(91) for _ in range(3)])
        time.sleep(0.2)
        closing = pool.submit(engine.close)
        slow.gate.set()
        with pytest.raises(Expired):
            gone.result(10)
        assert len(bulk.result(10)) == 3
        for one in (running, closing):
            one.result(10)


def test_a_closed_engine_says_so(slow: Slow) -> None:
    engine = Engine(slow)
    engine.close()
    with pytest.raises(ReaderUnavailable):
        engine.read([asked(50)])


def test_no_questions_no_answers(engine: Engine) -> None:
    assert engine.read([]) == []


def test_nobody_is_answered_who_has_stopped_waiting(engine: Engine, slow: Slow) -> None:
    slow.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(engine.read, [asked(20)])
        # The engine is at the first batch; the second's caller gives up before its turn.
        while not slow.threads and not engine._thread.is_alive():
            time.sleep(0.001)
        time.sleep(0.1)
        with pytest.raises(Expired):
            engine.read([asked(30)], within=0.05)
        slow.gate.set()
        assert first.result(10)[0].value == "20"
    assert engine.read([asked(40)], within=10)[0].value == "40"
    assert all(30 not in batch for batch in slow.batches)


class Stepping(Slow):
    """Looks at each picture of documents `LOOKS` times, as many at once as it may."""

    LOOKS = 4

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self._seconds = seconds

    def steps(self, questions: Sequence[Question], at_once: AtOnce) -> Steps[list[Answer]]:
        looks = 1 if questions[0].interactive else self.LOOKS
        asked = [one for _ in range(looks) for one in questions]
        found = yield from in_parts(self._look, asked, [one.image.copy() for one in asked], at_once)
        return found[-len(questions) :]

    def _look(self, questions: Sequence[Question], images: Sequence[Pixels]) -> list[Answer]:
        time.sleep(self._seconds * len(images))
        return self.read(questions)


def test_people_are_answered_between_two_looks_at_documents() -> None:
    stepping = Stepping()
    engine = Engine(stepping, max_batch=8, max_wait_ms=5)
    stepping.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        bulk = pool.submit(engine.read, [asked(91) for _ in range(8)])
        time.sleep(0.1)
        # Two people, and one whose question can't be read.
        people = [pool.submit(engine.read, [asked(92, interactive=True)]) for _ in range(2)]
        bad = pool.submit(engine.read, [asked(BAD, interactive=True)])
        time.sleep(0.1)
        stepping.gate.set()
        assert [one.value for one in bulk.result(10)] == ["91"] * 8
        assert [one.result(10)[0].value for one in people] == ["92"] * 2
        with pytest.raises(RuntimeError, match="nobody can read"):
            bad.result(10)
    engine.close()
    first, second, *_, last = stepping.batches
    assert first == [91] * 8 and second[0] in (92, BAD), "the first step was under way when they came"
    assert last[0] == 91
    assert sum(batch.count(91) for batch in stepping.batches) == 8 * Stepping.LOOKS, "no step was done again"


def test_while_people_ask_a_step_looks_at_few_pictures() -> None:
    stepping = Stepping(seconds=0.01)
    engine, end = Engine(stepping, max_batch=16), threading.Event()

    def document() -> None:
        while not end.is_set():
            engine.read([asked(90) for _ in range(16)])

    with ThreadPoolExecutor(2) as pool:
        pool.submit(document)
        time.sleep(0.3)
        waited = []
        for _ in range(12):
            started = time.monotonic()
            engine.read([asked(92, interactive=True)])
            waited.append(time.monotonic() - started)
        end.set()
    engine.close()
    # One picture takes 10 ms; a batch of sixteen looked at four times 640.
    assert sorted(waited)[6] < 0.1


class Small:
    """Has memory for three questions."""

    version = "small-1"

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        self.sizes.append(len(questions))
        if len(questions) > 3:
            raise MemoryError
        return [Answer(AnswerState.PRESENT, str(int(one.image[0, 0])), 0.9, 0.9) for one in questions]


def test_looks_shrink_to_the_memory_there_is_too() -> None:
    class Narrow(Stepping):
        LOOKS = 8

        def _look(self, questions: Sequence[Question], images: Sequence[Pixels]) -> list[Answer]:
            if len(images) > 3:
                raise MemoryError
            return self.read(questions)

    narrow = Narrow()
    engine = Engine(narrow, max_batch=8, max_wait_ms=5)
    assert engine.read([asked(20)])[0].value == "20"
    assert [one.value for one in engine.read([asked(30, interactive=True)])] == ["30"]
    engine.close()
    assert max(map(len, narrow.batches)) == 2, "eight were too many, and four"


def test_batches_shrink_to_the_memory_there_is_and_go_on() -> None:
    small = Small()
    engine = Engine(small, max_batch=8, max_wait_ms=5)
    assert [one.value for one in engine.read([asked(grey) for grey in range(20, 28)])] == [
        str(g) for g in range(20, 28)
    ]
    assert LARGEST._value.get() <= 4
    small.sizes.clear()
    assert len(engine.read([asked(grey) for grey in range(20, 36)])) == 16
    engine.close()
    # It has learned: nothing near eight is tried again.
    assert max(small.sizes) <= 4
