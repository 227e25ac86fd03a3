"""What the pipeline's measurement is made of: fresh documents, counted threads, the engine alone, the table."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from docvigil.bench.alone import measured
from docvigil.bench.pipeline import Kept, Result
from docvigil.bench.priority import Priority
from docvigil.bench.report import rows
from docvigil.bench.stretches import Stretch, Stretches
from docvigil.bench.supply import Supply
from docvigil.bench.worker import Counted, NullReader, Told
from pipeline.pages import Limits, render
from pipeline.reading import Answer, AnswerState, Question, QuestionKind

RESULT = Result(
    reader="null",
    documents=3,
    pages=4,
    seconds=1.5,
    documents_per_s=2.0,
    cpu_ms=400.0,
    cpu_ms_parts={"rendering": 100.0, "everything else": 300.0},
    cpu_ms_stages={"render": 100.0},
    cpu_ms_processes={"postgres": 400.0},
    idle_cpu_ms={"relay": 12.34},
    memory_mib={"worker-infer": Kept(100.0, 110.0, 120.4)},
    stretches=(Stretch(2, 1.5, 410.0, 300.0), Stretch(1, 3.0, 380.0, 300.0)),
)


def asked(kind: QuestionKind = QuestionKind.SIGNATURE) -> Question:
    return Question(kind, np.full((48, 384), 255, np.uint8))


def test_given_out_again_a_document_is_new_and_looks_the_same(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    ids = Supply(tmp_path / "drawn", 1).put(drop, 2)
    first, second = sorted(drop.iterdir())
    assert len(set(ids)) == 2 and first.read_bytes() != second.read_bytes()
    for one, other in zip(render(first, Limits()), render(second, Limits()), strict=True):
        assert np.array_equal(one.image, other.image)


def test_what_works_for_the_model_is_counted_and_nothing_else() -> None:
    """The thread that asks, and one that its first question starts."""

    class Busy(NullReader):
        def __init__(self) -> None:
            self.end = threading.Event()
            self.helper = threading.Thread(target=self.end.wait)

        def read(self, questions: Sequence[Question]) -> list[Answer]:
            if not self.helper.is_alive():
                self.helper.start()
            sum(number * number for number in range(2_000_000))
            return super().read(questions)

    busy, done, end = Busy(), threading.Event(), threading.Event()
    counted = Counted(busy)

    def engine() -> None:
        counted.read([asked()])
        done.set()
        end.wait()

    threading.Thread(target=engine).start()
    try:
        done.wait()
        # Another thread of the process, busy for longer.
        other = threading.Thread(target=lambda: sum(number * number for number in range(8_000_000)))
        other.start()
        other.join()
        told = counted.told()
    finally:
        end.set()
        busy.end.set()
    assert told.questions == 1
    assert 0 < told.model_cpu < 0.5


def test_what_nobody_told_is_nothing(tmp_path: Path) -> None:
    assert Told.read(tmp_path / "told.json") == Told()


def test_the_engine_alone_reads_every_document_and_answers_one_question_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("docvigil.bench.alone.ASKED", 5)
    seen: list[int] = []

    class Noting(NullReader):
        def read(self, questions: Sequence[Question]) -> list[Answer]:
            seen.append(len(questions))
            return [Answer(AnswerState.EMPTY, None, 0.9, 0.1) for _ in questions]

    documents = [[asked() for _ in range(4)] for _ in range(10)]
    result = measured(Noting(), documents, max_batch=8, callers=2)
    assert result.questions_per_document == 4
    assert sum(seen) >= 40 + 2 and max(seen) <= 8
    assert result.documents_per_s > 0 and result.cpu_ms > 0
    assert result.interactive_over_alone == pytest.approx(result.interactive_busy_s / result.interactive_alone_s)


def test_the_table_has_a_row_for_each_number_that_somebody_has() -> None:
    urgent = Priority(50, 3.0, 6.0, 2.0, 1.0, 4.0, 4.0)
    shown = {title: values for title, *values in rows([RESULT, Result(**{**vars(RESULT), "priority": urgent})])}
    assert shown["documents/s, end to end"] == ["2.00", "2.00"]
    assert shown["  everything else"] == ["300.0", "300.0"]
    assert shown["CPU-ms a second of relay, idle"] == ["12.3", "12.3"]
    assert shown["memory of worker-infer, MiB: first, last quarter, most"] == ["100, 110, 120"] * 2
    assert shown["documents/s, CPU-ms a document, of it workers: 2 of 2"] == ["3.00, 380, 300"] * 2
    assert shown["documents waiting"] == ["", "50"]
    assert "documents/s, engine alone" not in shown


def test_each_stretch_counts_what_was_done_since_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    now, cpu = [0.0], {"worker": 10.0, "relay": 5.0}
    monkeypatch.setattr("docvigil.bench.stretches.time.monotonic", lambda: now[0])
    stretches = Stretches(8, lambda: dict(cpu), ["worker"])
    # The second quarter's end is passed between two looks.
    for seconds, worker, relay, done in ((0, 0, 0, 0), (2, 1, 1, 1), (4, 1, 1, 2), (10, 3, 0, 6), (12, 1, 1, 8)):
        now[0] = seconds
        cpu["worker"] += worker
        cpu["relay"] += relay
        stretches.look(done)
    assert stretches.seen == [
        Stretch(2, 0.5, 2000.0, 1000.0),
        Stretch(4, pytest.approx(4 / 6), 750.0, 750.0),
        Stretch(2, 1.0, 1000.0, 500.0),
    ]
