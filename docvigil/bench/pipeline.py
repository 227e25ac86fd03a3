"""Documents a second from the drop folder to the verdict, against the engine alone; and what a document costs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from docvigil.bench.plant import Memory, Plant, plant
from docvigil.bench.priority import Priority
from docvigil.bench.priority import measured as priority_of
from docvigil.bench.stretches import Stretch, Stretches
from docvigil.bench.supply import Supply
from docvigil.bench.worker import TELL_SECONDS, Told
from docvigil.settings import Settings
from pipeline.doctypes.load import known
from records.objects import ObjectStore

if TYPE_CHECKING:
    from docvigil.bench.alone import Alone

#: Documents before those that count: when they have their verdicts, every process has loaded what it needs.
FIRST = 8

#: How long the idle system is watched.
IDLE_SECONDS = 5.0

#: Seconds within which all documents must have a verdict.
MOST_SECONDS = 4 * 3600.0

#: Parts that are a stage of a scan: CPU seconds of the thread that works, as it wrote them down. While one reads, the
#: model works in the engine's threads; what is left is OCR, and unpacking the evidence.
PARTS = {
    "rendering": "render",
    "page quality": "quality",
    "registration": "locate",
    "evidence cutting": "cut",
    "evidence encoding": "encode",
    "print": "read",
}

WORKERS = ("worker-prepare", "worker-infer")

SCANS = text("""
    SELECT s.timings, jsonb_array_length(s.manifest -> 'pages') AS pages, d.reason,
           extract(epoch FROM d.created_at)::float8 AS came, extract(epoch FROM d.verdict_at)::float8 AS judged
      FROM scans s JOIN documents d ON d.scan_id = s.id
     WHERE d.created_at > to_timestamp(:after)
""")

#: What the engine alone is given: as many as it can read in its time.
MANIFESTS = text("""
    SELECT s.manifest FROM scans s JOIN documents d ON d.scan_id = s.id
     WHERE d.created_at > to_timestamp(:after) ORDER BY d.created_at LIMIT 1000
""")


@dataclass(frozen=True)
class Kept:
    """MiB of a worker and its processes: the medians of the run's first and last quarter, and the most."""

    first: float
    last: float
    most: float


@dataclass(frozen=True)
class Result:
    """`documents_per_s` is from the first document taken in to the last verdict. All `cpu_ms` are of a document, from
    intake to verdict: the whole, all processes counted; its parts, of which `everything else` is what is left; each
    stage and each process. `idle_cpu_ms` is what the idle system takes a second, by process."""

    reader: str
    documents: int
    pages: int
    seconds: float
    documents_per_s: float
    cpu_ms: float
    cpu_ms_parts: dict[str, float]
    cpu_ms_stages: dict[str, float]
    cpu_ms_processes: dict[str, float]
    idle_cpu_ms: dict[str, float]
    memory_mib: dict[str, Kept]
    #: From the first documents to the last.
    stretches: tuple[Stretch, ...] = ()
    #: None with the null reader.
    engine: Alone | None = None
    over_engine: float | None = None
    #: None where no documents were to wait.
    priority: Priority | None = None


def measured(
    reader: str,
    documents: int,
    folder: Path,
    *,
    waiting: int = 0,
    seed: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> Result:
    """Runs everything in an instance of its own under `folder`, which is new. Raises RuntimeError where a document
    can't be scanned."""
    say(f"{reader}: drawing documents")
    supply = Supply(folder / "documents", documents, seed)
    say(f"{reader}: starting")
    priority = None
    with plant(folder / "home", reader) as running:
        supply.put(running.drop, FIRST)
        running.settle(FIRST, MOST_SECONDS)
        idle = _idle(running)
        say(f"{reader}: {documents} documents")
        with Memory(running.supervisor, WORKERS) as memory:
            before, told, started = running.cpu(), Told.read(running.told), time.time()
            stretches = Stretches(documents, running.cpu, WORKERS)
            supply.put(running.drop, documents)
            running.settle(FIRST + documents, MOST_SECONDS, done=lambda done: stretches.look(done - FIRST))
            after = running.cpu()
        time.sleep(2 * TELL_SECONDS)
        model = Told.read(running.told).model_cpu - told.model_cpu
        with running.desk.sessions.begin() as session:
            scans = session.execute(SCANS, {"after": started}).all()
            manifests = [] if reader == "null" else session.execute(MANIFESTS, {"after": started}).scalars().all()
        if waiting:
            priority = priority_of(running, supply, waiting, lambda words: say(f"{reader}: {words}"))
        settings, store = running.desk.settings, running.desk.store
    for reason in filter(None, (one.reason for one in scans)):
        raise RuntimeError(f"a document was put in quarantine, so nothing was measured: {reason}")
    seconds = max(one.judged for one in scans) - min(one.came for one in scans)
    engine = None
    if reader != "null":
        say(f"{reader}: the engine alone")
        engine = _alone(reader, settings, store, manifests)
    processes = {name: (after[name] - before.get(name, 0.0)) * 1000 / documents for name in sorted(after)}
    stages = _stages([one.timings for one in scans])
    parts = {part: stages.get(stage, 0.0) for part, stage in PARTS.items()}
    parts["model"] = model * 1000 / documents
    whole = sum(processes.values())
    rate = len(scans) / seconds
    return Result(
        reader=reader,
        documents=len(scans),
        pages=sum(one.pages for one in scans),
        seconds=seconds,
        documents_per_s=rate,
        cpu_ms=whole,
        cpu_ms_parts={**parts, "everything else": whole - sum(parts.values())},
        cpu_ms_stages=stages,
        cpu_ms_processes=processes,
        idle_cpu_ms=idle,
        memory_mib={name: _kept(seen) for name, seen in memory.seen.items()},
        stretches=tuple(stretches.seen),
        engine=engine,
        over_engine=None if engine is None else rate / engine.documents_per_s,
        priority=priority,
    )


def _idle(running: Plant) -> dict[str, float]:
    before, started = running.cpu(), time.monotonic()
    time.sleep(IDLE_SECONDS)
    seconds, after = time.monotonic() - started, running.cpu()
    return {name: (after[name] - before.get(name, 0.0)) * 1000 / seconds for name in sorted(after)}


def _stages(timings: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """CPU-ms a document of each stage."""
    total: Counter[str] = Counter()
    for one in timings:
        total.update({name.removesuffix("_cpu"): value for name, value in one.items() if name.endswith("_cpu")})
    return {name: value * 1000 / len(timings) for name, value in sorted(total.items())}


def _kept(seen: Sequence[float]) -> Kept:
    quarter = max(1, len(seen) // 4)
    return Kept(median(seen[:quarter]), median(seen[-quarter:]), max(seen))


def _alone(reader: str, settings: Settings, store: ObjectStore, manifests: Sequence[Mapping[str, Any]]) -> Alone:
    # Torch is slow to import, and the null reader does without.
    from docvigil.bench.alone import asked, measured
    from docvigil.bench.worker import ink

    types = {one.key: one for one in known(settings.types_folder)}
    documents = [asked(store, manifest, types) for manifest in manifests]
    return measured(ink(reader, settings), documents, max_batch=settings.max_batch, callers=settings.infer_threads)
