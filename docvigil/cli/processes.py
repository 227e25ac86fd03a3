"""The processes of docvigil, one by one, as compose and Kubernetes run them: migrate, watch, relay, reconcile, worker,
beat, outgoing, web. `docvigil up` runs the same commands as its children."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from docvigil import logging, wiring
from docvigil.cli.common import Refusal, offer_metrics, stopping, the_reader
from docvigil.desk import Desk, open_desk
from docvigil.settings import settings

Metrics = Annotated[
    int | None,
    typer.Option("--metrics-port", min=0, max=65535, help="Offer metrics for Prometheus here; else by the settings."),
]


class Queue(StrEnum):
    PREPARE = "prepare"
    INFER = "infer"
    TRAIN = "train"


def register(app: typer.Typer) -> None:
    for command in (migrate, watch, relay, reconcile, worker, beat, outgoing, web):
        app.command(rich_help_panel="Processes")(command)


@contextmanager
def _serving(metrics_port: int | None = 0) -> Iterator[Desk]:
    """The instance to work for; what happens is logged in full, and counted at the port, or that of the settings."""
    logging.set_up(settings())
    port = settings().metrics_port if metrics_port is None else metrics_port
    if port:
        offer_metrics(port)
    with open_desk(settings()) as desk:
        yield desk


@contextmanager
def _added_up() -> Iterator[None]:
    """What processes forked from this one count, is counted here. Must come before anything that counts is imported."""
    with tempfile.TemporaryDirectory(prefix="docvigil-metrics-") as folder:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
        yield


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


def relay(metrics_port: Metrics = None) -> None:
    """Move waiting work from Postgres to the queues, a window at a time."""
    from workers.relay import run

    with _serving(metrics_port) as desk, stopping() as stop:
        run(wiring.worker_config(desk.settings, desk.instance), stop)


def reconcile(metrics_port: Metrics = None) -> None:
    """Give back the work of lost workers, and append to the audit chain, every few seconds."""
    from workers.reconcile import run

    with _serving(metrics_port) as desk, stopping() as stop:
        run(wiring.worker_config(desk.settings, desk.instance), stop)


def beat(metrics_port: Metrics = None) -> None:
    """Start what is due by the calendar."""
    from workers.schedule import run

    with _serving(metrics_port) as desk, stopping() as stop:
        run(wiring.worker_config(desk.settings, desk.instance), stop)


def outgoing(metrics_port: Metrics = None) -> None:
    """Tell webhooks of verdicts and decisions, and send the daily digest."""
    from workers.outgoing import run
    from workers.webhooks import BadWebhook

    with _serving(metrics_port) as desk, stopping() as stop:
        config = wiring.outgoing_config(desk.settings, desk.instance)
        if not config.anything:
            raise Refusal(
                "Nothing goes out by itself: set DOCVIGIL_WEBHOOK_URLS, or DOCVIGIL_SMTP_HOST and _DIGEST_TO."
            )
        try:
            run(config, stop)
        except BadWebhook as wrong:
            raise Refusal(str(wrong)) from wrong


def web() -> None:
    """Serve the reviewers' desk and the API."""
    from web.app import serve

    with _serving() as desk:
        chosen = desk.settings
        serve(
            wiring.web_config(chosen, desk.instance),
            host=chosen.web_host,
            port=chosen.web_port,
            trusted_proxies=chosen.trusted_proxies,
            tls_certificate=chosen.tls_certificate,
            tls_key=chosen.tls_key,
        )


def worker(
    queue: Annotated[Queue, typer.Argument(help="prepare (CPU: pages, registration), infer (the model) or train.")],
    concurrency: Annotated[int | None, typer.Option(help="Processes (prepare) or threads (infer).")] = None,
    metrics_port: Metrics = None,
) -> None:
    """Work on one queue."""
    with _added_up():
        from workers.run import run_infer, run_prepare, run_train

        with _serving(metrics_port) as desk:
            config = wiring.worker_config(desk.settings, desk.instance)
            if queue is Queue.PREPARE:
                run_prepare(config, concurrency)
            elif queue is Queue.TRAIN:
                run_train(config, wiring.training_config(desk.settings, desk.sessions, desk.store))
            else:
                run_infer(config, lambda: the_reader(desk.settings), concurrency)
