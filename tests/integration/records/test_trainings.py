"""Trainings are asked for once a quarter, run one at a time, and outlive their workers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from records import audit, trainings
from records.words import Refused

Sessions = sessionmaker[Session]
DAY = date(2027, 1, 1)


def began(sessions: Sessions) -> None:
    """Something was recorded here."""
    with sessions.begin() as session:
        audit.event(session, "signed_in", "somebody")


def asked(sessions: Sessions) -> int:
    with sessions.begin() as session:
        return trainings.ask(session, by="asha")


def taken(sessions: Sessions, owner: str = "first", seconds: float = 60) -> trainings.TrainingLease | None:
    with sessions.begin() as session:
        return trainings.take(session, owner, seconds)


def test_a_quarter_is_asked_for_once_however_often_the_calendar_rings(sessions: Sessions) -> None:
    began(sessions)
    due = datetime.now(UTC) + timedelta(seconds=1)
    gate = threading.Barrier(8)

    def ring(_: int) -> int | None:
        gate.wait()
        with sessions.begin() as session:
            return trainings.ask_scheduled(session, due, DAY)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(ring, range(8)))
    assert sum(number is not None for number in numbers) == 1
    lease = taken(sessions)
    assert lease is not None and lease.cause == "scheduled"
    with sessions.begin() as session:
        assert trainings.finish(session, lease, "refused", error="Too few examples.")
        assert trainings.ask_scheduled(session, due, DAY) is None, "a finished one is not repeated"
        assert trainings.ask_scheduled(session, due, date(2027, 4, 1)) is not None


def test_a_new_instance_does_not_make_up_for_what_was_due_before(sessions: Sessions) -> None:
    due = datetime.now(UTC) - timedelta(days=3)
    with sessions.begin() as session:
        assert trainings.ask_scheduled(session, due, DAY) is None
    began(sessions)
    with sessions.begin() as session:
        assert trainings.ask_scheduled(session, due, DAY) is None
        assert not trainings.waits(session)


def test_one_runs_at_a_time(sessions: Sessions) -> None:
    number = asked(sessions)
    with pytest.raises(Refused, match=f"Training {number} is waiting"):
        asked(sessions)
    with ThreadPoolExecutor(6) as pool:
        leases = [one for one in pool.map(lambda n: taken(sessions, f"worker {n}"), range(6)) if one]
    assert [lease.id for lease in leases] == [number]
    with pytest.raises(Refused, match="under way"):
        asked(sessions)
    # The calendar's waits its turn.
    with sessions.begin() as session:
        waiting = trainings.ask_scheduled(session, datetime.now(UTC), DAY)
    assert waiting is not None and taken(sessions) is None
    with sessions.begin() as session:
        assert not trainings.waits(session)
        assert trainings.finish(session, leases[0], "failed", error="The recipe is wrong.")
        assert trainings.waits(session)
    lease = taken(sessions)
    assert lease is not None and lease.id == waiting


def test_a_lost_worker_gives_its_training_back_as_far_as_it_was(sessions: Sessions) -> None:
    number = asked(sessions)
    lease = taken(sessions, seconds=0.0)
    assert lease is not None
    with sessions.begin() as session:
        assert trainings.advance(session, lease, "training", progress={"examples": 90})
        assert trainings.tell(session, lease, {"step": 20, "lost": 0})
        [lost] = trainings.reap(session)
        assert (lost.id, lost.outcome) == (number, "returned")
        assert trainings.waits(session)
        # Its old owner can do nothing more.
        assert not trainings.tell(session, lease, {"step": 21})
        assert not trainings.finish(session, lease, "refused", error="Too late.")
        assert trainings.renew(session, [(lease.id, lease.token)], lease.owner, 60) == set()
    again = taken(sessions, "second", seconds=0.0)
    assert again is not None and (again.id, again.stage, again.token) == (number, "training", lease.token + 1)
    assert dict(again.progress) == {"examples": 90, "step": 20, "lost": 1}
    with sessions.begin() as session:
        trainings.reap(session)
    assert taken(sessions, "third", seconds=0.0)
    with sessions.begin() as session:
        [lost] = trainings.reap(session)
        assert lost.outcome == "failed"
        assert "lost 3 times" in str(trainings.get(session, number).error)


def test_one_is_cancelled_also_under_way(sessions: Sessions) -> None:
    number = asked(sessions)
    lease = taken(sessions)
    assert lease is not None
    with sessions.begin() as session:
        trainings.cancel(session, number, by="asha")
        assert trainings.renew(session, [(lease.id, lease.token)], lease.owner, 60) == set()
        view = trainings.get(session, number)
        assert trainings.counts(session) == {"cancelled": 1}
        assert view.stage == "cancelled" and view.finished and not view.at_work
        with pytest.raises(Refused, match="has ended already"):
            trainings.cancel(session, number, by="asha")
        with pytest.raises(LookupError, match="there is no training 99"):
            trainings.cancel(session, 99, by="asha")
    assert asked(sessions) == number + 1
    with sessions.begin() as session:
        kinds = session.scalars(text("SELECT kind FROM events WHERE subject = 'training:1' ORDER BY id")).all()
    assert kinds == ["training.asked", "training.taken", "training.finished"]
