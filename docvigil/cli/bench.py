"""The commands that measure: `docvigil bench engine`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

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

    `bundled` is the checkpoint that ships, `published` nanoVLM-222M with random weights. With --json one object a model
    and precision: `model`, `precision`, questions a second `single_per_s`, `batched_per_s`, `engine_per_s`, the
    ratios `engine_over_single` and `engine_over_batched` (medians of the rounds), `matmul_peak_gflops` of this machine,
    `gflop_per_evidence`, `peak_fraction`, `vision_peak_fraction`, `agreement` of the engine with the first way on
    `answers` answers, and `threads`.
    """
    import torch

    from docvigil.bench.engine import measured
    from docvigil.bench.stand import Stand, bundled_stand, published_stand
    from docvigil.bench.stand import evidences as drawn

    if threads is not None:
        torch.set_num_threads(threads)
    stands: dict[str, Callable[[], Stand]] = {"bundled": bundled_stand, "published": published_stand}
    for name in models or []:
        if name not in stands:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(stands)}", param_hint="--model")
    images = drawn(evidences)
    results = []
    for name in models or list(stands):
        with errors.status(f"{name}: loading") as status:
            result = measured(stands[name](), images, rounds, singles, status.update)
        results.append(result)
        if json:
            as_json(asdict(result))
    if json:
        return
    table = Table("", *(f"{one.model}, {one.precision}" for one in results), box=None)
    for title, attribute, shape in ROWS:
        table.add_row(title, *(shape.format(getattr(one, attribute)) for one in results))
    screen.print(table)


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
