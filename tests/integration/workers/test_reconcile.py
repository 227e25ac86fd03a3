"""What the reconciler does once an hour for reviewers: it puts yesterday's documents that teach most before them."""

from __future__ import annotations

from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from records.desk_tables import Case
from tests.integration.records.casework import PASS, put
from workers.config import WorkerConfig
from workers.reconcile import select_once


def test_as_many_are_selected_as_the_setting_says(sessions: sessionmaker[Session]) -> None:
    for name in ("a", "b", "c"):
        put(sessions, name, [PASS])
    some, none = (WorkerConfig("", "", "", "", desk={"selected_per_day": number}) for number in (2, 0))
    assert select_once(some, sessions) == 0, "they were cleared today"
    with sessions.begin() as session:
        session.execute(text("UPDATE scans SET finished_at = finished_at - interval '1 day'"))
    assert select_once(none, sessions) == 0
    assert select_once(some, sessions) == 2
    assert select_once(some, sessions) == 0, "also where another reconciler did it"
    with sessions.begin() as session:
        assert set(session.scalars(select(Case.cause))) == {"selected"}
