"""Leases: one worker at a time, nothing written by one that lost its lease, nothing twice, and nobody forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from pipeline.findings import Outcome, Verdict
from records import handing, leases
from records.tables import Document, Finding, Outbox, Scan
from records.words import Reaped
from tests.integration.records.steps import (
    MANIFEST,
    VERSIONS,
    document,
    due_now,
    expire,
    finding,
    judge,
    prepare,
    quarantine,
    state,
    take,
)


def reap(sessions: sessionmaker[Session], grace: float = 0.0) -> list[Reaped]:
    with sessions.begin() as session:
        return leases.reap(session, grace_seconds=grace)


def die(sessions: sessionmaker[Session], scan_id: int, *, alone: bool = False) -> str:
    take(sessions, scan_id, alone=alone)
    expire(sessions, scan_id)
    (one,) = reap(sessions)
    assert one.scan_id == scan_id
    return one.outcome


def test_one_of_many_takes_a_scan_up(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)

    def one(place: int) -> bool:
        with sessions.begin() as session:
            return handing.take(session, scan_id, "prepare", f"worker-{place}", 60) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(16))) == 1


def test_a_second_delivery_does_nothing(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    prepare(sessions, scan_id)
    with sessions.begin() as session:
        assert handing.take(session, scan_id, "prepare", "worker-2", 60) is None
    take(sessions, scan_id, "infer")
    with sessions.begin() as session:
        assert handing.take(session, scan_id, "infer", "worker-2", 60) is None


def test_a_scan_goes_through_its_stages_to_the_verdict(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    judge(sessions, scan_id, Verdict.FLAGGED, [finding(), finding("date.stale", Outcome.PASS, field="date_1")])
    with sessions.begin() as session:
        scan = session.get_one(Scan, scan_id)
        assert (scan.stage, scan.verdict, scan.model_version, scan.lease_owner) == ("done", "flagged", "model-1", None)
        one = session.scalars(select(Document)).one()
        assert one.status == "flagged" and one.verdict_at is not None
        assert session.scalar(select(func.count()).select_from(Finding)) == 2
        assert session.scalar(select(func.count()).select_from(Outbox)) == 0


def test_a_late_writer_writes_nothing(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    prepare(sessions, scan_id)
    late = take(sessions, scan_id, "infer")
    expire(sessions, scan_id)
    reap(sessions)
    new = take(sessions, scan_id, "infer", owner="worker-2")
    assert new.token > late.token
    with sessions.begin() as session:
        assert not handing.judged(session, late, Verdict.CLEAR, [finding()], versions=VERSIONS)
        assert not leases.quarantine(session, late, "Too late.")
        assert leases.failed(session, late, "Too late.", charge=True) is None
        assert not leases.release(session, late)
        assert leases.renew(session, [(scan_id, late.token)], late.owner, 60) == set()
    with sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(Finding)) == 0
        assert handing.judged(session, new, Verdict.FLAGGED, [finding()], versions=VERSIONS)
    assert state(sessions, scan_id) == ("flagged", "done", 1)


def test_a_lease_that_has_run_out_counts_until_somebody_notices(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    lease = take(sessions, scan_id)
    expire(sessions, scan_id)
    with sessions.begin() as session:
        assert handing.prepared(session, lease, MANIFEST)


def test_a_forged_token_or_owner_writes_nothing(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    lease = take(sessions, scan_id)
    for wrong in (replace(lease, token=lease.token + 1), replace(lease, owner="worker-2")):
        with sessions.begin() as session:
            assert not handing.prepared(session, wrong, MANIFEST)


def test_renewing_prolongs_what_is_held(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    lease = take(sessions, scan_id, seconds=1)
    with sessions.begin() as session:
        held = (scan_id, lease.token)
        assert leases.renew(session, [held, (scan_id, 99), (12345, 1)], "worker-1", 600) == {held}
        assert leases.renew(session, [held], "worker-2", 600) == set()
    with sessions.begin() as session:
        left = session.scalar(select(func.extract("epoch", Scan.lease_expires_at - func.now())))
        assert 500 < float(left or 0) <= 600


def test_released_work_is_free_at_once_and_charged_to_nobody(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    lease = take(sessions, scan_id)
    with sessions.begin() as session:
        assert leases.release(session, lease)
    again = take(sessions, scan_id, owner="worker-2")
    assert (again.attempts, again.deaths, again.token) == (0, 0, lease.token + 1)


def test_only_expired_leases_are_reaped(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    take(sessions, scan_id)
    assert reap(sessions) == []
    expire(sessions, scan_id)
    assert reap(sessions, grace=3600) == [], "the database started a moment ago"
    assert [one.outcome for one in reap(sessions)] == ["requeued"]
    assert reap(sessions) == []


def test_reaped_then_alone_then_quarantined(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    assert die(sessions, scan_id) == "requeued"
    assert die(sessions, scan_id) == "alone"
    with sessions.begin() as session:
        assert handing.take(session, scan_id, "prepare", "worker-1", 60) is None, "among others it isn't taken up"
    assert die(sessions, scan_id, alone=True) == "quarantined"
    assert state(sessions, scan_id) == ("quarantined", "done", 3)
    with sessions.begin() as session:
        assert "lost 3 times" in (session.scalars(select(Document.reason)).one() or "")


def test_who_succeeds_alone_stays_alone_for_the_next_stage(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    die(sessions, scan_id)
    die(sessions, scan_id)
    lease = take(sessions, scan_id, alone=True)
    with sessions.begin() as session:
        assert handing.prepared(session, lease, MANIFEST)
    lease = take(sessions, scan_id, "infer", alone=True)
    with sessions.begin() as session:
        assert handing.judged(session, lease, Verdict.CLEAR, [], versions=VERSIONS)
    assert state(sessions, scan_id) == ("clear", "done", 2)


def test_errors_of_the_document_are_charged_and_outages_are_not(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    outcomes = []
    for charge in (False, True, False, True, False, True):
        due_now(sessions, scan_id)
        lease = take(sessions, scan_id)
        with sessions.begin() as session:
            outcomes.append(leases.failed(session, lease, "It broke.", charge=charge, max_attempts=3))
    assert outcomes == ["requeued"] * 5 + ["quarantined"]
    with sessions.begin() as session:
        assert session.scalars(select(Scan.attempts)).one() == 3
        assert session.scalars(select(Document.reason)).one() == "It broke."


def test_waits_double_with_each_charged_error(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    waits = []
    for _ in range(3):
        due_now(sessions, scan_id)
        lease = take(sessions, scan_id)
        with sessions.begin() as session:
            leases.failed(session, lease, "It broke.", charge=True, max_attempts=9, retry_seconds=8)
        with sessions.begin() as session:
            waits.append(float(session.scalar(select(func.extract("epoch", Outbox.not_before - func.now()))) or 0))
    assert waits == pytest.approx([8, 16, 32], abs=1)


def test_findings_are_one_for_each_place_also_without_a_field(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    same = finding("page.poor", field=None)
    judge(sessions, scan_id, Verdict.FLAGGED, [same, same, finding("page.poor", field=None, page=2)])
    with sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(Finding)) == 2
    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.execute(
            text(
                'INSERT INTO findings (scan_id, page, "check", outcome, confidence, message)'
                ' SELECT scan_id, page, "check", outcome, confidence, message FROM findings'
            )
        )


def test_an_aadhaar_number_is_masked_before_the_tables_and_refused_by_them(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    told = finding("aadhaar.unmasked", value="2345 6789 0123", message="The form shows 234567890123.")
    judge(sessions, scan_id, Verdict.FLAGGED, [told])
    with sessions.begin() as session:
        row = session.scalars(select(Finding)).one()
        assert (row.value, row.message) == ("XXXX XXXX 0123", "The form shows XXXXXXXX0123.")
    for statement in ("UPDATE findings SET value = '2345-6789-0123'", "UPDATE findings SET message = '234567890123'"):
        with pytest.raises(IntegrityError), sessions.begin() as session:
            session.execute(text(statement))


WRONG = [
    "UPDATE findings SET confidence = 1.01",
    "UPDATE findings SET confidence = 'NaN'",
    "UPDATE findings SET outcome = 'maybe'",
    "UPDATE findings SET page = 0",
    "UPDATE findings SET box = '{0.1,0.2,0.3}'",
    "UPDATE findings SET box = '{0.5,0.2,0.3,0.4}'",
    "UPDATE findings SET \"check\" = 'anything'",
    "UPDATE scans SET verdict = 'clear'",
    "UPDATE scans SET model_version = NULL",
    "UPDATE scans SET finished_at = NULL",
    "UPDATE documents SET status = 'clear'",
    "UPDATE documents SET verdict_at = NULL",
    "INSERT INTO outbox (scan_id, queue, priority) SELECT id, 'infer', 0 FROM scans",
]


def test_wrong_states_of_a_judged_document_are_refused(
    sessions: sessionmaker[Session], subtests: pytest.Subtests
) -> None:
    judge(sessions, document(sessions))
    for wrong in WRONG:
        with subtests.test(wrong), pytest.raises(IntegrityError), sessions.begin() as session:
            session.execute(text(wrong))


def test_quarantine_is_a_verdict_without_versions(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    quarantine(sessions, scan_id, "The PDF is encrypted.")
    assert state(sessions, scan_id) == ("quarantined", "done", 0)
    with sessions.begin() as session:
        assert session.scalars(select(Document.reason)).one() == "The PDF is encrypted."


def test_judged_takes_neither_quarantine_nor_keys_that_do_not_fit(sessions: sessionmaker[Session]) -> None:
    scan_id = document(sessions)
    prepare(sessions, scan_id)
    lease = take(sessions, scan_id, "infer")
    with sessions.begin() as session:
        with pytest.raises(ValueError, match="quarantine"):
            handing.judged(session, lease, Verdict.QUARANTINED, [], versions=VERSIONS)
        with pytest.raises(ValueError, match="evidence keys"):
            handing.judged(session, lease, Verdict.FLAGGED, [finding()], evidence_keys=[], versions=VERSIONS)
