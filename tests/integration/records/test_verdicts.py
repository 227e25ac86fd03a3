"""Verdicts as somebody who watches is told of them."""

from __future__ import annotations

from sqlalchemy.orm import Session, sessionmaker

from pipeline.findings import Outcome, Verdict
from records import audit, verdicts
from tests.integration.records.steps import document, finding, judge, quarantine, sha


def chain(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        audit.chain_once(session)


def new(sessions: sessionmaker[Session], sequence: int, limit: int = 1000) -> tuple[list[str], int]:
    with sessions.begin() as session:
        return verdicts.since(session, sequence, limit)


def test_each_verdict_is_told_once_and_in_order(sessions: sessionmaker[Session]) -> None:
    assert new(sessions, 0) == ([], 0)
    judge(sessions, document(sessions, "one"))
    judge(sessions, document(sessions, "two"), Verdict.CLEAR, [finding(outcome=Outcome.PASS)])
    document(sessions, "in flight")
    chain(sessions)
    ids, sequence = new(sessions, 0)
    assert ids == [sha("one"), sha("two")]
    assert new(sessions, sequence) == ([], sequence)
    quarantine(sessions, document(sessions, "three"))
    chain(sessions)
    assert new(sessions, sequence)[0] == [sha("three")]


def test_portions_lead_to_all_of_them(sessions: sessionmaker[Session]) -> None:
    names = [f"form {number}" for number in range(4)]
    for name in names:
        judge(sessions, document(sessions, name))
    chain(sessions)
    found: list[str] = []
    sequence = 0
    while (portion := new(sessions, sequence, limit=2))[1] != sequence:
        found += portion[0]
        sequence = portion[1]
    assert found == [sha(name) for name in names]


def test_the_surest_anomaly_speaks_for_a_document(sessions: sessionmaker[Session]) -> None:
    judge(
        sessions,
        document(sessions, "flagged"),
        Verdict.FLAGGED,
        [
            finding("date.unreadable", Outcome.UNCERTAIN, field="date", message="Unsure."),
            finding("signature.missing", message="It is empty."),
            finding("date.missing", Outcome.PASS, field="date"),
        ],
    )
    judge(sessions, document(sessions, "clear"), Verdict.CLEAR, [finding(outcome=Outcome.PASS)])
    quarantine(sessions, document(sessions, "bad"), "The file is empty.")
    document(sessions, "in flight")
    with sessions.begin() as session:
        wanted = [sha("bad"), sha("flagged"), sha("in flight"), sha("clear")]
        bad, flagged, clear = verdicts.glances(session, wanted)
        assert (flagged.verdict, flagged.check, flagged.reason, flagged.others) == (
            "flagged",
            "signature.missing",
            "It is empty.",
            1,
        )
        assert flagged.document_types == ("kyc-individual",)
        assert (clear.verdict, clear.check, clear.reason, clear.others) == ("clear", None, None, 0)
        assert (bad.verdict, bad.check, bad.reason) == ("quarantined", None, "The file is empty.")
        assert verdicts.counts(session) == {"clear": 1, "flagged": 1, "quarantined": 1, "in_flight": 1}
        assert verdicts.glances(session, []) == []
