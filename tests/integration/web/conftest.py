"""The application in this process, on the test's own database, Redis and object store; and people signed in at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from records.objects import FolderStore
from web import csrf
from web.access import Role
from web.app import create
from web.config import WebConfig
from web.context import Context


@pytest.fixture
def config(database_url: str, redis_url: str, tmp_path: Path) -> WebConfig:
    return WebConfig(database_url, redis_url, str(tmp_path / "objects"), "http://testserver", max_file_bytes=2**20)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


@pytest.fixture
def app(config: WebConfig) -> Iterator[FastAPI]:
    made = create(config)
    yield made
    made.state.context.close()


@pytest.fixture
def desk(app: FastAPI) -> Context:
    found: Context = app.state.context
    return found


@pytest.fixture(autouse=True)
def plain_log() -> Iterator[None]:
    """Drawing a traceback with its variables takes longer than any test here."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])
    yield
    structlog.reset_defaults()


Visit = Callable[..., TestClient]


@pytest.fixture
def visit(app: FastAPI, desk: Context) -> Visit:
    """A browser, signed in with these roles where some are given; its changing requests show the token they need."""

    def browser(*roles: Role | str, subject: str = "asha") -> TestClient:
        client = TestClient(app, follow_redirects=False, raise_server_exceptions=False)
        if roles:
            secret = desk.identity.begin(subject, subject, [str(role) for role in roles])
            client.cookies.set("docvigil", secret)
            client.headers["X-CSRF-Token"] = csrf.token(secret)
        return client

    return browser


@pytest.fixture
def events(sessions: sessionmaker[Session]) -> Callable[[], list[str]]:
    """The kinds of all events so far."""
    from sqlalchemy import select

    from records.tables import Event

    def kinds() -> list[str]:
        with sessions.begin() as session:
            return list(session.scalars(select(Event.kind).order_by(Event.id)))

    return kinds
