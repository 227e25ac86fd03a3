"""The pipeline's measurement runs a whole instance, counts each document once, and its parts add up."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from docvigil.bench import pipeline, priority


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # One process that prepares loads the types once.
    monkeypatch.setenv("DOCVIGIL_PREPARE_PROCESSES", "1")
    monkeypatch.setattr(pipeline, "FIRST", 2)
    monkeypatch.setattr(pipeline, "IDLE_SECONDS", 1.0)
    monkeypatch.setattr(priority, "TIMES", 1)
    with tempfile.TemporaryDirectory(prefix="dv") as work:
        Path(work).chmod(0o755)
        yield Path(work)


@pytest.mark.timeout(300)
def test_the_overhead_of_a_document_is_measured(folder: Path) -> None:
    result = pipeline.measured("null", 3, folder, waiting=4)
    assert result.documents == 3 and result.pages >= 3
    assert result.documents_per_s == pytest.approx(3 / result.seconds)
    assert sum(result.cpu_ms_parts.values()) == pytest.approx(result.cpu_ms)
    assert sum(result.cpu_ms_processes.values()) == pytest.approx(result.cpu_ms)
    assert {"postgres", "redis", "relay", "watch", "worker-prepare", "worker-infer"} <= set(result.cpu_ms_processes)
    # What the workers' threads took is part of what their processes took.
    prepared = sum(result.cpu_ms_stages[name] for name in ("render", "quality", "locate", "cut", "encode", "store"))
    assert 0 < prepared < result.cpu_ms_processes["worker-prepare"]
    assert result.cpu_ms_parts["model"] == 0 and result.engine is None and result.over_engine is None
    assert result.memory_mib["worker-prepare"].most >= result.memory_mib["worker-prepare"].last > 20
    assert sum(one.documents for one in result.stretches) == 3
    # Processor time is counted in steps of 10 ms, so a stretch of one document may show none of it.
    assert all(0 <= one.workers_cpu_ms <= one.cpu_ms for one in result.stretches)
    assert 0 < sum(one.workers_cpu_ms for one in result.stretches) < sum(one.cpu_ms for one in result.stretches)
    assert result.priority is not None and result.priority.waiting >= 4
    assert 0 < result.priority.idle_taken_in_s < result.priority.idle_s
