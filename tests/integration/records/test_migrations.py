"""Migrations on a real server: up, down, up again, with data; and the tables are those of the code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session, sessionmaker

from pipeline.findings import Verdict
from records import audit, reviews, tallies
from records.database import engine
from records.migrate import current, downgrade, upgrade
from records.tables import Base, Document, Event, Finding
from tests.integration.records.casework import put
from tests.integration.records.steps import document, finding, judge
from tests.services import Services

TABLES = {*Base.metadata.tables}


@pytest.fixture
def empty_database(postgres: Services) -> Iterator[str]:
    with postgres.database(migrated=False) as name:
        yield name


def tables(url: str) -> set[str]:
    database = engine(url)
    try:
        return set(inspect(database).get_table_names()) - {"alembic_version"}
    finally:
        database.dispose()


def fill(sessions: sessionmaker[Session]) -> None:
    judge(sessions, document(sessions, "flagged"), Verdict.FLAGGED, [finding()])
    judge(sessions, document(sessions, "clear"), Verdict.CLEAR, [])
    document(sessions, "waiting")
    with sessions.begin() as session:
        number = session.scalars(select(Finding.id)).one()
        reviews.review(session, number, "confirmed", reviewer="alice")
    with sessions.begin() as session:
        audit.chain_once(session)


def test_up_with_data_down_and_up_again(postgres: Services, empty_database: str) -> None:
    owner, application = postgres.url(empty_database, owner=True), postgres.url(empty_database)
    assert current(owner) is None
    upgrade(owner)
    assert tables(owner) == TABLES
    database = engine(application)
    try:
        sessions = sessionmaker(database, expire_on_commit=False)
        fill(sessions)
        upgrade(owner)
        with sessions.begin() as session:
            assert audit.verify(session).ok
            assert session.scalar(select(func.count()).select_from(Document)) == 3, "a second upgrade changes nothing"
        database.dispose()
        downgrade(owner, "base")
        assert tables(owner) == set()
        assert current(owner) is None
        upgrade(owner)
        fill(sessions)
    finally:
        database.dispose()


def test_down_leaves_nothing_of_ours_behind(postgres: Services, empty_database: str) -> None:
    owner = postgres.url(empty_database, owner=True)
    upgrade(owner)
    downgrade(owner, "base")
    database = engine(owner)
    try:
        with database.begin() as connection:
            left = connection.exec_driver_sql(
                "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND left(relname, 15) <> 'alembic_version'"
            ).scalar()
            routines = connection.exec_driver_sql(
                "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            ).scalar()
    finally:
        database.dispose()
    assert (left, routines) == (0, 0)


def test_what_waits_already_is_counted_by_the_day_it_is_due(postgres: Services, empty_database: str) -> None:
    owner = postgres.url(empty_database, owner=True)
    upgrade(owner)
    database = engine(owner)
    sessions = sessionmaker(database, expire_on_commit=False)

    def overdue(after: str) -> int:
        with sessions.begin() as session:
            session.execute(text("UPDATE cases SET due_at = now() - CAST(:after AS interval)"), {"after": after})
        upgrade(owner)
        with sessions.begin() as session:
            assert "due" not in tallies.counts(session)
            return tallies.due(session)["overdue"]

    try:
        for number in range(3):
            put(sessions, f"form-{number}")
        downgrade(owner, "0007")
        assert overdue("2 days") == 3
        assert overdue("4 days") == 3, "the tallies follow from then on"
    finally:
        database.dispose()


def test_the_migrated_tables_are_those_of_the_code(owner_url: str) -> None:
    database = engine(owner_url)
    try:
        with database.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, Base.metadata) == []
    finally:
        database.dispose()


def test_every_constraint_of_the_code_is_in_the_database(owner_url: str) -> None:
    database = engine(owner_url)
    try:
        with database.connect() as connection:
            there = set(connection.exec_driver_sql("SELECT conname FROM pg_constraint").scalars())
    finally:
        database.dispose()
    named = {str(one.name) for table in Base.metadata.tables.values() for one in table.constraints if one.name}
    assert named - there == set()


def test_the_event_of_a_change_is_in_its_transaction(sessions: sessionmaker[Session]) -> None:
    document(sessions)
    with sessions() as session:
        audit.event(session, "test", "subject")
        session.rollback()
    with sessions.begin() as session:
        assert session.scalars(select(Event.kind)).all() == ["arrival"]
