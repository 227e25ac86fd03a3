"""Each request has an id, a line in the log and its place in the metrics; an error that nobody expected ends here.

An id that the caller sends as `X-Request-ID` is kept where it looks like one. Paths are told as their patterns: what
stands in a path or a query may be personal.
"""

from __future__ import annotations

import re
import time
import uuid

import structlog
from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)

_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
#: Seconds; the desk promises a page within 50 ms.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
#: Looked at by machines every few seconds: of no use in a log.
QUIET = ("healthz", "readyz", "metrics", "static_file")


class Observe:
    """Pure ASGI. `registry` is where its metrics are told."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "docvigil_http_requests", "Requests answered.", ["route", "method", "status"], registry=registry
        )
        self._seconds = Histogram(
            "docvigil_http_seconds", "Time to the whole answer.", ["route"], buckets=BUCKETS, registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = dict(scope["headers"]).get(b"x-request-id", b"")
        request_id = sent.decode() if _ID.fullmatch(sent) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id)
        status, started = 0, time.perf_counter()

        async def telling(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, telling)
        except Exception as error:
            if status:
                log.error("web.broken_off", exc_info=error)
                raise
            from web.problems import unexpected

            await unexpected(Request(scope), error)(scope, receive, telling)
        finally:
            self._tell(scope, status, time.perf_counter() - started)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        name = getattr(scope.get("route"), "name", None) or "none"
        self._requests.labels(name, scope["method"] if name != "none" else "any", status).inc()
        self._seconds.labels(name).observe(seconds)
        if name not in QUIET:
            log.info("request", route=name, method=scope["method"], status=status, ms=round(seconds * 1000, 1))
