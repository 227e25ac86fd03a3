"""What `docvigil bench pipeline` shows a person: a row for each number, a column for each reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from docvigil.bench.pipeline import Result

#: Titles, how the numbers are written, and where in a result they stand; of a table of numbers each has a row.
ROWS = (
    ("documents", "{}", "documents"),
    ("pages", "{}", "pages"),
    ("documents/s, end to end", "{:.2f}", "documents_per_s"),
    ("documents/s, engine alone", "{:.2f}", "engine.documents_per_s"),
    ("end to end over engine alone", "{:.2f}", "over_engine"),
    ("questions a document", "{:.1f}", "engine.questions_per_document"),
    ("CPU-ms a document, engine alone", "{:.0f}", "engine.cpu_ms"),
    ("CPU-ms a document", "{:.0f}", "cpu_ms"),
    ("  {}", "{:.1f}", "cpu_ms_parts"),
    ("CPU-ms of the stage {}", "{:.1f}", "cpu_ms_stages"),
    ("CPU-ms of {}", "{:.1f}", "cpu_ms_processes"),
    ("CPU-ms a second of {}, idle", "{:.1f}", "idle_cpu_ms"),
    ("memory of {}, MiB: first, last quarter, most", "{0.first:.0f}, {0.last:.0f}, {0.most:.0f}", "memory_mib"),
    (
        "documents/s, CPU-ms a document, of it workers: {}",
        "{0.documents_per_s:.2f}, {0.cpu_ms:.0f}, {0.workers_cpu_ms:.0f}",
        "stretches",
    ),
    ("one question, idle engine, p95 in s", "{:.3f}", "engine.interactive_alone_s"),
    ("one question, busy engine, p95 in s", "{:.3f}", "engine.interactive_busy_s"),
    ("  over idle", "{:.1f}×", "engine.interactive_over_alone"),
    ("documents waiting", "{}", "priority.waiting"),
    ("urgent, idle system, s to the verdict", "{:.2f}", "priority.idle_s"),
    ("urgent, before those waiting, s to the verdict", "{:.2f}", "priority.waiting_s"),
    ("  over idle", "{:.2f}×", "priority.over_idle"),
    ("urgent, idle system, s from its intake", "{:.2f}", "priority.idle_taken_in_s"),
    ("urgent, before those waiting, s from its intake", "{:.2f}", "priority.waiting_taken_in_s"),
    ("  over idle", "{:.2f}×", "priority.taken_in_over_idle"),
)


def rows(results: Sequence[Result]) -> Iterator[tuple[str, ...]]:
    """A title, and a value of each result; empty where it has none. What none has is left out."""
    for title, shape, path in ROWS:
        found = [_at(one, path) for one in results]
        found = [dict(_numbered(one)) if isinstance(one, tuple) else one for one in found]
        tables = [one for one in found if isinstance(one, dict)]
        if not tables and any(one is not None for one in found):
            yield (title, *("" if one is None else shape.format(one) for one in found))
        for name in dict.fromkeys(name for one in tables for name in one):
            yield (title.format(name), *(shape.format(one[name]) if name in one else "" for one in tables))


def _numbered(some: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{number} of {len(some)}", one) for number, one in enumerate(some, 1))


def _at(result: Result, path: str) -> Any:
    return reduce(lambda found, name: None if found is None else getattr(found, name), path.split("."), result)
