"""The audit trail: complete, chained, refused to everybody who would change it, and anchored outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session, sessionmaker

from records import anchors, audit
from records.anchors import Forged, anchor
from records.audit import Verification
from records.database import engine
from records.objects import FolderStore
from records.tables import Event, Link, Unchained
from tests.integration.records.steps import document, judge, sha

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture
def owner(owner_url: str) -> Iterator[sessionmaker[Session]]:
    """Sessions of the role that owns the tables."""
    database = engine(owner_url)
    yield sessionmaker(database)
    database.dispose()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


def write(sessions: sessionmaker[Session], count: int) -> None:
    with sessions.begin() as session:
        for number in range(count):
            audit.event(session, "test", "subject", number=number)


def chain(sessions: sessionmaker[Session], limit: int = 5000) -> int:
    with sessions.begin() as session:
        return audit.chain_once(session, limit)


def verify(sessions: sessionmaker[Session], *heads: audit.Head) -> Verification:
    with sessions.begin() as session:
        return audit.verify(session, heads, batch=3)


def tamper(owner: sessionmaker[Session], statement: str) -> None:
    """What somebody does who has every right on the server."""
    with owner.begin() as session:
        session.execute(text("ALTER TABLE events DISABLE TRIGGER USER"))
        session.execute(text("ALTER TABLE chain DISABLE TRIGGER USER"))
        session.execute(text(statement))
        session.execute(text("ALTER TABLE events ENABLE TRIGGER USER"))
        session.execute(text("ALTER TABLE chain ENABLE TRIGGER USER"))


def test_every_step_of_a_document_is_an_event(sessions: sessionmaker[Session]) -> None:
    judge(sessions, document(sessions))
    with sessions.begin() as session:
        told = audit.history(session, sha("form"))
        assert [one.kind for one in told] == ["arrival", "scan.prepared", "verdict", "case.opened"]
        assert json.loads(told[2].body)["verdict"] == "flagged"
    assert chain(sessions) == 4
    assert verify(sessions) == Verification(True, 4, None, 0, None, verify(sessions).head)


def test_the_tail_that_is_not_chained_yet_is_reported(sessions: sessionmaker[Session]) -> None:
    write(sessions, 7)
    assert chain(sessions, limit=5) == 5
    result = verify(sessions)
    assert (result.ok, result.links, result.unchained) == (True, 5, 2)
    assert chain(sessions) == 2
    assert chain(sessions) == 0


def test_chainers_at_once_make_one_chain(sessions: sessionmaker[Session]) -> None:
    write(sessions, 200)

    def waiting() -> int:
        with sessions.begin() as session:
            return session.scalar(select(func.count()).select_from(Unchained)) or 0

    def one(_: int) -> int:
        done = 0
        while waiting():
            done += chain(sessions, 17)
        return done

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(one, range(6))) == 200
    assert verify(sessions).ok


def test_an_event_that_commits_late_is_chained_later(sessions: sessionmaker[Session]) -> None:
    with sessions() as slow:
        audit.event(slow, "slow", "subject")
        slow.flush()
        write(sessions, 2)
        assert chain(sessions) == 2
        slow.commit()
    assert chain(sessions) == 1
    assert verify(sessions).ok
    with sessions.begin() as session:
        order = session.scalars(select(Event.kind).join(Link, Link.event_id == Event.id).order_by(Link.sequence)).all()
    assert order == ["test", "test", "slow"]


BY_THE_APPLICATION = [
    "UPDATE events SET body = body",
    "DELETE FROM events",
    "TRUNCATE events CASCADE",
    "UPDATE chain SET linked_at = now()",
    "DELETE FROM chain",
    "TRUNCATE chain",
    "ALTER TABLE events DISABLE TRIGGER ALL",
    "DROP TABLE chain",
    "DROP TRIGGER events_only_grow ON events",
]


def test_the_application_can_change_nothing(sessions: sessionmaker[Session], subtests: pytest.Subtests) -> None:
    write(sessions, 2)
    chain(sessions)
    for statement in BY_THE_APPLICATION:
        refused = pytest.raises(ProgrammingError, match=r"denied|owner")
        with subtests.test(statement), refused, sessions.begin() as session:
            session.execute(text(statement))
    assert verify(sessions).ok


def test_the_owner_too_is_refused(
    owner: sessionmaker[Session], sessions: sessionmaker[Session], subtests: pytest.Subtests
) -> None:
    write(sessions, 2)
    chain(sessions)
    for statement in BY_THE_APPLICATION[:6]:
        refused = pytest.raises(ProgrammingError, match="only grows")
        with subtests.test(statement), refused, owner.begin() as session:
            session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "first_broken", "reason"),
    [
        ("UPDATE events SET body = replace(body, '4', '5') WHERE body LIKE '%4%' AND id = 5", 5, "changed"),
        ("UPDATE events SET at = at + interval '1 microsecond' WHERE id = 3", 3, "changed"),
        ("UPDATE chain SET hash = sha256('x') WHERE sequence = 6", 6, "changed"),
        ("DELETE FROM chain WHERE sequence = 4", 4, "missing"),
        ("UPDATE chain SET event_id = (SELECT max(id) FROM events) WHERE sequence = 2", 2, "changed"),
    ],
)
def test_tampering_is_found_and_named(
    sessions: sessionmaker[Session],
    owner: sessionmaker[Session],
    statement: str,
    first_broken: int,
    reason: str,
) -> None:
    write(sessions, 8)
    chain(sessions)
    write(sessions, 1)
    assert verify(sessions).ok
    tamper(owner, statement)
    result = verify(sessions)
    assert not result.ok and result.first_broken == first_broken
    assert result.reason is not None and reason in result.reason


def test_a_chain_cut_short_is_found_by_an_anchor(
    sessions: sessionmaker[Session], owner: sessionmaker[Session], store: FolderStore
) -> None:
    write(sessions, 6)
    chain(sessions)
    with sessions.begin() as session:
        assert anchor(session, store, KEY) is not None
    tamper(owner, "DELETE FROM chain WHERE sequence > 4")
    tamper(owner, "DELETE FROM events WHERE id > 4")
    assert verify(sessions).ok, "by itself it looks whole"
    result = verify(sessions, *anchors.heads(anchors.anchors(store, KEY)))
    assert (result.ok, result.first_broken) == (False, 5)


def test_a_chain_written_anew_is_found_by_an_anchor(
    sessions: sessionmaker[Session], owner: sessionmaker[Session], store: FolderStore
) -> None:
    write(sessions, 6)
    chain(sessions)
    with sessions.begin() as session:
        anchor(session, store, KEY)
    tamper(owner, "UPDATE events SET body = replace(body, '3', '9') WHERE id = 4")
    tamper(owner, "DELETE FROM chain WHERE sequence > 3")
    tamper(owner, "INSERT INTO unchained (event_id) SELECT id FROM events WHERE id > 3")
    chain(sessions)
    assert verify(sessions).ok
    result = verify(sessions, *anchors.heads(anchors.anchors(store, KEY)))
    assert (result.ok, result.first_broken) == (False, 6)


def test_heads_are_anchored_once_and_in_order(sessions: sessionmaker[Session], store: FolderStore) -> None:
    with sessions.begin() as session:
        assert anchor(session, store, KEY) is None, "there is nothing to anchor yet"
    for count in range(1, 12):
        write(sessions, 1)
        chain(sessions)
        for again in (False, True):
            with sessions.begin() as session:
                done = anchor(session, store, KEY)
            assert (done is None) == again
        assert [one.number for one in anchors.anchors(store, KEY)] == list(range(1, count + 1))
    assert [one.head.sequence for one in anchors.anchors(store)] == list(range(1, 12))


def test_forged_anchors_are_refused_and_unsigned_ones_not_believed(
    sessions: sessionmaker[Session], store: FolderStore
) -> None:
    write(sessions, 1)
    chain(sessions)
    with sessions.begin() as session:
        anchor(session, store, None)
    assert len(anchors.anchors(store)) == 1
    assert anchors.anchors(store, KEY) == []
    write(sessions, 1)
    chain(sessions)
    with sessions.begin() as session:
        anchor(session, store, KEY)
    assert [one.number for one in anchors.anchors(store, KEY)] == [2]
    with pytest.raises(Forged, match="another key"):
        anchors.anchors(store, OTHER_KEY)
    name = f"{anchors.FOLDER}/00000002.json"
    body = json.loads(store.get(name))
    store.put(name, json.dumps({**body, "sequence": 1}).encode())
    with pytest.raises(Forged, match="changed"):
        anchors.anchors(store, KEY)
    store.put(name, b"{}")
    with pytest.raises(Forged, match="can't be read"):
        anchors.anchors(store, KEY)


def test_personal_data_can_not_be_written_into_events(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        audit.opened(session, sha("form"), "Anita Desai", "review")
        with pytest.raises(ValueError, match="neither id nor digest"):
            audit.event(session, "test", "subject", name="Anita Desai")
        body = session.scalars(select(Event.body)).one()
    assert "Anita" not in body and "sha256:" in body
