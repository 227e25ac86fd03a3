"""The relay's windows: what is published, in which order, and what is published again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from records import handing, leases, outbox, scans
from records.words import Entry
from tests.integration.records.steps import arrive, document, prepare, sha, source, take


def publish(sessions: sessionmaker[Session], window: int = 3, queue: str = "prepare") -> list[Entry]:
    with sessions.begin() as session:
        return outbox.publishable(session, queue, window)


def arrive_all(sessions: sessionmaker[Session], *names: str, priority: int = 0) -> list[int]:
    number = source(sessions)
    started = []
    for name in names:
        with sessions.begin() as session:
            started.append(arrive(session, number, name, priority=priority).scan_id or 0)
    return started


def test_a_window_is_filled_by_priority_then_age(sessions: sessionmaker[Session]) -> None:
    old = arrive_all(sessions, "a", "b", "c")
    urgent = arrive_all(sessions, "d", priority=5)
    assert [one.scan_id for one in publish(sessions)] == [*urgent, *old[:2]]
    assert publish(sessions) == []


def test_more_follow_as_scans_are_taken_up(sessions: sessionmaker[Session]) -> None:
    started = arrive_all(sessions, "a", "b", "c", "d", "e")
    publish(sessions)
    take(sessions, started[0])
    take(sessions, started[1])
    assert [one.scan_id for one in publish(sessions)] == started[3:]


def test_a_window_that_is_nearly_full_is_not_filled_up_place_by_place(sessions: sessionmaker[Session]) -> None:
    started = arrive_all(sessions, *(str(number) for number in range(20)))
    assert len(publish(sessions, window=16)) == 16
    take(sessions, started[0])
    assert publish(sessions, window=16) == [], "one place of sixteen is free"
    with sessions.begin() as session:
        scans.set_priority(session, sha("19"), 9, actor="alice")
    assert [one.scan_id for one in publish(sessions, window=16)] == [started[19]], "an urgent one needs no more"
    take(sessions, started[1])
    take(sessions, started[2])
    assert publish(sessions, window=16) == [], "two places are"
    take(sessions, started[3])
    take(sessions, started[4])
    assert [one.scan_id for one in publish(sessions, window=16)] == started[16:19]


def test_an_urgent_document_passes_those_that_wait(sessions: sessionmaker[Session]) -> None:
    started = arrive_all(sessions, *"abcdef")
    publish(sessions)
    with sessions.begin() as session:
        scans.set_priority(session, sha("f"), 9, actor="alice")
    # A full window doesn't hold it up.
    assert [one.scan_id for one in publish(sessions)] == [started[5]]
    take(sessions, started[0])
    assert publish(sessions) == [], "but it counts"


def test_there_are_no_more_urgent_ones_than_fit_a_window_of_their_own(sessions: sessionmaker[Session]) -> None:
    arrive_all(sessions, *"abcd")
    publish(sessions)
    urgent = arrive_all(sessions, *"efghi", priority=1)
    assert [one.scan_id for one in publish(sessions)] == urgent[:3]
    assert publish(sessions) == []


def test_what_is_not_due_yet_is_not_published(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    lease = take(sessions, scan_id)
    with sessions.begin() as session:
        assert leases.failed(session, lease, "The disk is full.", charge=False, retry_seconds=60) == "requeued"
    assert publish(sessions) == []
    with sessions.begin() as session:
        assert handing.take(session, scan_id, "prepare", "worker-2", 60) is None


def test_each_queue_has_its_own_window(sessions: sessionmaker[Session]) -> None:
    first, second = arrive_all(sessions, "a", "b")
    prepare(sessions, first)
    assert [one.scan_id for one in publish(sessions, 1, "infer")] == [first]
    assert [one.scan_id for one in publish(sessions, 1)] == [second]


def test_those_that_run_alone_have_their_own_window(sessions: sessionmaker[Session]) -> None:
    started = arrive_all(sessions, "a", "b")
    with sessions.begin() as session:
        session.execute(text("UPDATE scans SET alone = true WHERE id = :id"), {"id": started[0]})
        session.execute(text("UPDATE outbox SET alone = true WHERE scan_id = :id"), {"id": started[0]})
    assert [one.scan_id for one in publish(sessions)] == started[1:]
    with sessions.begin() as session:
        assert [one.scan_id for one in outbox.publishable(session, "prepare", 1, alone=True)] == started[:1]


def test_relays_at_once_publish_each_scan_once(sessions: sessionmaker[Session]) -> None:
    started = arrive_all(sessions, *"abcdefghij")
    with ThreadPoolExecutor(4) as pool:
        sent = [one.scan_id for batch in pool.map(lambda _: publish(sessions, 4), range(12)) for one in batch]
    assert sent == started[:4]


def test_lost_messages_are_published_again_and_taken_ones_are_not(sessions: sessionmaker[Session]) -> None:
    started = arrive_all(sessions, "a", "b", "c")
    publish(sessions)
    take(sessions, started[0])
    with sessions.begin() as session:
        assert outbox.expire_published(session, 60) == 0
        session.execute(text("UPDATE outbox SET published_at = now() - interval '2 minutes'"))
    with sessions.begin() as session:
        assert outbox.expire_published(session, 60) == 2
    assert [one.scan_id for one in publish(sessions)] == started[1:]


def test_pending_counts_what_waits_is_published_and_taken(sessions: sessionmaker[Session]) -> None:
    started = arrive_all(sessions, *"abcd")
    publish(sessions, 2)
    take(sessions, started[0])
    prepare(sessions, started[3])
    with sessions.begin() as session:
        now = outbox.pending(session)
    assert (now["prepare"].waiting, now["prepare"].published, now["prepare"].taken) == (1, 1, 1)
    assert (now["infer"].waiting, now["infer"].published, now["infer"].taken) == (1, 0, 0)
    assert now["prepare"].oldest_seconds is not None and 0 <= now["prepare"].oldest_seconds < 60


def test_lanes_are_those_where_something_waits_now(sessions: sessionmaker[Session]) -> None:
    def lanes() -> list[tuple[str, bool]]:
        with sessions.begin() as session:
            return outbox.lanes(session)

    assert lanes() == []
    first, second, third = arrive_all(sessions, "a", "b", "c")
    assert lanes() == [("prepare", False)]
    prepare(sessions, first)
    assert lanes() == [("prepare", False), ("infer", False)]
    publish(sessions)
    assert lanes() == [("infer", False)]
    with sessions.begin() as session:
        session.execute(text("UPDATE outbox SET published_at = NULL, not_before = now() + interval '1 hour'"))
    assert lanes() == []
    with sessions.begin() as session:
        session.execute(text("UPDATE scans SET alone = true WHERE id = :id"), {"id": second})
        session.execute(text("UPDATE outbox SET alone = true, not_before = now() WHERE scan_id = :id"), {"id": second})
    assert third and lanes() == [("prepare", True)]
