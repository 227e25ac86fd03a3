"""The application: its parts put together, and served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio.to_thread
import uvicorn
from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware

from web import health, problems
from web.access import ACCESS, PUBLIC, admit, check_table, routes
from web.config import WebConfig
from web.context import THREADS, Context
from web.headers import Guard
from web.observe import Observe
from web.routes import ROUTERS

ABOUT = """What docvigil knows, for programs: documents, findings, the flagged queue, reviews, models.

Sign in with a bearer token: of your organisation's OIDC issuer, or, where docvigil signs in itself, of `/oauth/token`.
Errors are problem+json (RFC 9457). Lists are paged by `after`."""


def create(config: WebConfig) -> FastAPI:
    """The application. Raises LookupError where a route has no row in the table of access."""
    context = Context.of(config)
    registry = health.registry(context)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        yield
        context.close()

    app = FastAPI(
        title="docvigil",
        version=version("docvigil"),
        description=ABOUT,
        # The description is a route like any other, and the pages to browse it would load scripts from elsewhere.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=running,
        dependencies=[Depends(admit)],
        middleware=[
            Middleware(Guard, secure=config.secure, hosts=config.hosts, upload_bytes=config.max_file_bytes),
            Middleware(Observe, registry=registry),
        ],
    )
    app.state.context = context
    app.state.registry = registry
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    check_table(app)
    app.openapi = lambda: _described(app, config)  # type: ignore[method-assign]
    return app


def serve(
    config: WebConfig,
    *,
    host: str,
    port: int,
    trusted_proxies: tuple[str, ...] = (),
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
) -> None:
    """Serves the application until SIGTERM or SIGINT; requests that are under way are finished.

    Addresses of callers are believed from `trusted_proxies` only.
    """
    uvicorn.run(
        create(config),
        host=host,
        port=port,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies) or None,
        ssl_certfile=tls_certificate,
        ssl_keyfile=tls_key,
        # Both are written by `web.observe` and `docvigil.logging`.
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=20,
    )


def _described(app: FastAPI, config: WebConfig) -> dict[str, Any]:
    if app.openapi_schema is not None:
        return app.openapi_schema
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, servers=[{"url": "/"}]
    )
    schemes: dict[str, Any] = schema.setdefault("components", {}).setdefault("securitySchemes", {})
    if config.oidc is None:
        flows = {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}}
        schemes["oauth2"] = {"type": "oauth2", "flows": flows}
    else:
        url = config.oidc.issuer.rstrip("/") + "/.well-known/openid-configuration"
        schemes["oauth2"] = {"type": "openIdConnect", "openIdConnectUrl": url}
    for route in routes(app):
        described = schema["paths"].get(route.path, {})
        for method in described.values():
            allowed = ACCESS[route.name or ""]
            if method.get("operationId", "").startswith(f"{route.name}_"):
                method["security"] = [] if allowed is PUBLIC else [{"oauth2": []}]
                method["x-roles"] = sorted(allowed)
    app.openapi_schema = schema
    return schema
