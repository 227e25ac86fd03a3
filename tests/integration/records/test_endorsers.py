"""The register of endorsers: nobody twice, nobody forgotten, every change told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from pipeline.endorsers import Endorser
from records import endorsers
from records.endorsers import Imported
from records.tables import Event
from records.words import Refused

ANITA = Endorser(
    name="Anita Desai",
    designation="Manager",
    employee_code="E-17",
    participant="IN300123",
    stamp_text="ANITA DESAI\nMANAGER",
    document_types=("kyc-individual",),
    valid_from=date(2025, 1, 1),
    valid_to=None,
)
RAVI = replace(ANITA, name="Ravi Kumar", employee_code=None, document_types=(), valid_from=None)


def take_in(sessions: sessionmaker[Session], *people: Endorser) -> Imported:
    with sessions.begin() as session:
        return endorsers.import_all(session, people, actor="alice")


def names(sessions: sessionmaker[Session], on: date | None = None) -> list[str]:
    with sessions.begin() as session:
        return [one.name for one in endorsers.as_of(session, on)]


def kinds(sessions: sessionmaker[Session]) -> list[str]:
    with sessions.begin() as session:
        return list(session.scalars(select(Event.kind).order_by(Event.id)))


def test_importing_adds_changes_and_leaves_alone(sessions: sessionmaker[Session]) -> None:
    assert take_in(sessions, ANITA, RAVI) == Imported(2, 0, 0)
    promoted = replace(ANITA, designation="Head")
    assert take_in(sessions, promoted, RAVI) == Imported(0, 1, 1)
    assert take_in(sessions) == Imported(0, 0, 0)
    with sessions.begin() as session:
        anita, ravi = endorsers.listed(session)
    assert anita.id is not None
    assert (replace(anita, id=ANITA.id), replace(ravi, id=RAVI.id)) == (promoted, RAVI)
    assert kinds(sessions) == ["endorser.added", "endorser.added", "endorser.changed"]


def test_events_hold_no_names(sessions: sessionmaker[Session]) -> None:
    take_in(sessions, ANITA)
    with sessions.begin() as session:
        (body,) = session.scalars(select(Event.body))
    assert "Anita" not in body and '"actor":"alice"' in body and '"subject":"endorser:1"' in body


def test_a_list_with_one_person_twice_changes_nothing(sessions: sessionmaker[Session]) -> None:
    with pytest.raises(Refused, match="employee code E-17"):
        take_in(sessions, RAVI, ANITA, replace(ANITA, name="A. Desai"))
    assert names(sessions) == [] and kinds(sessions) == []


def test_imports_at_once_add_each_person_once(sessions: sessionmaker[Session]) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: take_in(sessions, ANITA, RAVI), range(8)))
    assert sum(one.added for one in done) == 2
    assert len(names(sessions)) == 2


def test_retired_ones_keep_their_time(sessions: sessionmaker[Session]) -> None:
    take_in(sessions, ANITA, RAVI)
    with sessions.begin() as session:
        assert endorsers.retire(session, "E-17", date(2026, 3, 1), actor="alice").valid_to == date(2026, 3, 1)
    with sessions.begin() as session:
        assert [one.name for one in endorsers.listed(session)] == ["Ravi Kumar"]
        assert len(endorsers.listed(session, include_retired=True)) == 2
    assert names(sessions) == ["Anita Desai", "Ravi Kumar"], "endorsements of her time are judged by her last day"
    assert names(sessions, date(2026, 3, 1)) == ["Anita Desai", "Ravi Kumar"]
    assert names(sessions, date(2026, 3, 2)) == ["Ravi Kumar"]
    assert names(sessions, date(2024, 12, 31)) == ["Ravi Kumar"]
    assert kinds(sessions)[-1] == "endorser.retired"


def test_who_comes_back_is_a_new_entry(sessions: sessionmaker[Session]) -> None:
    take_in(sessions, ANITA)
    with sessions.begin() as session:
        endorsers.retire(session, "E-17", date(2025, 6, 30), actor="alice")
    assert take_in(sessions, replace(ANITA, valid_from=date(2026, 1, 1))) == Imported(1, 0, 0)
    assert names(sessions, date(2025, 6, 1)) == names(sessions, date(2026, 6, 1)) == ["Anita Desai"]
    assert names(sessions, date(2025, 9, 1)) == []


def test_retiring_by_id_and_what_is_refused(sessions: sessionmaker[Session]) -> None:
    take_in(sessions, RAVI, ANITA, replace(ANITA, name="Code One", employee_code="1"))
    for nobody in ("E-99", "999", 999, "", "²", "9" * 30):
        with pytest.raises(LookupError), sessions.begin() as session:
            endorsers.retire(session, nobody, actor="alice")
    with pytest.raises(Refused, match="another"), sessions.begin() as session:
        endorsers.retire(session, "1", actor="alice")
    with pytest.raises(Refused, match="begins on"), sessions.begin() as session:
        endorsers.retire(session, "E-17", date(2024, 1, 1), actor="alice")
    with sessions.begin() as session:
        assert endorsers.retire(session, 1, actor="alice").name == "Ravi Kumar"
    with pytest.raises(LookupError), sessions.begin() as session:
        endorsers.retire(session, 1, actor="alice")


def test_an_earlier_last_day_stays(sessions: sessionmaker[Session]) -> None:
    take_in(sessions, replace(ANITA, valid_to=date(2025, 12, 31)))
    with sessions.begin() as session:
        assert endorsers.retire(session, "E-17", date(2026, 6, 1), actor="alice").valid_to == date(2025, 12, 31)


def test_wrong_states_are_refused(sessions: sessionmaker[Session], subtests: pytest.Subtests) -> None:
    take_in(sessions, ANITA, RAVI)
    for wrong in (
        "UPDATE endorsers SET name = ''",
        "UPDATE endorsers SET valid_from = '2026-01-01', valid_to = '2025-01-01'",
        "UPDATE endorsers SET retired_at = now()",
        "UPDATE endorsers SET employee_code = 'E-17'",
        "INSERT INTO endorsers (name, participant) SELECT name, participant FROM endorsers WHERE employee_code IS NULL",
    ):
        with subtests.test(wrong), pytest.raises(IntegrityError), sessions.begin() as session:
            session.execute(text(wrong))
