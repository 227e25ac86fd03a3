"""Users at the command line: added, given other roles, kept out, let in again, given a new way in."""

from __future__ import annotations

import json

import pytest
from sqlalchemy.orm import Session, sessionmaker

from docvigil.cli import users as commands
from records import users
from tests.integration.docvigil.cli.conftest import Run


@pytest.fixture
def own(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(commands, "actor", lambda: "tester")
    return run


def told(run: Run) -> dict[str, object]:
    return dict(json.loads(run("users", "list", "--json").out))


def test_a_user_from_first_to_last(own: Run, sessions: sessionmaker[Session]) -> None:
    link = own("users", "add", "Asha", "--role", "reviewer").out.strip()
    assert "/welcome?link=" in link
    assert own("users", "add", "asha", "--role", "reviewer").code == 2
    assert (told(own)["name"], told(own)["state"], told(own)["last_signin_at"]) == ("asha", "invited", None)
    with sessions.begin() as session:
        users.accept(session, link.rpartition("=")[2], "of no password")
    changed = own("users", "roles", "asha", "--role", "supervisor", "--role", "auditor")
    assert changed.out == "asha: auditor, supervisor.\n"
    assert own("users", "disable", "asha").out == "asha is disabled; 0 sign-ins ended.\n"
    assert own("users", "link", "asha").code == 2
    assert own("users", "enable", "asha").out == "asha is ready.\n"
    assert "/welcome?link=" in own("users", "link", "asha").out
    assert (told(own)["roles"], told(own)["state"]) == (["auditor", "supervisor"], "invited")
    assert own("users", "roles", "nobody", "--role", "auditor").code == 2


def test_a_machines_new_way_in_is_a_secret(own: Run) -> None:
    first = own("users", "add", "feed", "--role", "integrator", "--machine").out.split()[-1]
    second = own("users", "link", "feed").out.split()[-1]
    assert first != second and "link=" not in second
    assert told(own)["state"] == "ready"
