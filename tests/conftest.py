"""Fixtures of every tier. `DOCVIGIL_NO_SKIPS` turns a skipped test into a failure, as continuous integration wants."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator

# Several test processes share the cores: threads of one that wait for each other would stand in the others' way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from redis import Redis
from sqlalchemy.orm import Session, sessionmaker

from records.database import engine
from records.database import sessions as make_sessions
from tests.services import Services, services


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("DOCVIGIL_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may be: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def postgres() -> Iterator[Services]:
    """The running services of this test session."""
    with services() as started:
        yield started


@pytest.fixture
def database_name(postgres: Services) -> Iterator[str]:
    with postgres.database() as name:
        yield name


@pytest.fixture
def database_url(postgres: Services, database_name: str) -> str:
    """A fresh, migrated database, as the application's role."""
    return postgres.url(database_name)


@pytest.fixture
def owner_url(postgres: Services, database_name: str) -> str:
    """The same database, as the role that owns its tables."""
    return postgres.url(database_name, owner=True)


@pytest.fixture
def sessions(database_url: str) -> Iterator[sessionmaker[Session]]:
    database = engine(database_url)
    yield make_sessions(database)
    database.dispose()


@pytest.fixture
def redis_url(postgres: Services) -> str:
    """An empty Redis."""
    with Redis.from_url(postgres.redis_url) as client:
        client.flushall()
    return postgres.redis_url
