"""Users in the records: who changes them at the same time, and what the audit trail says of it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from records import users
from records.audit import history
from records.tables import Event
from records.words import Refused


def add(sessions: sessionmaker[Session], *names: str) -> None:
    with sessions.begin() as session:
        for name in names:
            users.add(session, name, ["supervisor"], actor="test")
            users.set_secret(session, name, "of no password", actor="test")


def test_two_who_take_the_role_from_each_other_leave_one(sessions: sessionmaker[Session]) -> None:
    add(sessions, "asha", "binod")

    def take(name: str) -> bool:
        try:
            with sessions.begin() as session:
                users.change_roles(session, name, ["reviewer"], actor="test", keep="supervisor")
        except Refused:
            return False
        return True

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(take, ["asha", "binod"])) == [False, True]
        with sessions.begin() as session:
            for name in ("asha", "binod"):
                users.change_roles(session, name, ["supervisor"], actor="test")


def test_an_event_says_who_changed_which_roles(sessions: sessionmaker[Session]) -> None:
    add(sessions, "asha")
    with sessions.begin() as session:
        users.change_roles(session, "asha", ["reviewer", "auditor"], actor="chitra")
        told = json.loads(history(session, "user:asha")[-1].body)
    assert told == {
        "kind": "user.roles",
        "subject": "user:asha",
        "actor": "chitra",
        "before": ["supervisor"],
        "roles": ["auditor", "reviewer"],
    }


def test_the_command_line_may_disable_the_last_one(sessions: sessionmaker[Session]) -> None:
    # Whoever has the command line adds another supervisor; `docvigil users disable` asks nobody.
    add(sessions, "asha")
    with sessions.begin() as session:
        users.disable(session, "asha", actor="test")
        assert session.scalars(select(Event.kind).order_by(Event.id.desc()).limit(1)).one() == "user.disabled"
