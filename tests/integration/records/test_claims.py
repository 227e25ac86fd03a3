"""In whose hands a document is: one at a time, for a while, by the database's clock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from pipeline.findings import Outcome
from records import claims, scans
from records.desk_filters import Filters
from records.desk_tables import Case
from records.tables import Event
from records.words import Refused
from tests.integration.records.casework import PASS, asked, decide, let_claims_run_out, next_for, put
from tests.integration.records.steps import finding

DOUBT = finding("date.stale", Outcome.UNCERTAIN, field="date")


def test_the_urgent_then_the_riskiest_then_what_is_left(sessions: sessionmaker[Session]) -> None:
    doubtful = put(sessions, "doubtful", [DOUBT])
    risky = put(sessions, "risky")
    urgent = put(sessions, "urgent", [DOUBT], priority=5)
    put(sessions, "clear", [PASS])
    taken: list[str] = []
    while (one := next_for(sessions, besides=taken)) is not None:
        taken.append(one)
    assert taken == [urgent, risky, doubtful]


def test_many_who_ask_at_once_get_different_documents(sessions: sessionmaker[Session]) -> None:
    documents = {put(sessions, f"form-{number}") for number in range(12)}
    with ThreadPoolExecutor(12) as pool:
        got = list(pool.map(lambda number: next_for(sessions, f"reviewer-{number}"), range(12)))
    assert {*got} == documents
    assert next_for(sessions, "late") is None


def test_who_asks_again_gets_the_same_document(sessions: sessionmaker[Session]) -> None:
    put(sessions, "one")
    put(sessions, "two")
    first = next_for(sessions)
    assert next_for(sessions) == first
    assert next_for(sessions, besides=[str(first)]) not in (first, None)


def test_a_claim_that_ran_out_is_anybodys(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form")
    assert next_for(sessions, "alice") == one
    assert next_for(sessions, "bob") is None
    with pytest.raises(Refused, match="somebody else's hands"), sessions.begin() as session:
        claims.claim(session, one, "bob", seconds=60)
    let_claims_run_out(sessions)
    assert next_for(sessions, "bob") == one
    with sessions.begin() as session:
        assert not claims.renew(session, one, "alice", seconds=60)
        assert claims.renew(session, one, "bob", seconds=60)
        assert not claims.release(session, one, "alice")
        assert claims.release(session, one, "bob")
    assert next_for(sessions, "alice") == one


def test_only_a_supervisor_takes_over_a_live_claim(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form")
    next_for(sessions, "alice")
    with pytest.raises(Refused), sessions.begin() as session:
        claims.claim(session, one, "bob", seconds=60, take_over=True)
    with sessions.begin() as session:
        claims.claim(session, one, "carol", seconds=60, take_over=True, supervisor=True)
    with pytest.raises(Refused, match="somebody else's hands"):
        decide(sessions, asked(sessions, one)[0], reviewer="alice")
    with sessions.begin() as session:
        bodies = session.scalars(select(Event.body).where(Event.kind == "case.claimed").order_by(Event.id)).all()
    assert '"before":"alice"' in bodies[-1]


def test_what_is_assigned_comes_first_and_to_nobody_else(sessions: sessionmaker[Session]) -> None:
    risky, doubtful = put(sessions, "risky"), put(sessions, "doubtful", [DOUBT])
    with sessions.begin() as session:
        assert claims.assign(session, [doubtful, "0" * 64], "alice", actor="carol") == [doubtful]
    assert next_for(sessions, "bob") == risky
    assert next_for(sessions, "dave") is None
    assert next_for(sessions, "alice") == doubtful
    with sessions.begin() as session:
        claims.release(session, doubtful, "alice")
        claims.assign(session, [doubtful], None, actor="carol")
    assert next_for(sessions, "dave") == doubtful


def test_filters_narrow_what_comes_next(sessions: sessionmaker[Session]) -> None:
    put(sessions, "risky")
    doubtful = put(sessions, "doubtful", [DOUBT])
    assert next_for(sessions, filters=Filters(check="date.stale")) == doubtful


def test_nobody_is_asked_about_an_older_scan(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form")
    next_for(sessions)
    with sessions.begin() as session:
        again = scans.retry(session, one, actor="carol")
    assert next_for(sessions) is None
    with pytest.raises(LookupError), sessions.begin() as session:
        claims.claim(session, one, "alice", seconds=60)
    put(sessions, "form", scan_id=again)
    assert next_for(sessions, "bob") == one, "the claim on the older scan is nobody's"


def test_claims_are_of_the_database_s_clock_and_whole(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form")
    next_for(sessions)
    with sessions.begin() as session:
        left = session.scalar(
            select(text("extract(epoch FROM claim_expires_at - clock_timestamp())")).select_from(Case)
        )
        assert 50 < float(left) <= 60
        assert session.scalars(select(Case.document_id)).one() == one
