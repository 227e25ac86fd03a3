"""Intake: one document for each content, one arrival for each file, whoever tells it and how often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from records import intake
from records.tables import Arrival, Document, Event, Outbox, Scan
from records.words import Arrived
from tests.integration.records.steps import TODAY, arrive, document, judge, quarantine, sha, source


def counts(sessions: sessionmaker[Session]) -> tuple[int, ...]:
    with sessions.begin() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(each)) or 0 for each in (Arrival, Document, Scan, Outbox)
        )


def test_new_content_becomes_arrival_document_scan_and_place_in_the_queue(sessions: sessionmaker[Session]) -> None:
    number = source(sessions)
    with sessions.begin() as session:
        arrived = arrive(session, number, "form", priority=3)
    assert (arrived.status, arrived.document_id, arrived.repeated) == ("document", sha("form"), False)
    with sessions.begin() as session:
        scan = session.get_one(Scan, arrived.scan_id)
        assert (scan.document_id, scan.number, scan.stage, scan.judged_on) == (sha("form"), 1, "prepare", TODAY)
        queued = session.get_one(Outbox, arrived.scan_id)
        assert (queued.queue, queued.priority, queued.published_at) == ("prepare", 3, None)
        assert session.scalars(select(Event.kind)).all() == ["arrival"]


def test_nothing_is_left_of_an_arrival_that_is_rolled_back(sessions: sessionmaker[Session]) -> None:
    number = source(sessions)
    with sessions() as session:
        arrive(session, number, "form")
        session.rollback()
    assert counts(sessions) == (0, 0, 0, 0)


def test_the_same_content_at_once_in_many_arrivals_is_one_document(sessions: sessionmaker[Session]) -> None:
    number = source(sessions)

    def one(place: int) -> Arrived:
        with sessions.begin() as session:
            return arrive(session, number, "form", identity=f"file-{place}")

    with ThreadPoolExecutor(8) as pool:
        arrived = list(pool.map(one, range(24)))
    assert sorted(each.status for each in arrived) == ["document", *["duplicate"] * 23]
    assert counts(sessions) == (24, 1, 1, 1)


def test_the_same_arrival_told_at_once_by_many_is_one_arrival(sessions: sessionmaker[Session]) -> None:
    number = source(sessions)

    def one(_: int) -> Arrived:
        with sessions.begin() as session:
            return arrive(session, number, "form", identity="file-1")

    with ThreadPoolExecutor(8) as pool:
        arrived = list(pool.map(one, range(16)))
    assert len({each.arrival_id for each in arrived}) == 1
    assert sum(not each.repeated for each in arrived) == 1
    assert counts(sessions) == (1, 1, 1, 1)


def test_many_contents_at_once_deadlock_nobody(sessions: sessionmaker[Session]) -> None:
    number = source(sessions)

    def one(place: int) -> str:
        with sessions.begin() as session:
            return arrive(session, number, f"form-{place % 5}", identity=f"file-{place}").status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(one, range(60)))
    assert statuses.count("document") == 5
    assert counts(sessions) == (60, 5, 5, 5)


def test_two_sources_may_have_the_same_identity(sessions: sessionmaker[Session]) -> None:
    first, second = source(sessions, "/a"), source(sessions, "/b")
    with sessions.begin() as session:
        assert arrive(session, first, "form", identity="1").status == "document"
        assert arrive(session, second, "other", identity="1").status == "document"
        assert intake.known(session, first, ["1", "2"]) == {"1"}


def test_a_judged_document_that_arrives_again_is_not_scanned_again(sessions: sessionmaker[Session]) -> None:
    judge(sessions, document(sessions))
    number = source(sessions)
    with sessions.begin() as session:
        again = arrive(session, number, "form")
    assert (again.status, again.scan_id) == ("duplicate", None)
    assert counts(sessions) == (2, 1, 1, 0)


def test_a_quarantined_document_that_arrives_again_is_tried_again(sessions: sessionmaker[Session]) -> None:
    quarantine(sessions, document(sessions))
    number = source(sessions)
    with sessions.begin() as session:
        again = arrive(session, number, "form")
    assert again.status == "duplicate" and again.scan_id is not None
    with sessions.begin() as session:
        one = session.get_one(Document, sha("form"))
        assert (one.status, one.scan_id, one.reason) == ("in_flight", again.scan_id, None)
        scan = session.get_one(Scan, again.scan_id)
        assert (scan.number, scan.cause, scan.arrival_id) == (2, "again", again.arrival_id)


def test_an_urgent_arrival_moves_the_waiting_document_forward(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    number = source(sessions)
    with sessions.begin() as session:
        arrive(session, number, "form", priority=9)
    with sessions.begin() as session:
        assert session.get_one(Outbox, scan_id).priority == 9


def test_refused_arrivals_say_why_and_are_told_once(sessions: sessionmaker[Session]) -> None:
    number = source(sessions)
    for _ in range(2):
        with sessions.begin() as session:
            refused = intake.refuse(session, source_id=number, path="/drop/x", identity="x", reason="It is a folder.")
    assert refused.repeated
    with sessions.begin() as session:
        row = session.scalars(select(Arrival)).one()
        assert (row.status, row.reason, row.document_id) == ("refused", "It is a folder.", None)


@pytest.mark.parametrize(
    ("path", "shown"),
    [("a\nb.pdf", "a\\nb.pdf"), ("a\udcffb.pdf", "a\\xffb.pdf"), ("आवेदन.pdf", "आवेदन.pdf"), ("\x00", "\\x00")],
)
def test_names_that_are_no_text_are_shown_readably(sessions: sessionmaker[Session], path: str, shown: str) -> None:
    number = source(sessions)
    identity = f"1:2:3:4:{path}" * 200
    with sessions.begin() as session:
        intake.refuse(session, source_id=number, path=path, identity=identity, reason="It is empty.")
    with sessions.begin() as session:
        assert session.scalars(select(Arrival.path)).one() == shown
        assert intake.known(session, number, [identity, "another"]) == {identity}


WRONG = [
    "UPDATE documents SET status = 'clear', verdict_at = now()",
    "UPDATE documents SET status = 'quarantined', verdict_at = now()",
    "UPDATE documents SET id = 'x'",
    "UPDATE arrivals SET status = 'refused'",
    "UPDATE arrivals SET reason = 'why not'",
    "UPDATE arrivals SET status = 'new'",
    "UPDATE scans SET stage = 'done'",
    "UPDATE scans SET stage = 'done', verdict = 'clear', finished_at = now()",
    "UPDATE scans SET stage = 'infer'",
    "UPDATE scans SET lease_owner = 'me'",
    "UPDATE scans SET lease_owner = 'me', lease_expires_at = now()",
    "UPDATE scans SET alone = true",
    "UPDATE outbox SET queue = 'infer'",
    "UPDATE outbox SET taken_at = now()",
    "INSERT INTO arrivals (source_id, identity, path, status, document_id, arrived_at)"
    " SELECT source_id, 'another', path, 'document', document_id, now() FROM arrivals",
    "INSERT INTO scans (document_id, number, arrival_id, cause, judged_on)"
    " SELECT document_id, 2, arrival_id, 'retry', judged_on FROM scans",
]


def test_wrong_states_are_refused(sessions: sessionmaker[Session], subtests: pytest.Subtests) -> None:
    document(sessions)
    for wrong in WRONG:
        with subtests.test(wrong), pytest.raises(IntegrityError), sessions.begin() as session:
            session.execute(text(wrong))
