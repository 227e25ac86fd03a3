"""The processes of docvigil, one by one, as compose and Kubernetes run them: migrate, watch, relay, reconcile, worker,
beat. `docvigil up` runs the same commands as its children."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from docvigil import logging
from docvigil.cli.common import opened, stopping
from docvigil.settings import settings
from docvigil.wiring import reader, watch_config, worker_config


class Queue(StrEnum):
    PREPARE = "prepare"
    INFER = "infer"


def register(app: typer.Typer) -> None:
    for command in (migrate, watch, relay, reconcile, worker, beat):
        app.command(rich_help_panel="Processes")(command)


def migrate() -> None:
    """Bring the database's tables to this version. Safe to run twice and at the same time."""
    from records.migrate import upgrade

    with opened() as desk:
        upgrade(desk.instance.owner_url)
    typer.echo("The tables are up to date.")


def watch(
    sources: Annotated[list[str], typer.Argument(metavar="DIR|s3://BUCKET/PREFIX…", help="What to watch.")],
) -> None:
    """Watch folders and buckets, and take in every document that turns up."""
    from ingest.watch import run

    logging.set_up(settings())
    with opened() as desk, stopping() as stop:
        run(sources, watch_config(desk.settings, desk.instance), stop)


def relay() -> None:
    """Move waiting work from Postgres to the queues, a window at a time."""
    from workers.relay import run

    logging.set_up(settings())
    with opened() as desk, stopping() as stop:
        run(worker_config(desk.settings, desk.instance), stop)


def reconcile() -> None:
    """Give back the work of lost workers, and append to the audit chain, every few seconds."""
    from workers.reconcile import run

    logging.set_up(settings())
    with opened() as desk, stopping() as stop:
        run(worker_config(desk.settings, desk.instance), stop)


def beat() -> None:
    """Start what is due by the calendar."""
    from workers.schedule import run

    logging.set_up(settings())
    with opened() as desk, stopping() as stop:
        run(worker_config(desk.settings, desk.instance), stop)


def worker(
    queue: Annotated[Queue, typer.Argument(help="prepare (CPU: pages, registration) or infer (the model).")],
    concurrency: Annotated[int | None, typer.Option(help="Processes (prepare) or threads (infer).")] = None,
) -> None:
    """Work on one queue."""
    from workers.run import run_infer, run_prepare

    logging.set_up(settings())
    with opened() as desk:
        config = worker_config(desk.settings, desk.instance)
        if queue is Queue.PREPARE:
            run_prepare(config, concurrency)
        else:
            run_infer(config, lambda: reader(desk.settings), concurrency)
