"""The conservation law: every arrival and every document is in exactly one state, at every moment."""

from __future__ import annotations

import threading

from sqlalchemy.orm import Session, sessionmaker

from pipeline.findings import Verdict
from records import balance as balance_of
from records import handing, intake, leases, scans
from records.balance import Balance
from tests.integration.records.steps import (
    MANIFEST,
    arrive,
    document,
    due_now,
    expire,
    judge,
    prepare,
    quarantine,
    sha,
    source,
    take,
)


def balance(sessions: sessionmaker[Session]) -> Balance:
    with sessions.begin() as session:
        return balance_of.balance(session)


def test_it_adds_up_after_every_step(sessions: sessionmaker[Session]) -> None:
    def steps() -> None:
        assert balance(sessions).differences == ()

    steps()
    number = source(sessions)
    first, second, third = (document(sessions, name) for name in ("a", "b", "c"))
    steps()
    with sessions.begin() as session:
        intake.refuse(session, source_id=number, path="x", identity="x", reason="It is empty.")
        arrive(session, number, "a")
    steps()
    lease = take(sessions, first)
    steps()
    with sessions.begin() as session:
        leases.failed(session, lease, "It broke.", charge=True)
    steps()
    due_now(sessions, first)
    take(sessions, first)
    expire(sessions, first)
    with sessions.begin() as session:
        assert leases.reap(session)
    steps()
    judge(sessions, first)
    quarantine(sessions, second)
    prepare(sessions, third)
    steps()
    with sessions.begin() as session:
        scans.retry(session, sha("a"), actor="alice")
        arrive(session, number, "b")
    now = balance(sessions)
    assert now.differences == () and now.adds_up
    assert (now.arrivals, now.refused, now.duplicates, now.documents) == (6, 1, 2, 3)
    assert (now.clear, now.flagged, now.quarantined, now.in_flight) == (0, 0, 0, 3)
    assert now.oldest_in_flight_seconds is not None and now.oldest_in_flight_seconds < 60


def test_it_adds_up_at_every_moment_while_much_happens(sessions: sessionmaker[Session]) -> None:
    number = source(sessions)
    done = threading.Event()

    def work(lane: int) -> None:
        for each in range(15):
            name = f"{lane}-{each}"
            with sessions.begin() as session:
                arrive(session, number, f"shared-{each}")
                scan_id = arrive(session, number, name).scan_id or 0
            lease = take(sessions, scan_id)
            with sessions.begin() as session:
                handing.prepared(session, lease, MANIFEST)
            if each % 3 == 0:
                lease = take(sessions, scan_id, "infer")
                with sessions.begin() as session:
                    leases.quarantine(session, lease, "It broke.")

    threads = [threading.Thread(target=work, args=(lane,)) for lane in range(3)]
    differences: list[str] = []
    looks = 0

    def watch() -> None:
        nonlocal looks
        while not done.is_set():
            differences.extend(balance(sessions).differences)
            looks += 1

    watcher = threading.Thread(target=watch)
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    watcher.join()
    now = balance(sessions)
    assert differences == [] and looks > 5
    assert (now.documents, now.quarantined, now.duplicates) == (60, 15, 30)


def test_a_listing_that_does_not_fit_is_a_difference(sessions: sessionmaker[Session]) -> None:
    number = source(sessions)
    with sessions.begin() as session:
        balance_of.record_listing(session, number, listed=10, arrived=7, waiting=3)
    assert balance(sessions).differences == ()
    with sessions.begin() as session:
        balance_of.record_listing(session, number, listed=10, arrived=7, waiting=2)
    (sentence,) = balance(sessions).differences
    assert "10 files" in sentence and "7 arrived" in sentence


def test_verdicts_are_counted_by_their_stored_status(sessions: sessionmaker[Session]) -> None:
    judge(sessions, document(sessions, "a"), Verdict.CLEAR, [])
    judge(sessions, document(sessions, "b"))
    now = balance(sessions)
    assert (now.clear, now.flagged, now.in_flight, now.scans_in_flight) == (1, 1, 0, 0)
    assert now.oldest_in_flight_seconds is None
