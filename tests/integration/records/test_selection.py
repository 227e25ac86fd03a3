"""Clear documents that teach most come before people, unmarked and few; they become examples and count in no bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from pipeline.desk import DeskRules
from pipeline.findings import Finding, Outcome, Verdict
from records import (
    desk,
    gathering,
    handing,
    misses,
    model_trials,
    model_versions,
    readings,
    scans,
    selection,
    shadow_scans,
)
from records.desk_tables import Case, Miss
from records.learning_tables import DriftReading, LearningExample
from records.objects import open_store
from tests.integration.records.casework import PASS, RULES, asked, decide, put
from tests.integration.records.steps import VERSIONS, finding, prepare, sha, take
from tests.integration.records.test_examples import cut

ZONE = "Asia/Kolkata"
TEN = RULES.model_copy(update={"selected_per_day": 10})
DRAW_ALL = RULES.model_copy(update={"audit_rate": 1.0})


def sure(confidence: float, check: str = "signature.missing", field: str = "signature_1") -> Finding:
    return replace(finding(check, outcome=Outcome.PASS, field=field), confidence=confidence, message="It is there.")


def tomorrow(hour: int = 10) -> datetime:
    """In Kolkata, the day after the documents were cleared."""
    return (datetime.now(ZoneInfo(ZONE)) + timedelta(days=1)).replace(hour=hour)


def choose(
    sessions: sessionmaker[Session], rules: DeskRules = TEN, now: datetime | None = None
) -> list[tuple[str, str]]:
    with sessions.begin() as session:
        return [(one.document_id, one.why) for one in selection.choose(session, rules, ZONE, now=now or tomorrow())]


def clear(sessions: sessionmaker[Session], **passes: float) -> None:
    for name, confidence in passes.items():
        put(sessions, name, [sure(confidence)])


def ids(*names: str, why: str = "doubt") -> list[tuple[str, str]]:
    return [(sha(name), why) for name in names]


@pytest.fixture
def versions(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        model_versions.install(session, VERSIONS.model)
        model_versions.register(session, "new", key="models/new.tar", by="trainer")
        model_versions.stage(session, "new", "shadow", by="mira")


def test_the_least_certain_of_yesterday_are_chosen_and_no_more_than_are_allowed(
    sessions: sessionmaker[Session],
) -> None:
    clear(sessions, a=0.99, b=0.6, c=0.8)
    two = RULES.model_copy(update={"selected_per_day": 2})
    assert choose(sessions, two, datetime.now(UTC)) == [], "the day isn't over"
    assert choose(sessions, RULES) == [], "nobody asked for it"
    assert choose(sessions, two) == ids("b", "c")
    assert choose(sessions, two, tomorrow(15)) == [], "two were opened this day"
    assert choose(sessions, two, tomorrow() + timedelta(days=1)) == [], "and another day has its own documents"
    with sessions.begin() as session:
        assert session.scalars(select(Case.cause)).all() == ["selected", "selected"]


def test_after_days_without_documents_the_last_one_with_some_is_looked_at(sessions: sessionmaker[Session]) -> None:
    clear(sessions, a=0.99, b=0.6, c=0.8)
    two = RULES.model_copy(update={"selected_per_day": 2})
    monday = tomorrow() + timedelta(days=2)
    assert choose(sessions, two, monday) == ids("b", "c")
    assert choose(sessions, two, monday + timedelta(days=1)) == [], "a day's documents are looked at once"


def test_no_check_takes_all_places(sessions: sessionmaker[Session]) -> None:
    for number in range(4):
        put(sessions, f"dated {number}", [sure(0.5 + number / 100, "date.unreadable", "dated")])
    clear(sessions, signed=0.9)
    assert sorted(choose(sessions, RULES.model_copy(update={"selected_per_day": 2}))) == sorted(
        ids("dated 0", "signed")
    )


def test_what_teaches_nothing_is_not_asked_about(sessions: sessionmaker[Session]) -> None:
    put(sessions, "flagged", [finding()])
    put(sessions, "drawn", [sure(0.5)], rules=DRAW_ALL)
    put(sessions, "page", [replace(sure(0.5, "page.poor"), field=None, box=None)])
    put(sessions, "amount", [sure(0.5, "amount.mismatch", "amount")])
    put(
        sessions,
        "aadhaar",
        [sure(0.9, "aadhaar.unmasked", "aadhaar"), sure(0.5, "identifier.invalid", "aadhaar")],
    )
    assert choose(sessions) == []


@pytest.mark.usefixtures("versions")
def test_documents_on_which_versions_differ_come_first(sessions: sessionmaker[Session]) -> None:
    clear(sessions, doubted=0.5, differing=0.99, agreed=0.98)
    with sessions.begin() as session:
        for name, outcome in (("differing", Outcome.ANOMALY), ("agreed", Outcome.PASS)):
            scan_id = session.scalars(text("SELECT scan_id FROM documents WHERE id = :id"), {"id": sha(name)}).one()
            told = replace(sure(0.8), outcome=outcome)
            verdict = Verdict.CLEAR if outcome is Outcome.PASS else Verdict.FLAGGED
            shadow_scans.add(session, scan_id, "new", verdict, [told])
    assert choose(sessions) == [*ids("differing", why="disagreement"), *ids("doubted", "agreed")]


def test_a_document_that_another_version_flagged_differs(sessions: sessionmaker[Session]) -> None:
    for name in ("flagged before", "clear before"):
        told = [finding()] if name == "flagged before" else [sure(0.9)]
        put(sessions, name, told)
        with sessions.begin() as session:
            scan_id = scans.retry(session, sha(name), actor="alice")
        prepare(sessions, scan_id)
        lease = take(sessions, scan_id, "infer")
        with sessions.begin() as session:
            assert handing.judged(
                session,
                lease,
                Verdict.CLEAR,
                [sure(0.95)],
                versions=replace(VERSIONS, model="new"),
                document_types=(),
            )
    assert choose(sessions) == [*ids("flagged before", why="disagreement"), *ids("clear before")]


@pytest.mark.usefixtures("versions")
def test_checks_whose_confidences_drift_are_looked_at(sessions: sessionmaker[Session]) -> None:
    clear(sessions, doubted=0.5)
    put(sessions, "dated", [sure(0.99, "date.unreadable", "dated")])
    with sessions.begin() as session:
        session.add(
            DriftReading(version=VERSIONS.model, check="date.unreadable", findings=500, index=0.4, drifted=True)
        )
    assert choose(sessions) == [*ids("dated", why="drift"), *ids("doubted")]


def test_a_reviewer_sees_no_difference(sessions: sessionmaker[Session]) -> None:
    put(sessions, "drawn", [sure(0.7)], rules=DRAW_ALL)
    clear(sessions, chosen=0.7)
    assert choose(sessions) == ids("chosen")
    with sessions.begin() as session:
        one, other = (desk.document(session, sha(name), "alice") for name in ("drawn", "chosen"))
    assert (one.status, other.status) == ("flagged", "flagged")
    shown = [(each.outcome, each.confidence, each.message, each.asked) for each in (*one.findings, *other.findings)]
    assert shown == [("uncertain", None, "It is there, but this is not certain enough.", True)] * 2


def test_what_was_chosen_counts_in_no_bound(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        model_versions.install(session, VERSIONS.model)
    for number in range(20):
        put(sessions, f"drawn {number}", [PASS], rules=DRAW_ALL)
        decide(sessions, asked(sessions, sha(f"drawn {number}"))[0], "dismissed")

    def read() -> tuple[list[tuple[str, float, float]], model_trials.Counts]:
        with sessions.begin() as session:
            bounds = [(one.check, one.missed, one.upper) for one in readings.read_bounds(session, VERSIONS.model, 1.0)]
            return bounds, model_trials.judged(session, VERSIONS.model)

    clear(sessions, chosen=0.5, other=0.6)
    before, counts = read()
    assert counts.cleared_labelled == 20 and [one[1] for one in before] == [0.0]
    assert choose(sessions) == ids("chosen", "other")
    decide(sessions, asked(sessions, sha("chosen"))[0], "confirmed")
    with sessions.begin() as session:
        misses.report(session, sha("other"), reporter="alice", page=1, check="date.stale")
    assert read() == (before, counts), "neither the defect that was asked about nor the one beside it"
    with sessions.begin() as session:
        assert session.scalars(select(Miss.probability)).all() == [None, None]


def test_what_was_chosen_becomes_an_example(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    store = open_store(tmp_path / "objects")
    clear(sessions, chosen=0.5)
    cut(sessions, store, "chosen", seed=1)
    assert choose(sessions) == ids("chosen")
    decide(sessions, asked(sessions, sha("chosen"))[0], "dismissed")
    with sessions.begin() as session:
        gathering.gather(session, store)
        (one,) = session.scalars(select(LearningExample))
    assert (one.chosen, one.state, one.label, one.right) == ("selected", "present", "signature", True)


def test_of_two_that_choose_at_once_one_comes_second(sessions: sessionmaker[Session]) -> None:
    clear(sessions, a=0.5, b=0.6)
    one = RULES.model_copy(update={"selected_per_day": 1})
    with sessions() as first, sessions() as second:
        assert len(selection.choose(first, one, ZONE, now=tomorrow())) == 1
        second.execute(text("SET LOCAL lock_timeout = '200ms'"))
        with pytest.raises(Exception, match="lock timeout"):
            selection.choose(second, one, ZONE, now=tomorrow())
        second.rollback()
        first.commit()
        assert selection.choose(second, one, ZONE, now=tomorrow()) == []
