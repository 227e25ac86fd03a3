"""The processes of docvigil, one by one, as compose and Kubernetes run them: migrate, watch, relay, reconcile, worker,
beat. `docvigil up` runs the same commands as its children."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from docvigil import logging, wiring
from docvigil.cli.common import Refusal, stopping
from docvigil.desk import Desk, open_desk
from docvigil.settings import Settings, settings
from pipeline.reading import Reader


class Queue(StrEnum):
    PREPARE = "prepare"
    INFER = "infer"


def register(app: typer.Typer) -> None:
    for command in (migrate, watch, relay, reconcile, worker, beat):
        app.command(rich_help_panel="Processes")(command)


@contextmanager
def _serving() -> Iterator[Desk]:
    """The instance to work for; what happens is logged in full."""
    logging.set_up(settings())
    with open_desk(settings()) as desk:
        yield desk


def migrate() -> None:
    """Bring the database's tables to this version. Safe to run twice and at the same time."""
    from records.migrate import upgrade

    with _serving() as desk:
        upgrade(desk.instance.owner_url)
    typer.echo("The tables are up to date.")


def watch(
    sources: Annotated[list[str], typer.Argument(metavar="DIR|s3://BUCKET/PREFIX…", help="What to watch.")],
) -> None:
    """Watch folders and buckets, and take in every document that turns up."""
    from ingest.watch import BadSource, run

    with _serving() as desk, stopping() as stop:
        try:
            run(sources, wiring.watch_config(desk.settings, desk.instance), stop)
        except BadSource as wrong:
            raise Refusal(str(wrong)) from wrong


def relay() -> None:
    """Move waiting work from Postgres to the queues, a window at a time."""
    from workers.relay import run

    with _serving() as desk, stopping() as stop:
        run(wiring.worker_config(desk.settings, desk.instance), stop)


def reconcile() -> None:
    """Give back the work of lost workers, and append to the audit chain, every few seconds."""
    from workers.reconcile import run

    with _serving() as desk, stopping() as stop:
        run(wiring.worker_config(desk.settings, desk.instance), stop)


def beat() -> None:
    """Start what is due by the calendar."""
    from workers.schedule import run

    with _serving() as desk, stopping() as stop:
        run(wiring.worker_config(desk.settings, desk.instance), stop)


def worker(
    queue: Annotated[Queue, typer.Argument(help="prepare (CPU: pages, registration) or infer (the model).")],
    concurrency: Annotated[int | None, typer.Option(help="Processes (prepare) or threads (infer).")] = None,
) -> None:
    """Work on one queue."""
    from workers.run import run_infer, run_prepare

    with _serving() as desk:
        config = wiring.worker_config(desk.settings, desk.instance)
        if queue is Queue.PREPARE:
            run_prepare(config, concurrency)
        else:
            run_infer(config, lambda: _reader(desk.settings), concurrency)


def _reader(chosen: Settings) -> Reader:
    """The model, or a refusal where its folder holds none that can be used."""
    try:
        return wiring.reader(chosen)
    except (FileNotFoundError, ValueError) as wrong:
        raise Refusal(f"the model can't be loaded: {wrong}") from wrong
