"""docvigil's own processes as children of `up`: the same commands that compose and Kubernetes run one by one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from docvigil.embedded.supervisor import Child
from docvigil.instance import Instance
from docvigil.settings import Settings
from docvigil.wiring import outgoing_config

#: What works on documents once they are taken in.
WORKING = (("relay",), ("reconcile",), ("worker", "prepare"), ("worker", "infer"))

#: What works on a training.
TRAINING = (("relay",), ("reconcile",), ("worker", "train"))


def working(chosen: Settings, instance: Instance) -> list[Child]:
    """Relay, reconciler and both workers."""
    return [_child(chosen, instance, None, *words) for words in WORKING]


def training(chosen: Settings, instance: Instance) -> list[Child]:
    """Relay, reconciler and the worker that trains."""
    return [_child(chosen, instance, None, *words) for words in TRAINING]


def everything(
    chosen: Settings, instance: Instance, sources: Sequence[str], metrics: Path | None = None
) -> list[Child]:
    """The desk (first, since its address is told at once), those, the worker that trains, the calendar, a watcher for
    the given folders and buckets, and what goes out where anything does. Metrics are written into a folder, to be added
    up (`workers.observe.serve`)."""
    sending = (("outgoing",),) if outgoing_config(chosen, instance).anything else ()
    every = (("web",), *WORKING, ("worker", "train"), ("beat",), ("watch", *sources), *sending)
    return [_child(chosen, instance, metrics, *words) for words in every]


def _child(chosen: Settings, instance: Instance, metrics: Path | None, *words: str) -> Child:
    name = "-".join(words[:2]) if words[0] == "worker" else words[0]
    logs = chosen.home / "logs"
    environment = {
        "DOCVIGIL_HOME": str(chosen.home),
        "DOCVIGIL_DATABASE_URL": instance.database_url,
        "DOCVIGIL_REDIS_URL": instance.redis_url,
        "DOCVIGIL_OBJECT_STORE": instance.object_store,
        "DOCVIGIL_WEB_PORT": str(chosen.web_port),
        "DOCVIGIL_LOG_FILE": str(logs / f"{name}.log"),
        # They would all take the same port.
        "DOCVIGIL_METRICS_PORT": "0",
    }
    if metrics is not None:
        environment["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
    return Child(
        name=name,
        command=[sys.executable, "-m", "docvigil", *words],
        # What escapes the log: a crash's last words.
        log=logs / f"{name}.err",
        environment=environment,
        also_rotated=[logs / f"{name}.log"],
        stop_seconds=60.0,
    )
