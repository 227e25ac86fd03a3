"""Documents a second from the drop folder to the verdict, with the model and without.

    python -m benchmarks.pipeline [--count 60] [--json]

Synthesised forms of both built-in types (`--split test`) are dropped at once, twice: once read by the bundled model,
once by a reader that answers at once. The difference is the model's share. Time is told as ratios within the run.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from sqlalchemy import text

from benchmarks.plant import Plant, plant
from models.synthesis.documents import synthesise

#: Stages whose seconds a worker writes down with each scan.
STAGES = ("render", "quality", "locate", "cut", "store", "read", "judge")


@dataclass(frozen=True)
class Run:
    """One run: wall and CPU seconds, both a document; `cpu_by_process` and `stage_seconds` a document too."""

    reader: str
    documents: int
    pages: int
    documents_per_second: float
    cpu_seconds: float
    cpu_by_process: dict[str, float]
    stage_seconds: dict[str, float]


def measured(documents: Path, home: Path, *, null: bool) -> Run:
    files = sorted(one for one in documents.iterdir() if one.name.startswith("form-"))
    with plant(home, null=null) as running:
        # Everything has started when the first documents, which don't count, have their verdicts.
        _drop(running, files[:2])
        running.settle(2, 300, lambda _: None)
        before, started = running.cpu(), time.monotonic()
        _drop(running, files[2:])
        running.settle(len(files), 3600, lambda _: None)
        seconds, after = time.monotonic() - started, running.cpu()
        count = len(files) - 2
        with running.desk.sessions.begin() as session:
            timings = session.scalars(text("SELECT timings FROM scans")).all()
            pages = session.scalar(text("SELECT sum(jsonb_array_length(manifest -> 'pages')) FROM scans"))
    stages: Counter[str] = Counter()
    for one in timings:
        stages.update(one)
    spent = {name: (after[name] - before.get(name, 0.0)) / count for name in after}
    return Run(
        reader="null" if null else "bundled",
        documents=count,
        pages=int(pages or 0),
        documents_per_second=count / seconds,
        cpu_seconds=sum(spent.values()),
        cpu_by_process=spent,
        stage_seconds={name: value / len(timings) for name, value in sorted(stages.items())},
    )


def _drop(running: Plant, files: list[Path]) -> None:
    for file in files:
        shutil.copy(file, running.drop / f".{file.name}")
        (running.drop / f".{file.name}").rename(running.drop / file.name)


def report(runs: list[Run]) -> str:
    model, null = runs
    lines = [
        f"{platform.processor() or platform.machine()}, {psutil.cpu_count()} cores, Python {platform.python_version()}",
        f"{model.documents} documents, {model.pages} pages",
        "",
        "| | with the model | with a null reader | ratio |",
        "|---|---|---|---|",
        _row("documents a second", model.documents_per_second, null.documents_per_second),
        _row("CPU seconds a document", model.cpu_seconds, null.cpu_seconds),
    ]
    for name in sorted(model.cpu_by_process):
        lines.append(_row(f"… {name}", model.cpu_by_process[name], null.cpu_by_process.get(name, 0.0)))
    for name, seconds in model.stage_seconds.items():
        lines.append(_row(f"stage {name}, seconds", seconds, null.stage_seconds.get(name, 0.0)))
    share = 1 - null.cpu_seconds / model.cpu_seconds
    lines += ["", f"The model and the reading of print take {share:.0%} of the CPU time."]
    return "\n".join(lines)


def _row(what: str, one: float, other: float) -> str:
    ratio = f"{one / other:.2f}" if other > 1e-9 else ""
    return f"| {what} | {one:.3f} | {other:.3f} | {ratio} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dv") as work:
        folder = Path(work)
        # Embedded Postgres may run as another user, who must be able to reach its data.
        folder.chmod(0o755)
        for _ in synthesise(folder / "documents", given.count + 2, seed=given.seed, split="test"):
            pass
        runs = [measured(folder / "documents", folder / name, null=name == "null") for name in ("model", "null")]
    sys.stdout.write(json.dumps([asdict(one) for one in runs]) if given.json else report(runs))
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
