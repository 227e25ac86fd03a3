"""What a document costs in statements, so that it can't creep up; and that connections that rested are asked first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session, sessionmaker

from pipeline.desk import DeskRules
from pipeline.findings import Outcome, Verdict
from records import audit, database, handing, leases, scans
from records.desk_tables import Case
from records.tables import Finding
from tests.integration.records.steps import MANIFEST, VERSIONS, arrive, document, finding, prepare, source, take


@contextmanager
def counted(sessions: sessionmaker[Session]) -> Iterator[list[str]]:
    """The statements that are sent while the context lasts."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    engine = sessions.kw["bind"]
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_new_document_takes_three_statements(sessions: sessionmaker[Session]) -> None:
    number = source(sessions)
    with counted(sessions) as sent, sessions.begin() as session:
        assert arrive(session, number, "form").status == "document"
    assert len(sent) <= 3, sent


def test_a_scan_is_taken_up_and_handed_on_in_one_statement_each(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    with counted(sessions) as sent, database.at_once(sessions) as session:
        lease = handing.take(session, scan_id, "prepare", "worker-1", 60)
    assert lease is not None and len(sent) == 1, sent
    with counted(sessions) as sent, database.at_once(sessions) as session:
        assert handing.prepared(session, lease, MANIFEST)
    assert len(sent) == 1, sent


def test_a_worker_is_told_how_urgent_a_document_is(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions, priority=7)
    lease = take(sessions, scan_id)
    assert lease.priority == 7
    with sessions.begin() as session:
        assert leases.release(session, lease) and scans.write_priority(session, lease.document_id, 9)
    assert take(sessions, scan_id).priority == 9


@pytest.mark.parametrize(("verdict", "rate"), [(Verdict.FLAGGED, 0.0), (Verdict.CLEAR, 0.0), (Verdict.CLEAR, 1.0)])
def test_a_scan_is_judged_in_two_statements(sessions: sessionmaker[Session], verdict: Verdict, rate: float) -> None:
    scan_id = document(sessions)
    prepare(sessions, scan_id)
    lease = take(sessions, scan_id, "infer")
    outcomes = [Outcome.PASS, Outcome.PASS if verdict is Verdict.CLEAR else Outcome.UNCERTAIN]
    told = [finding(outcome=outcome, ordinal=place) for place, outcome in enumerate(outcomes)]
    rules = DeskRules(audit_rate=rate)
    with counted(sessions) as sent, sessions.begin() as session:
        assert handing.judged(session, lease, verdict, told, versions=VERSIONS, rules=rules)
    assert len(sent) <= 2, sent
    with sessions.begin() as session:
        rows = {row.id: row.outcome for row in session.scalars(select(Finding))}
        cases = session.scalars(select(Case)).all()
    assert list(rows.values()) == [one.value for one in outcomes]
    if verdict is Verdict.CLEAR and not rate:
        assert cases == []
    else:
        (case,) = cases
        assert case.asked == case.undecided and [rows[one] for one in case.asked] == [outcomes[1].value]


def test_findings_told_twice_are_written_and_asked_about_once(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    prepare(sessions, scan_id)
    lease = take(sessions, scan_id, "infer")
    with sessions.begin() as session:
        told = [finding(field=None), finding(field=None), finding("date.missing", value='"a": {b}')]
        assert handing.judged(session, lease, Verdict.FLAGGED, told, versions=VERSIONS)
    with sessions.begin() as session:
        case = session.scalars(select(Case)).one()
        assert sorted(case.asked) == sorted(session.scalars(select(Finding.id))) and len(case.asked) == 2
        (value,) = session.scalars(select(Finding.value).where(Finding.check == "date.missing"))
        assert value == '"a": {b}'


def test_the_chainer_asks_one_statement_when_nothing_waits(sessions: sessionmaker[Session]) -> None:
    document(sessions)
    with database.at_once(sessions) as session:
        assert audit.unchained(session)
    with sessions.begin() as session:
        audit.chain_once(session)
    with counted(sessions) as sent, database.at_once(sessions) as session:
        assert not audit.unchained(session)
    assert len(sent) == 1


def test_dead_connections_that_rested_are_replaced(
    sessions: sessionmaker[Session], owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "REST_SECONDS", 0.0)
    with sessions() as one, sessions() as other:
        numbers = [session.scalar(text("SELECT pg_backend_pid()")) for session in (one, other)]
    owner = database.engine(owner_url)
    with owner.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM unnest(:pids) AS pid"), {"pids": numbers})
        until = time.monotonic() + 60
        while connection.scalar(
            text("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(:pids)"), {"pids": numbers}
        ):
            assert time.monotonic() < until
            connection.execute(text("SELECT pg_stat_clear_snapshot(), pg_sleep(0.05)"))
    owner.dispose()
    with sessions() as one, sessions() as other:
        again = [session.scalar(text("SELECT pg_backend_pid()")) for session in (one, other)]
    assert not set(again) & set(numbers)


def test_plans_for_values_are_asked_for_on_every_connection(database_url: str) -> None:
    for wanted, mode in ((True, "force_custom_plan"), (False, "auto")):
        asked = database.engine(database_url, plan_for_values=wanted)
        with asked.begin() as connection:
            connection.execute(text("SELECT 1"))
        with asked.connect() as connection:
            assert connection.scalar(text("SHOW plan_cache_mode")) == mode
        asked.dispose()
