"""Defects that the machine missed: reported, counted with their weights, looked for in documents like it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from pipeline.geometry import Box
from records import desk, misses, reviews, scans
from records.desk_tables import Case, Miss
from records.words import Refused
from tests.integration.records.casework import PASS, RULES, asked, decide, let_claims_run_out, next_for, put
from tests.integration.records.steps import document, finding

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DRAW_ALL = RULES.model_copy(update={"audit_rate": 1.0})


def report(sessions: sessionmaker[Session], document_id: str, check: str = "signature.missing") -> int:
    with sessions.begin() as session:
        return misses.report(
            session,
            document_id,
            reporter="alice",
            page=1,
            check=check,
            box=Box(0.1, 0.1, 0.2, 0.2),
            field="signature_1",
            note="Nothing there, 2345 6789 0123.",
        ).id


def test_a_report_counts_with_the_chance_that_anybody_looked(sessions: sessionmaker[Session]) -> None:
    flagged = put(sessions, "flagged", [finding("date.stale", field="date")])
    drawn = put(sessions, "drawn", [PASS], rules=DRAW_ALL)
    clear = put(sessions, "clear", [PASS])
    for one in (flagged, drawn, clear):
        report(sessions, one)
    decide(sessions, asked(sessions, flagged)[0])
    with sessions.begin() as session:
        session.execute(Miss.__table__.update().where(Miss.document_id == drawn).values(probability=0.1))
        date, signature = misses.labelled(session, LONG_AGO)
        assert (date.check, date.found, date.missed) == ("date.stale", 1, 0)
        assert (signature.found, signature.missed, signature.ended_clear) == (0, 3, 2)
        assert (signature.missed_weight, signature.missed_by_chance) == (pytest.approx(11.0), 1)
        assert misses.of_document(session, clear)[0].note == "Nothing there, XXXX XXXX 0123."


def test_what_makes_no_sense_is_refused(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form")
    document(sessions, "waiting")
    with sessions.begin() as session:
        with pytest.raises(Refused, match="no check"):
            misses.report(session, one, reporter="alice", page=1, check="date.wrong")
        with pytest.raises(LookupError):
            misses.report(session, "0" * 64, reporter="alice", page=1, check="date.stale")
        with pytest.raises(Refused, match="no verdict"):
            waiting = session.scalars(select(Case.document_id)).one()
            session.execute(Case.__table__.delete())
            scans.retry(session, waiting, actor="alice")
            misses.report(session, waiting, reporter="alice", page=1, check="date.stale")


def test_only_its_reporter_or_a_supervisor_takes_a_report_back(sessions: sessionmaker[Session]) -> None:
    number = report(sessions, put(sessions, "form"))
    with sessions.begin() as session, pytest.raises(Refused):
        misses.withdraw(session, number, reporter="bob")
    with sessions.begin() as session:
        misses.withdraw(session, number, reporter="carol", supervisor=True)
        with pytest.raises(LookupError):
            misses.withdraw(session, number, reporter="alice")
        assert misses.labelled(session, LONG_AGO) == []


def test_a_confirmed_doubt_of_a_drawn_document_is_a_miss(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "drawn", [PASS], rules=DRAW_ALL)
    put(sessions, "fine", [PASS], rules=DRAW_ALL)
    (number,) = asked(sessions, one)
    assert decide(sessions, number, "confirmed").done

    def told() -> list[tuple[int, int]]:
        with sessions.begin() as session:
            return [(each.missed, each.looked_at) for each in misses.labelled(session, LONG_AGO)]

    assert told() == [(1, 1)]
    with sessions.begin() as session:
        reviews.undo(session, number, reviewer="alice", rules=RULES)
    assert told() == []
    decide(sessions, number, "dismissed")
    assert told() == []


def test_documents_like_it_are_found_and_opened_again(sessions: sessionmaker[Session]) -> None:
    missed = put(sessions, "missed", [PASS])
    alike = sorted(put(sessions, f"alike-{number}", [PASS]) for number in range(3))
    put(sessions, "of another type", [PASS], types=["transfer"])
    put(sessions, "with another field", [finding("date.stale", outcome=PASS.outcome, field="date")])
    put(sessions, "already drawn", [PASS], rules=DRAW_ALL)
    number = report(sessions, missed)
    with sessions.begin() as session:
        first = misses.lookalikes(session, number, limit=2)
        rest = misses.lookalikes(session, number, after=first[-1].document_id)
        assert [one.document_id for one in (*first, *rest)] == alike
        assert misses.reopen(session, number, [*alike[:2], missed[::-1]], actor="carol", rules=RULES) == alike[:2]
        assert misses.reopen(session, number, alike[:2], actor="carol", rules=RULES) == []
        assert [one.document_id for one in misses.lookalikes(session, number)] == alike[2:]
        assert desk.document(session, alike[0], "bob").status == "flagged"
    assert next_for(sessions, "bob") in alike[:2]
    let_claims_run_out(sessions)
    assert decide(sessions, asked(sessions, alike[1])[0], "confirmed", reviewer="dave").done
    with sessions.begin() as session:
        (told,) = misses.labelled(session, LONG_AGO)
        assert (told.missed, told.missed_by_chance, told.missed_weight) == (2, 2, 0.0)
