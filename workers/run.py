"""Starting the worker processes in this very process, as the command line does."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init, worker_shutting_down

from pipeline.reading import Reader
from workers import app as celery_app
from workers import credit, tasks
from workers.bonds import die_with_parent, limit_memory, one_thread
from workers.config import TrainingConfig, WorkerConfig
from workers.retrain import Trainer, register
from workers.station import configure, station

#: Threads that wait for the model beside those of the settings, for urgent documents alone.
URGENT_THREADS = 4


def run_prepare(config: WorkerConfig, concurrency: int | None = None) -> None:
    """Prepares documents in processes of its own until SIGTERM, then finishes what is under way.

    The model never comes near these processes. Each has limits of time and memory; what it grows to is given back by
    starting a new one.
    """
    processes = concurrency or config.prepare_processes
    configure(config)

    def process_started(**_: Any) -> None:
        die_with_parent()
        limit_memory(config.prepare_memory_bytes)
        one_thread()

    worker_process_init.connect(process_started, weak=False)
    _run(
        config,
        queues=[celery_app.PREPARE, celery_app.ALONE, celery_app.CONTROL],
        pool="prefork",
        concurrency=processes,
        time_limit=config.prepare_seconds,
        max_tasks_per_child=config.prepare_tasks_per_process,
        max_memory_per_child=config.prepare_memory_bytes // 2 // 1024,
    )


def run_infer(config: WorkerConfig, make_reader: Callable[[], Reader], concurrency: int | None = None) -> None:
    """Judges documents until SIGTERM: many threads wait for the one reader of this process."""
    configure(config, make_reader())
    # The version that judges here may be another than the one that came with the installation.
    if (fleet := station().fleet) is not None:
        fleet.look(wait=True)
    _run(
        config,
        queues=[celery_app.INFER],
        pool="threads",
        concurrency=(concurrency or config.infer_threads) + URGENT_THREADS,
        kept=URGENT_THREADS,
    )


def run_train(config: WorkerConfig, training: TrainingConfig) -> None:
    """Trains until SIGTERM, then gives back what it has in hand. It and all that it starts stand behind everything else
    on the machine."""
    os.nice(training.nice)
    training.folder.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()

    def asked(**_: Any) -> None:
        # The main thread, which runs this, may hold the event's lock at this very moment.
        threading.Thread(target=stop.set).start()

    worker_shutting_down.connect(asked, weak=False)
    trainer = Trainer(config, training, stop)
    trainer.begin()
    try:
        _run(config, queues=[celery_app.TRAIN], pool="threads", concurrency=1, more=lambda app: register(app, trainer))
    finally:
        trainer.close()


def _run(
    config: WorkerConfig,
    *,
    queues: list[str],
    more: Callable[[Celery], None] | None = None,
    kept: int = 0,
    **options: Any,
) -> None:
    # Logging is set up by whoever starts the process; Celery leaves it as it is.
    setup_logging.connect(_keep_logging, weak=False)
    credit.install(kept)
    app: Celery = celery_app.create(config)
    tasks.register(app)
    if more is not None:
        more(app)
    worker = app.Worker(
        queues=queues,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
        loglevel=logging.INFO,
        **options,
    )
    worker.start()


def _keep_logging(**_: Any) -> None:
    """Celery sets up no logging when this signal has a receiver."""
