"""The commands that measure: `docvigil bench engine`, `pipeline`, `agreement`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from docvigil import logging
from docvigil.cli.common import as_json, errors, screen

app = typer.Typer(help="Measure how fast this machine reads.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Each command compares within one run: times of two runs can't be compared."""


@app.command()
def engine(
    models: Annotated[list[str] | None, typer.Option("--model", help="bundled, published; both if not given.")] = None,
    evidences: Annotated[int, typer.Option(help="Evidences a round, with four questions each.")] = 16,
    rounds: Annotated[int, typer.Option(help="How often each way takes its turn.")] = 3,
    singles: Annotated[int, typer.Option(help="Questions a round that are asked one by one.")] = 12,
    threads: Annotated[int | None, typer.Option(help="Of torch; as many as there are cores if not given.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Measure the engine against the published way of generating: one image, one question, greedy, key/value cache;
    and against the same batched.

    `bundled` is the checkpoint that ships, `published` nanoVLM-222M with random weights, each in every precision that
    this machine has; the other ways are fp32. With --json one object a model and precision: `model`, `precision`,
    questions a second `single_per_s`, `batched_per_s`, `engine_per_s`, the ratios `engine_over_single` and
    `engine_over_batched` (medians of the rounds), `matmul_peak_gflops` of this machine in that precision,
    `gflop_per_evidence`, `peak_fraction`, `vision_peak_fraction`, `agreement` of the engine with the first way on
    `answers` answers, and `threads`.
    """
    import torch

    from docvigil.bench.engine import measured
    from docvigil.bench.stand import Stand, bundled_stand, precisions, published_precisions, published_stand
    from docvigil.bench.stand import evidences as drawn

    if threads is not None:
        torch.set_num_threads(threads)
    stands: dict[str, list[Callable[[], Stand]]] = {
        "bundled": [partial(bundled_stand, precision) for precision in precisions()],
        "published": [partial(published_stand, precision) for precision in published_precisions()],
    }
    for name in models or []:
        if name not in stands:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(stands)}", param_hint="--model")
    images = drawn(evidences)
    results = []
    for make in [make for name in models or list(stands) for make in stands[name]]:
        with errors.status("loading") as status:
            result = measured(make(), images, rounds, singles, status.update)
        results.append(result)
        if json:
            as_json(asdict(result))
    if json:
        return
    table = Table("", *(f"{one.model}, {one.precision}" for one in results), box=None)
    for title, attribute, shape in ROWS:
        table.add_row(title, *(shape.format(getattr(one, attribute)) for one in results))
    screen.print(table)


class Read(StrEnum):
    """Who answers in `bench pipeline`."""

    BUNDLED = "bundled"
    PUBLISHED = "published"
    NULL = "null"


@app.command()
def pipeline(
    readers: Annotated[
        list[Read] | None,
        typer.Option("--reader", help="bundled, published, null; bundled and null if not given."),
    ] = None,
    documents: Annotated[int, typer.Option(min=1, help="Documents that are measured.")] = 60,
    waiting: Annotated[int, typer.Option(min=0, help="Try an urgent document while so many wait.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the drawn documents.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Measure documents a second from the drop folder to the verdict, through Redis, Postgres and the object store,
    against the engine alone on the same evidence; and what a document costs.

    `null` finds every field empty at once: what is left is everything but the model. `published` is nanoVLM-222M with
    random weights. Each runs in an instance of its own, in a temporary folder.

    With --json one object a reader: `reader`, `documents`, `pages`, `seconds`, `documents_per_s`; CPU milliseconds a
    document from intake to verdict, all processes counted, `cpu_ms`, and of it `cpu_ms_parts` (`rendering`,
    `registration`, `evidence encoding`, `model`, `print` with unpacking the evidence, `everything else`),
    `cpu_ms_stages`, `cpu_ms_processes`; `idle_cpu_ms` a second by process; `memory_mib` of each worker (`first` and
    `last` quarter of the run, `most`); `stretches`, quarters of the documents one after the other (`documents`,
    `documents_per_s`, `cpu_ms`, of the workers alone `workers_cpu_ms`). `engine` (`documents_per_s`,
    `questions_per_document`, `cpu_ms`, and the 95th percentiles of one question of a person: `interactive_alone_s`,
    `interactive_busy_s` while documents keep the engine busy, `interactive_over_alone`) and `over_engine` are null with
    the null reader. `priority`, null without --waiting: `waiting`, seconds to an urgent document's verdict `idle_s`,
    `waiting_s`, `over_idle`, and the same from its intake: `idle_taken_in_s`, `waiting_taken_in_s`,
    `taken_in_over_idle`.
    """
    from docvigil.bench.pipeline import measured
    from docvigil.bench.report import rows

    logging.set_up(least="warning")
    results = []
    for reader in readers or [Read.BUNDLED, Read.NULL]:
        with tempfile.TemporaryDirectory(prefix="dv") as work, errors.status(reader.value) as status:
            # Embedded Postgres may run as another user, who must be able to reach its data.
            Path(work).chmod(0o755)
            result = measured(reader.value, documents, Path(work), waiting=waiting, seed=seed, say=status.update)
        results.append(result)
        if json:
            as_json(asdict(result))
    if json:
        return
    table = Table("", *(one.reader for one in results), box=None)
    for row in rows(results):
        table.add_row(*row)
    screen.print(table)


@app.command()
def agreement(
    answers: Annotated[int, typer.Option(min=1, help="Answers that are compared, at least.")] = 10_000,
    threads: Annotated[int | None, typer.Option(help="Of torch; as many as there are cores if not given.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Compare the engine's answers with those of the published way of generating, one question at a time, on drawn
    evidence of the test split, read by the checkpoint that ships.

    The engine answers in each precision that this machine has, the other way in fp32. With --json one object a
    precision: `model`, `precision`, `answers`, `identical` (same state, value and label), `low` and `high` of their
    share (95 %, Wilson), `largest_difference` of confidence, `by_kind` (answers, identical), and the first `different`
    ones (`drawing`, `kind`, `plain`, `engine`, `plain_confidence`, `engine_confidence`).
    """
    import torch

    from docvigil.bench.agreement import measured
    from docvigil.bench.stand import bundled_stand, precisions

    if threads is not None:
        torch.set_num_threads(threads)
    for precision in precisions():
        with errors.status(precision) as status:
            result = measured(bundled_stand(precision), answers, status.update)
        if json:
            as_json(asdict(result))
            continue
        screen.print(
            f"{precision}: {result.identical} of {result.answers} answers are identical"
            f" ({result.identical / result.answers:.2%}, 95 % interval {result.low:.2%} to {result.high:.2%})."
            f" The largest difference of confidence is {result.largest_difference:.1e}."
        )
        for one in result.different:
            screen.print(
                f"drawing {one.drawing}, {one.kind}: {one.plain!r} ({one.plain_confidence:.3f}) alone,"
                f" {one.engine!r} ({one.engine_confidence:.3f}) by the engine"
            )


ROWS = (
    ("questions/s, one by one", "single_per_s", "{:.2f}"),
    ("questions/s, batched", "batched_per_s", "{:.2f}"),
    ("questions/s, engine", "engine_per_s", "{:.2f}"),
    ("engine over one by one", "engine_over_single", "{:.1f}×"),
    ("engine over batched", "engine_over_batched", "{:.1f}×"),
    ("peak of a matrix product, GFLOP/s", "matmul_peak_gflops", "{:.0f}"),
    ("GFLOP an evidence", "gflop_per_evidence", "{:.3f}"),
    ("share of the peak", "peak_fraction", "{:.0%}"),
    ("share of the peak, vision tower", "vision_peak_fraction", "{:.0%}"),
    ("same answers as one by one", "agreement", "{:.2%}"),
    ("answers compared", "answers", "{}"),
    ("threads", "threads", "{}"),
)
