"""What people look at and decide: the flagged queue, documents, reviews, and scanning again."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from pipeline.findings import Finding, Outcome, Verdict
from records import listing, queue, reviews, scans
from records.desk_filters import Filters
from records.tables import Event, Review
from records.tables import Finding as Row
from records.words import QueueItem, Refused, Versions
from tests.integration.records.steps import (
    TODAY,
    VERSIONS,
    arrive,
    document,
    finding,
    judge,
    quarantine,
    sha,
    source,
    state,
)


def flag(
    sessions: sessionmaker[Session],
    name: str,
    findings: Sequence[Finding] | None = None,
    *,
    priority: int = 0,
    age: float = 0,
    types: Sequence[str] = ("kyc-individual",),
) -> str:
    scan_id = document(sessions, name, priority=priority)
    judge(sessions, scan_id, Verdict.FLAGGED, findings, types=types)
    with sessions.begin() as session:
        session.execute(
            text("UPDATE cases SET verdict_at = now() - make_interval(secs => :age) WHERE document_id = :id"),
            {"age": age, "id": sha(name)},
        )
    return sha(name)


def listed(sessions: sessionmaker[Session], *, decided: bool = False, **filters: object) -> list[QueueItem]:
    with sessions.begin() as session:
        chosen = Filters(**filters)  # type: ignore[arg-type]
        return list(listing.queue(session, filters=chosen, decided=decided).items)


def finding_ids(sessions: sessionmaker[Session], document_id: str) -> list[int]:
    with sessions.begin() as session:
        return [one.id for one in queue.document(session, document_id).findings if one.outcome != "pass"]


def decide(sessions: sessionmaker[Session], number: int, decision: str = "confirmed", **more: str) -> None:
    with sessions.begin() as session:
        reviews.review(session, number, decision, **{"reviewer": "alice", **more})


def test_urgent_ones_first_then_those_that_have_waited_longest(sessions: sessionmaker[Session]) -> None:
    old, new = flag(sessions, "old", age=100), flag(sessions, "new", age=1)
    urgent = flag(sessions, "urgent", priority=5)
    judge(sessions, document(sessions, "clear"), Verdict.CLEAR, [])
    assert [one.document_id for one in listed(sessions)] == [urgent, old, new]


def test_pages_of_the_queue_neither_skip_nor_repeat(sessions: sessionmaker[Session]) -> None:
    for number in range(11):
        flag(sessions, f"form-{number}", priority=number % 3)
    with sessions.begin() as session:
        # Many at the very same time: the id decides.
        session.execute(text("UPDATE cases SET verdict_at = now()"))
    everything = [one.document_id for one in listed(sessions)]
    seen: list[str] = []
    after = None
    while True:
        with sessions.begin() as session:
            page = listing.queue(session, limit=3, after=after)
        seen += [one.document_id for one in page.items]
        after = page.after
        if after is None:
            break
        if len(seen) == 3:
            # What is urgent and arrives meanwhile stands before this page; it doesn't move the others.
            flag(sessions, "late", priority=99)
    assert seen == everything


def test_a_page_that_is_none_is_refused(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session, pytest.raises(ValueError, match="leads to no page"):
        listing.queue(session, after="nonsense")


def test_filters(sessions: sessionmaker[Session]) -> None:
    unsigned = flag(sessions, "unsigned", [finding(), finding("date.stale", Outcome.PASS, field="d")], age=7200)
    stale = flag(sessions, "stale", [finding("date.stale", field="d")], types=("delivery-instruction",))
    assert [one.document_id for one in listed(sessions, check="date.stale")] == [stale]
    assert [one.document_id for one in listed(sessions, doctype="kyc-individual")] == [unsigned]
    assert [one.document_id for one in listed(sessions, older_than=timedelta(hours=1))] == [unsigned]
    assert [one.document_id for one in listed(sessions, newer_than=timedelta(hours=1))] == [stale]


def test_a_line_tells_what_is_wrong_and_what_is_undecided(sessions: sessionmaker[Session]) -> None:
    told = [finding("page.poor", Outcome.UNCERTAIN, field=None), finding(), finding("date.stale", Outcome.PASS)]
    one = flag(sessions, "form", told)
    (line,) = listed(sessions)
    assert (line.checks, line.findings, line.undecided) == (("signature.missing", "page.poor"), 2, 2)
    decide(sessions, finding_ids(sessions, one)[0])
    (line,) = listed(sessions)
    assert (line.findings, line.undecided) == (2, 1)


def test_a_document_leaves_the_queue_when_all_is_decided(sessions: sessionmaker[Session]) -> None:
    one = flag(sessions, "form", [finding(), finding(field="signature_2")])
    first, second = finding_ids(sessions, one)
    decide(sessions, first, "dismissed", note="It is in the margin.")
    assert len(listed(sessions)) == 1
    decide(sessions, second, "corrected", value="12/03/2026")
    assert listed(sessions) == []
    assert [each.document_id for each in listed(sessions, decided=True)] == [one]
    assert state(sessions, 1)[0] == "flagged", "the verdict stays as it was judged"


def test_two_reviewers_at_once_decide_the_last_two_findings(sessions: sessionmaker[Session]) -> None:
    one = flag(sessions, "form", [finding(ordinal=each) for each in range(8)])
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: decide(sessions, number), finding_ids(sessions, one)))
    assert listed(sessions) == []


def test_a_second_thought_is_a_second_row_and_counts(sessions: sessionmaker[Session]) -> None:
    one = flag(sessions, "form")
    (number,) = finding_ids(sessions, one)
    decide(sessions, number, "confirmed")
    decide(sessions, number, "dismissed", reviewer="bob")
    with sessions.begin() as session:
        latest = queue.document(session, one).findings[0].review
        assert latest is not None and (latest.decision, latest.reviewer) == ("dismissed", "bob")
        assert session.scalar(select(func.count()).select_from(Review)) == 2
        assert session.scalars(select(Event.kind).where(Event.kind == "review")).all() == ["review"] * 2


def test_decisions_that_make_no_sense_are_refused(sessions: sessionmaker[Session]) -> None:
    one = flag(sessions, "form")
    (number,) = finding_ids(sessions, one)
    for decision, more in (
        ("perhaps", {}),
        ("corrected", {}),
        ("confirmed", {"value": "x"}),
        ("confirmed", {"reviewer": " "}),
    ):
        with pytest.raises(Refused):
            decide(sessions, number, decision, **more)
    with pytest.raises(LookupError):
        decide(sessions, 999)
    decide(sessions, number)
    for wrong in (
        "UPDATE reviews SET decision = 'corrected'",
        "UPDATE reviews SET reviewer = ''",
        "UPDATE reviews SET note = 'She said 2345 6789 0123.'",
    ):
        with pytest.raises(IntegrityError), sessions.begin() as session:
            session.execute(text(wrong))


def test_findings_of_an_older_scan_are_not_decided_any_more(sessions: sessionmaker[Session]) -> None:
    one = flag(sessions, "form")
    (number,) = finding_ids(sessions, one)
    with sessions.begin() as session:
        scans.retry(session, one, actor="alice")
    with pytest.raises(Refused, match="scanned again"):
        decide(sessions, number)


def test_aadhaar_numbers_in_notes_are_masked(sessions: sessionmaker[Session]) -> None:
    one = flag(sessions, "form")
    decide(sessions, finding_ids(sessions, one)[0], "corrected", value="2345 6789 0123", note="234567890123 it is")
    with sessions.begin() as session:
        row = session.scalars(select(Review)).one()
        assert (row.value, row.note) == ("XXXX XXXX 0123", "XXXXXXXX0123 it is")


def test_ids_may_be_given_by_their_beginning(sessions: sessionmaker[Session]) -> None:
    document(sessions, "form")
    with sessions.begin() as session:
        assert queue.resolve_prefix(session, sha("form")[:6].upper() + " ") == sha("form")
        for nobody in ("ffff", "0" * 64):
            with pytest.raises(LookupError):
                queue.resolve_prefix(session, nobody)
        for wrong in ("abc", "xyz9", "", "%%%%", "0" * 65):
            with pytest.raises(Refused):
                queue.resolve_prefix(session, wrong)


def test_a_beginning_that_two_share_is_refused(sessions: sessionmaker[Session]) -> None:
    # Of 600 contents, two share their first four digits.
    by_prefix: dict[str, str] = {}
    for number in range(2000):
        other = by_prefix.setdefault(sha(f"form-{number}")[:4], f"form-{number}")
        if other != f"form-{number}":
            document(sessions, other)
            document(sessions, f"form-{number}")
            break
    with sessions.begin() as session, pytest.raises(Refused, match="several"):
        queue.resolve_prefix(session, sha(other)[:4])


def test_a_document_shows_all_its_arrivals_and_scans(sessions: sessionmaker[Session]) -> None:
    one = flag(sessions, "form")
    number = source(sessions, "/other")
    with sessions.begin() as session:
        arrive(session, number, "form")
        scans.retry(session, one, actor="alice")
    with sessions.begin() as session:
        shown = queue.document(session, one)
        assert [each.status for each in shown.arrivals] == ["document", "duplicate"]
        assert [each.number for each in shown.scans] == [2, 1]
        assert (shown.status, shown.scan.stage, shown.findings) == ("in_flight", "prepare", ())
        with pytest.raises(LookupError):
            queue.document(session, sha("nothing"))


def test_lists_of_what_was_not_scanned(sessions: sessionmaker[Session]) -> None:
    quarantine(sessions, document(sessions), "The PDF has no pages.")
    with sessions.begin() as session:
        assert [one[:2] for one in queue.quarantined(session)] == [(sha("form"), "The PDF has no pages.")]
        assert queue.statuses(session, [sha("form"), sha("nothing")]) == {sha("form"): "quarantined"}


def test_retrying_scans_again_as_of_the_same_day(sessions: sessionmaker[Session]) -> None:
    one = flag(sessions, "form")
    with sessions.begin() as session:
        again = scans.retry(session, one, actor="alice")
    with sessions.begin() as session:
        with pytest.raises(Refused, match="being scanned"):
            scans.retry(session, one, actor="alice")
        with pytest.raises(LookupError):
            scans.retry(session, sha("nothing"), actor="alice")
        assert queue.document(session, one).scan.judged_on == TODAY
    judge(sessions, again, Verdict.CLEAR, [])
    assert state(sessions, again)[0] == "clear", "the same versions may judge again when somebody wants it"


def test_retries_at_once_start_one_scan(sessions: sessionmaker[Session]) -> None:
    one = flag(sessions, "form")

    def retry(_: int) -> bool:
        try:
            with sessions.begin() as session:
                scans.retry(session, one, actor="alice")
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(retry, range(6))) == 1


def test_rescanning_leaves_alone_what_these_versions_judged(sessions: sessionmaker[Session]) -> None:
    kyc, slip = flag(sessions, "kyc"), flag(sessions, "slip", types=("delivery-instruction",))
    quarantine(sessions, document(sessions, "broken"))
    document(sessions, "waiting")
    newer = Versions("model-2", "rules-1", "types-1")
    with sessions.begin() as session:
        assert scans.rescan(session, VERSIONS, actor="alice") == (0, None)
        assert scans.rescan(session, newer, actor="alice", doctype="delivery-instruction") == (1, None)
        assert queue.statuses(session, [kyc, slip]) == {kyc: "flagged", slip: "in_flight"}
        later = datetime.now(UTC) + timedelta(hours=1)
        assert scans.rescan(session, newer, actor="alice", since=later) == (0, None)
        assert scans.rescan(session, newer, actor="alice", only=["unknown"]) == (0, None)
        assert scans.judged_otherwise(session, newer, [kyc, "unknown"]) == 1
        assert scans.judged_otherwise(session, VERSIONS, [kyc]) == 0
        assert scans.rescan(session, newer, actor="alice", limit=1) == (1, kyc)
        assert scans.rescan(session, newer, actor="alice", limit=1, after=kyc)[0] == 0


def test_content_is_not_judged_twice_by_the_same_versions_unseen(sessions: sessionmaker[Session]) -> None:
    one = flag(sessions, "form")
    with sessions.begin() as session:
        judge_again = scans.retry(session, one, actor="alice")
    judge(sessions, judge_again)
    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.execute(text("UPDATE scans SET repeated = false"))
    with sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(Row)) == 2
