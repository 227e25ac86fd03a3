"""For machines that watch over this process: whether it lives, whether it can work, and what it counts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy import text

from records import outbox, verdicts
from web.context import Context, Desk

log = structlog.get_logger(__name__)
router = APIRouter(tags=["health"])

#: Counting a large database takes a while; it is done at most this often, in seconds.
COUNT_SECONDS = 30.0


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "alive"}


@router.get("/readyz", response_model=None)
def readyz(desk: Desk) -> JSONResponse:
    """The database answers; without it nothing can be shown. 503 otherwise."""
    try:
        with desk.database.connect() as connection:
            connection.execute(text("SELECT 1"))
    except Exception as error:  # noqa: BLE001 - Whatever it is, nothing can be shown.
        log.warning("web.not_ready", error=type(error).__name__)
        return JSONResponse({"status": "not ready", "waits_for": "database"}, 503)
    return JSONResponse({"status": "ready"})


@router.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Metrics of this process and of the records, for Prometheus."""
    return Response(generate_latest(request.app.state.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class Records(Collector):
    """What the records hold, counted when it is asked for."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._at = float("-inf")
        self._told: tuple[GaugeMetricFamily, ...] = ()

    def describe(self) -> Iterator[GaugeMetricFamily]:
        # Nothing is counted before somebody asks.
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if time.monotonic() - self._at > COUNT_SECONDS:
            self._told, self._at = self._count(), time.monotonic()
        yield from self._told

    def _count(self) -> tuple[GaugeMetricFamily, ...]:
        documents = GaugeMetricFamily("docvigil_documents", "Documents by status.", labels=["status"])
        queued = GaugeMetricFamily("docvigil_queue", "Scans by queue and state.", labels=["queue", "state"])
        with self._context.sessions.begin() as session:
            for status, count in verdicts.counts(session).items():
                documents.add_metric([status], count)
            for one in outbox.pending(session).values():
                for state in ("waiting", "published", "taken"):
                    queued.add_metric([one.queue, state], getattr(one, state))
        return documents, queued


def registry(context: Context) -> CollectorRegistry:
    """A registry of its own, so that two applications in one process don't disturb each other."""
    made = CollectorRegistry()
    made.register(Records(context))
    return made
