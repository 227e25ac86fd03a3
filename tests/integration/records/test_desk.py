"""The desk's queue, its counts, and what it keeps from reviewers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from pipeline.findings import Outcome
from records import claims, desk, scans, tallies
from records.desk import Count
from records.desk_filters import Filters
from records.desk_tables import Case, Tally, TallyChange
from tests.integration.records.casework import PASS, RULES, asked, decide, next_for, put
from tests.integration.records.steps import finding, source

DOUBT = finding("date.stale", Outcome.UNCERTAIN, field="date")
DRAW_ALL = RULES.model_copy(update={"audit_rate": 1.0})


def listed(sessions: sessionmaker[Session], viewer: str = "alice", **more: object) -> list[str]:
    with sessions.begin() as session:
        return [one.document_id for one in desk.page(session, viewer, **more).items]  # type: ignore[arg-type]


def test_by_risk_and_by_age(sessions: sessionmaker[Session]) -> None:
    doubtful, risky = put(sessions, "doubtful", [DOUBT]), put(sessions, "risky", [finding(), DOUBT])
    urgent = put(sessions, "urgent", [DOUBT], priority=3)
    assert listed(sessions) == [urgent, risky, doubtful]
    assert listed(sessions, sort="age") == [urgent, doubtful, risky]
    with sessions.begin() as session:
        scans.set_priority(session, doubtful, 9, actor="carol")
    assert listed(sessions)[0] == doubtful


@pytest.mark.parametrize("sort", ["risk", "age"])
def test_pages_neither_skip_nor_repeat(sessions: sessionmaker[Session], sort: str) -> None:
    for number in range(7):
        put(sessions, f"form-{number}", priority=number % 2)
    everything = listed(sessions, sort=sort)
    seen: list[str] = []
    after = None
    while True:
        with sessions.begin() as session:
            page = desk.page(session, "alice", sort=sort, limit=3, after=after)  # type: ignore[arg-type]
        seen += [one.document_id for one in page.items]
        if page.after is None:
            break
        after = page.after
    assert seen == everything and len(seen) == 7


@pytest.mark.parametrize("after", ["nonsense", "0~x~1", "0~nan~1", "0~0.5~"])
def test_a_place_that_is_none_is_refused(sessions: sessionmaker[Session], after: str) -> None:
    with sessions.begin() as session, pytest.raises(ValueError, match="leads to no page"):
        desk.page(session, "alice", after=after)


@pytest.mark.parametrize("page", [tallies.PAGE, -1])
def test_filters(sessions: sessionmaker[Session], page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "PAGE", page)
    doubtful = put(sessions, "doubtful", [DOUBT], types=["transfer"])
    risky = put(sessions, "risky")
    with sessions.begin() as session:
        claims.assign(session, [risky], "bob", actor="carol")
        session.execute(
            text("UPDATE cases SET due_at = now() + interval '1 hour', verdict_at = now() - interval '2 hours'"
                 " WHERE document_id = :id"),
            {"id": risky},
        )  # fmt: skip
    for filters, found in (
        (Filters(check="date.stale"), [doubtful]),
        (Filters(doctype="transfer"), [doubtful]),
        (Filters(source_id=source(sessions)), [risky, doubtful]),
        (Filters(source_id=99), []),
        (Filters(assignee="bob"), [risky]),
        (Filters(assignee=""), [doubtful]),
        (Filters(older_than=timedelta(hours=1)), [risky]),
        (Filters(newer_than=timedelta(hours=1)), [doubtful]),
        (Filters(risk_from=0.9), [risky]),
        (Filters(risk_to=0.5), [doubtful]),
        (Filters(sla="soon"), [risky]),
        (Filters(sla="none"), [doubtful]),
        (Filters(sla="overdue"), []),
        (Filters(check="date.stale", assignee="bob"), []),
    ):
        assert listed(sessions, filters=filters) == found, filters
        with sessions.begin() as session:
            assert desk.count(session, "alice", filters=filters) == Count(len(found), True)


def test_a_count_looks_through_no_more_than_so_many(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "PAGE", -1)
    for number in range(6):
        put(
            sessions,
            f"form-{number}",
            [finding(), DOUBT][number % 2 :],
            types=["transfer"] if number < 5 else ["other"],
        )
    mine = Filters(check="signature.missing", doctype="transfer")

    def counted(filters: Filters, most: int) -> Count:
        monkeypatch.setattr(desk, "COUNTED", most)
        with sessions.begin() as session:
            return desk.count(session, "alice", filters=filters)

    assert counted(mine, 6) == Count(3, True)
    # The riskiest are looked at first: of the first four three have the check.
    assert counted(mine, 3) == Count(3, False)
    # The tallies know that no more than three of the six can be without it.
    assert counted(mine, 1) == Count(2, False)
    assert counted(Filters(check="date.stale", doctype="transfer"), 1) == Count(5, True), "all six have the check"
    assert counted(Filters(doctype="transfer"), 1) == Count(5, True)
    assert counted(Filters(newer_than=timedelta(hours=1)), 4) == Count(4, False)
    assert counted(Filters(risk_to=1.0, doctype="transfer"), 4) == Count(4, False)


def test_a_count_leaves_out_what_is_not_for_the_viewer(sessions: sessionmaker[Session]) -> None:
    rules = RULES.model_copy(update={"four_eyes": frozenset({"signature.missing"})})
    first, _ = put(sessions, "first", rules=rules), put(sessions, "second", rules=rules)
    decide(sessions, asked(sessions, first)[0], rules=rules)
    for viewer, supervisor, number in (("alice", False, 1), ("bob", False, 2), ("carol", True, 2)):
        with sessions.begin() as session:
            found = desk.count(session, viewer, supervisor=supervisor, filters=Filters(check="signature.missing"))
        assert found == Count(number, True), viewer


def test_what_is_due_is_exact_whether_folded_or_not(sessions: sessionmaker[Session]) -> None:
    hours = {"long ago": -240, "yesterday": -30, "just now": -0.01, "soon": 1, "later": 30}
    ids = {name: put(sessions, name) for name in [*hours, "never"]}
    move = text("UPDATE cases SET due_at = now() + make_interval(secs => 3600 * :hours) WHERE document_id = :id")

    def due() -> dict[str, int]:
        with sessions.begin() as session:
            return tallies.due(session)

    with sessions.begin() as session:
        session.execute(text("UPDATE cases SET due_at = NULL"))
        for name, after in hours.items():
            session.execute(move, {"id": ids[name], "hours": after})
    assert due() == {"overdue": 3, "soon": 1}
    with sessions.begin() as session:
        tallies.fold(session)
    assert due() == {"overdue": 3, "soon": 1}
    decide(sessions, asked(sessions, ids["long ago"])[0])
    with sessions.begin() as session:
        session.execute(move, {"id": ids["yesterday"], "hours": 2})
    for _ in range(2):
        assert due() == {"overdue": 1, "soon": 2}
        with sessions.begin() as session:
            tallies.fold(session)
            assert "due" not in tallies.counts(session)
    with sessions.begin() as session:
        days = session.scalars(select(Tally.waiting).where(Tally.dimension == "due")).all()
    assert sum(days) == 4 and 0 not in days


def test_counts_are_exact_whether_folded_or_not(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "one", [finding(), DOUBT])
    two = put(sessions, "two")
    put(sessions, "three", [DOUBT], types=["transfer"])

    def counted() -> dict[str, dict[str, int]]:
        with sessions.begin() as session:
            return tallies.counts(session)

    assert counted()["check"] == {"signature.missing": 2, "date.stale": 2}
    assert counted()["type"] == {"kyc-individual": 2, "transfer": 1}
    with sessions.begin() as session:
        assert tallies.fold(session) > 0
        assert session.scalars(select(TallyChange.id)).all() == []
        claims.assign(session, [one], "bob", actor="carol")
    decide(sessions, asked(sessions, two)[0])
    for _ in range(2):
        assert counted()["check"] == {"signature.missing": 1, "date.stale": 2}
        assert counted()["assignee"] == {"": 1, "bob": 1}
        assert counted()["stage"] == {"open": 2}
        with sessions.begin() as session:
            tallies.fold(session)


def test_a_drawn_document_looks_like_one_that_was_flagged(sessions: sessionmaker[Session]) -> None:
    drawn = put(sessions, "drawn", [PASS], rules=DRAW_ALL)
    flagged = put(sessions, "flagged", [finding(outcome=Outcome.UNCERTAIN)], rules=DRAW_ALL)
    with sessions.begin() as session:
        assert session.execute(select(Case.cause, Case.probability).where(Case.document_id == drawn)).one() == (
            "drawn",
            1.0,
        )
        items = {one.document_id: one for one in desk.page(session, "alice").items}
        seen = {one: desk.document(session, one, "alice") for one in (drawn, flagged)}
    assert items[drawn].checks == items[flagged].checks
    assert (items[drawn].findings, items[drawn].undecided) == (1, 1)
    (doubt,), (other,) = seen[drawn].findings, seen[flagged].findings
    assert (seen[drawn].status, doubt.outcome, doubt.confidence, doubt.undecided) == (
        "flagged",
        "uncertain",
        None,
        True,
    )
    assert (other.outcome, other.confidence) == ("uncertain", None)
    assert doubt.message == "The signature is there, but this is not certain enough."
    assert "drawn" not in repr(items[drawn]) + repr(seen[drawn])
    assert next_for(sessions) in (drawn, flagged)


def test_clear_documents_that_are_not_drawn_wait_for_nobody(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "clear", [PASS])
    assert listed(sessions) == []
    with sessions.begin() as session:
        shown = desk.document(session, one, "alice")
        assert (shown.status, shown.round, shown.findings[0].asked) == ("clear", None, False)
        with pytest.raises(LookupError):
            desk.document(session, "0" * 64, "alice")
