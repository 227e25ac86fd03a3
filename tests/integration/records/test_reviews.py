"""Decisions at the desk: once a round, blind to each other, taken back for a while, and what they come to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from pipeline.desk import DeskRules
from pipeline.findings import Outcome
from pipeline.geometry import Box
from records import desk, reviews, suggestions
from records.desk_tables import Case
from records.reviews import Decision
from records.tables import Event, Review
from records.words import Refused
from tests.integration.records.casework import RULES, asked, decide, let_claims_run_out, next_for, put
from tests.integration.records.steps import finding, sha

FOUR_EYES = RULES.model_copy(update={"four_eyes": frozenset({"signature.missing"})})
TWO = (finding(), finding("date.stale", field="date"))


def stage(sessions: sessionmaker[Session], document_id: str) -> str:
    with sessions.begin() as session:
        return session.scalars(select(Case.stage).where(Case.document_id == document_id)).one()


def reviewed(sessions: sessionmaker[Session], document_id: str) -> bool:
    query = text("SELECT reviewed_at IS NOT NULL FROM documents WHERE id = :id")
    with sessions.begin() as session:
        return bool(session.execute(query, {"id": document_id}).scalar_one())


def test_a_document_is_decided_when_all_its_findings_are(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form", TWO)
    first, second = asked(sessions, one)
    done = decide(sessions, first, "corrected", value="12/03/2026")
    assert (done.undecided, done.done, reviewed(sessions, one)) == (1, False, False)
    done = decide(sessions, second, "dismissed")
    assert (done.undecided, done.done, reviewed(sessions, one)) == (0, True, True)
    with sessions.begin() as session:
        kinds = session.scalars(select(Event.kind).where(Event.subject == one).order_by(Event.id)).all()
        assert list(kinds)[-3:] == ["review", "review", "decision"]
        shown = desk.document(session, one, "alice")
        assert (shown.round, [each.review is not None for each in shown.findings]) == (None, [True, True])


def test_nobody_decides_twice(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form", [finding(ordinal=each) for each in range(4)])
    numbers = asked(sessions, one)

    def attempt(place: int) -> bool:
        try:
            decide(sessions, numbers[place % 4], reviewer=f"reviewer-{place // 4}")
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(attempt, range(12))) == 4 or asked(sessions, one)
    let_claims_run_out(sessions)
    for number in asked(sessions, one):
        decide(sessions, number)
    with sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(Review)) == 4
    with pytest.raises(Refused, match="decided already"):
        decide(sessions, numbers[0])


def test_a_decision_needs_the_document_in_ones_hands(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form", TWO)
    first, second = asked(sessions, one)
    decide(sessions, first, reviewer="alice")
    with pytest.raises(Refused, match="somebody else's hands"):
        decide(sessions, second, reviewer="bob")
    let_claims_run_out(sessions)
    assert decide(sessions, second, reviewer="bob").done


def test_a_second_opinion_is_somebody_else_s_and_blind(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form", TWO)
    for number in asked(sessions, one):
        decide(sessions, number, "dismissed", reviewer="alice", rules=FOUR_EYES)
    assert stage(sessions, one) == "second" and not reviewed(sessions, one)
    assert next_for(sessions, "alice") is None
    with sessions.begin() as session:
        assert desk.page(session, "alice").items == ()
        shown = desk.document(session, one, "bob")
        assert [each.reviews for each in shown.findings] == [(), ()]
        assert [each.check for each in shown.findings if each.undecided] == ["signature.missing"]
        assert len(desk.document(session, one, "carol", supervisor=True).findings[0].reviews) == 1
    (number,) = asked(sessions, one)
    let_claims_run_out(sessions)
    with pytest.raises(Refused, match="second opinion"):
        decide(sessions, number, reviewer="alice", rules=FOUR_EYES)
    assert next_for(sessions, "bob") == one
    assert decide(sessions, number, "dismissed", reviewer="bob", rules=FOUR_EYES).done
    assert reviewed(sessions, one)


def test_a_disagreement_is_for_a_supervisor(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form")
    (number,) = asked(sessions, one)
    decide(sessions, number, "dismissed", reviewer="alice", rules=FOUR_EYES)
    decide(sessions, number, "confirmed", reviewer="bob", rules=FOUR_EYES)
    assert stage(sessions, one) == "disputed"
    assert next_for(sessions, "dave") is None
    with pytest.raises(Refused, match="supervisor"):
        decide(sessions, number, reviewer="dave", rules=FOUR_EYES)
    assert next_for(sessions, "carol", supervisor=True) == one
    assert decide(sessions, number, "confirmed", reviewer="carol", rules=FOUR_EYES, supervisor=True).done
    with sessions.begin() as session:
        (shown,) = desk.document(session, one, "dave").findings
        assert [(each.round, each.decision) for each in shown.reviews] == [
            (1, "dismissed"),
            (2, "confirmed"),
            (3, "confirmed"),
        ]


def test_one_s_last_decision_can_be_taken_back_for_a_while(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form")
    (number,) = asked(sessions, one)

    def undo(reviewer: str = "alice", rules: DeskRules = RULES) -> None:
        with sessions.begin() as session:
            reviews.undo(session, number, reviewer=reviewer, rules=rules)

    decide(sessions, number)
    with pytest.raises(Refused, match="of yours"):
        undo("bob")
    with pytest.raises(Refused, match="for 0 seconds"):
        undo(rules=RULES.model_copy(update={"undo_seconds": 0.0}))
    undo()
    assert asked(sessions, one) == [number] and not reviewed(sessions, one)
    assert decide(sessions, number, "dismissed").done
    with sessions.begin() as session:
        kept = session.execute(select(Review.decision, Review.withdrawn_at.is_not(None)).order_by(Review.id)).all()
        assert [tuple(row) for row in kept] == [("confirmed", True), ("dismissed", False)]


def test_what_somebody_went_on_from_is_not_taken_back(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form")
    (number,) = asked(sessions, one)
    decide(sessions, number, "dismissed", reviewer="alice", rules=FOUR_EYES)
    next_for(sessions, "bob")
    with pytest.raises(Refused, match="gone on"), sessions.begin() as session:
        reviews.undo(session, number, reviewer="alice", rules=FOUR_EYES)
    decide(sessions, number, "dismissed", reviewer="bob", rules=FOUR_EYES)
    with sessions.begin() as session:
        reviews.undo(session, number, reviewer="bob", rules=FOUR_EYES)
    assert stage(sessions, one) == "second"


def test_a_correction_may_be_of_the_box(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form")
    (number,) = asked(sessions, one)
    with sessions.begin() as session:
        chosen = Decision("corrected", box=Box(0.1, 0.2, 0.3, 0.4))
        done = reviews.decide(session, number, chosen, reviewer="alice", rules=RULES)
    assert done.review.box == Box(0.1, 0.2, 0.3, 0.4)


def test_what_nobody_is_asked_about_is_not_decided(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form", [finding(), finding("date.stale", Outcome.PASS, field="date")])
    with sessions.begin() as session:
        (fine,) = [each.id for each in desk.document(session, one, "alice").findings if not each.asked]
    with pytest.raises(Refused, match="nobody is asked"):
        decide(sessions, fine)
    with pytest.raises(LookupError):
        decide(sessions, 999)


def test_the_same_dismissed_again_and_again_suggests_where_to_look(sessions: sessionmaker[Session]) -> None:
    rules = RULES.model_copy(update={"dismissals": 3})
    doubt = finding("date.unreadable", Outcome.UNCERTAIN, field="date")
    for number in range(3):
        one = put(sessions, f"form-{number}", [finding(), doubt])
        for each, decision in zip(asked(sessions, one), ("dismissed", "dismissed"), strict=True):
            decide(sessions, each, decision)
    other = put(sessions, "other")
    decide(sessions, asked(sessions, other)[0], "confirmed")
    with sessions.begin() as session:
        told = {one.check: one for one in suggestions.suggestions(session, rules)}
        assert suggestions.suggestions(session, rules.model_copy(update={"dismissals": 4})) == []
        session.execute(text("UPDATE reviews SET decided_at = decided_at - :age"), {"age": timedelta(days=31)})
        assert suggestions.suggestions(session, rules) == []
    assert {check: (one.about, one.dismissed, one.decided) for check, one in told.items()} == {
        "signature.missing": ("template", 3, 4),
        "date.unreadable": ("threshold", 3, 3),
    }


def test_a_late_decision_is_told(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form", rules=DeskRules.model_validate({"due": [{"hours": 1}]}))
    with sessions.begin() as session:
        due, verdict = session.execute(select(Case.due_at, Case.verdict_at)).one()
        assert due is not None and due > verdict
        session.execute(text("UPDATE cases SET due_at = now() - interval '1 hour'"))
        assert [each.sla for each in desk.page(session, "alice").items] == ["overdue"]
    decide(sessions, asked(sessions, one)[0])
    with sessions.begin() as session:
        assert '"late":true' in session.scalars(select(Event.body).where(Event.kind == "decision")).one()
    assert one == sha("form")
