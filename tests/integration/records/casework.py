"""Documents at the desk, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from pipeline.desk import DeskRules
from pipeline.findings import Finding, Outcome, Verdict
from records import claims, desk, handing, reviews
from records.reviews import Decision
from records.words import Decided
from tests.integration.records.steps import VERSIONS, document, finding, prepare, sha, take

RULES = DeskRules(claim_seconds=60, undo_seconds=60)
PASS = replace(finding(outcome=Outcome.PASS), message="The signature is there.")


def put(
    sessions: sessionmaker[Session],
    name: str,
    findings: Sequence[Finding] | None = None,
    *,
    rules: DeskRules = RULES,
    priority: int = 0,
    types: Sequence[str] = ("kyc-individual",),
    scan_id: int | None = None,
) -> str:
    """A judged document: flagged, or clear where all its findings pass."""
    scan_id = document(sessions, name, priority=priority) if scan_id is None else scan_id
    prepare(sessions, scan_id)
    lease = take(sessions, scan_id, "infer")
    told = [finding()] if findings is None else findings
    clear = all(one.outcome is Outcome.PASS for one in told)
    verdict = Verdict.CLEAR if clear else Verdict.FLAGGED
    with sessions.begin() as session:
        assert handing.judged(session, lease, verdict, told, versions=VERSIONS, document_types=types, rules=rules)
    return sha(name)


def asked(sessions: sessionmaker[Session], document_id: str, viewer: str = "alice") -> list[int]:
    """The findings that somebody has to decide on."""
    with sessions.begin() as session:
        return [one.id for one in desk.document(session, document_id, viewer).findings if one.undecided]


def decide(
    sessions: sessionmaker[Session],
    number: int,
    decision: str = "confirmed",
    *,
    reviewer: str = "alice",
    rules: DeskRules = RULES,
    supervisor: bool = False,
    value: str | None = None,
) -> Decided:
    with sessions.begin() as session:
        chosen = Decision(decision, value)
        return reviews.decide(session, number, chosen, reviewer=reviewer, rules=rules, supervisor=supervisor)


def next_for(sessions: sessionmaker[Session], reviewer: str = "alice", **more: object) -> str | None:
    with sessions.begin() as session:
        return claims.next_for(session, reviewer, **{"seconds": 60, **more})  # type: ignore[arg-type]


def let_claims_run_out(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.execute(text("UPDATE cases SET claim_expires_at = now() - interval '1 second' WHERE claimed_by <> ''"))
