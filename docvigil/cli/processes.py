"""The processes of docvigil, one by one, as compose and Kubernetes run them: migrate, watch, relay, reconcile, worker,
beat. `docvigil up` runs the same commands as its children."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from docvigil.cli.common import opened, stopping
from docvigil.wiring import worker_config


class Queue(StrEnum):
    PREPARE = "prepare"
    INFER = "infer"


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Processes")(migrate)
    app.command(rich_help_panel="Processes")(watch)
    app.command(rich_help_panel="Processes")(relay)
    app.command(rich_help_panel="Processes")(reconcile)
    app.command(rich_help_panel="Processes")(worker)
    app.command(rich_help_panel="Processes")(beat)


def migrate() -> None:
    """Bring the database's tables to this version. Safe to run twice and at the same time."""
    with opened(migrate=True) as desk:
        typer.echo(f"the tables are up to date in {desk.settings.home}")


def watch(
    sources: Annotated[list[str], typer.Argument(metavar="DIR|s3://BUCKET/PREFIX…", help="What to watch.")],
) -> None:
    """Watch folders and buckets, and take in every document that turns up."""
    from ingest.watch import watch as watch_sources

    with opened() as desk, stopping() as stop:
        watch_sources(sources, desk.ingest(), stop)


def relay() -> None:
    """Move waiting work from Postgres to the queues, a window at a time."""
    from workers.relay import run

    with opened() as desk, stopping() as stop:
        run(worker_config(desk), stop)


def reconcile() -> None:
    """Give back the work of lost workers, and append to the audit chain, every few seconds."""
    from workers.reconcile import run

    with opened() as desk, stopping() as stop:
        run(worker_config(desk), stop)


def beat() -> None:
    """Start what is due by the calendar (audit anchors; retraining)."""
    from workers.schedule import run

    with opened() as desk, stopping() as stop:
        run(worker_config(desk), stop)


def worker(
    queue: Annotated[Queue, typer.Argument(help="prepare (CPU: pages, registration) or infer (the model).")],
    concurrency: Annotated[int | None, typer.Option(help="Processes (prepare) or threads (infer).")] = None,
) -> None:
    """Work on one queue."""
    with opened() as desk:
        config = worker_config(desk)
        if queue is Queue.PREPARE:
            from workers.app import run_prepare

            run_prepare(config, concurrency)
        else:
            from docvigil.wiring import reader
            from workers.app import run_infer

            run_infer(config, lambda: reader(desk.settings), concurrency)
