"""The guard moves a version on trial by what people decided, and takes back what it did wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from pipeline.desk import DeskRules
from pipeline.drift import drift
from pipeline.findings import Finding, Outcome, Verdict
from records import handing, model_archives, model_trials, model_versions, readings, shadow_scans, trainings
from records.learning_tables import Evaluation
from records.tables import Document, ModelVersion
from records.words import Versions
from tests.integration.records.casework import PASS, RULES, asked, decide
from tests.integration.records.steps import document, finding, prepare, sha, take
from workers.config import WorkerConfig
from workers.guard import guard_once, watch_once

DRAW_ALL = RULES.model_copy(update={"canary_audit_rate": 1.0})
CONFIG = WorkerConfig(
    "",
    "",
    "",
    "",
    shadow_documents=20,
    canary_documents=20,
    canary_misses=0.2,
    canary_share=0.3,
    desk={"audit_rate": 0.5},
)


@pytest.fixture(autouse=True)
def versions(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        model_versions.install(session, "old")
        model_versions.register(session, "new", key=model_archives.key("new"), by="trainer", parent="old")


def at(sessions: sessionmaker[Session], stage: str) -> None:
    with sessions.begin() as session:
        model_versions.stage(session, "new", stage, by="alice")


def stage(sessions: sessionmaker[Session], version: str = "new") -> str:
    with sessions.begin() as session:
        return session.get_one(ModelVersion, version).stage


def scanned(
    sessions: sessionmaker[Session],
    name: str,
    told: Sequence[Finding],
    version: str = "new",
    *,
    wrong: bool = False,
    rules: DeskRules = DRAW_ALL,
) -> int:
    """A document that the version judged and a person decided on: `wrong` says against what the machine said."""
    scan_id = document(sessions, name)
    prepare(sessions, scan_id)
    lease = take(sessions, scan_id, "infer")
    clear = all(one.outcome is Outcome.PASS for one in told)
    with sessions.begin() as session:
        assert handing.judged(
            session,
            lease,
            Verdict.CLEAR if clear else Verdict.FLAGGED,
            told,
            versions=Versions(version, "rules", "types"),
            document_types=("kyc-individual",),
            rules=rules,
        )
    for reviewer in ("alice", "bob") if rules.four_eyes else ("alice",):
        for number in asked(sessions, sha(name), reviewer):
            decide(sessions, number, "confirmed" if clear == wrong else "dismissed", reviewer=reviewer, rules=rules)
    return scan_id


def shadow(sessions: sessionmaker[Session], scan_id: int, verdict: Verdict) -> None:
    with sessions.begin() as session:
        shadow_scans.add(session, scan_id, "new", verdict, [PASS])


def test_nothing_is_moved_while_nothing_is_on_trial(sessions: sessionmaker[Session]) -> None:
    assert guard_once(CONFIG, sessions) == "nothing"
    assert stage(sessions) == "candidate"


def test_a_good_shadow_becomes_a_canary_after_enough_documents(sessions: sessionmaker[Session]) -> None:
    at(sessions, "shadow")
    for number in range(20):
        assert guard_once(CONFIG, sessions) == "wait"
        shadow(sessions, scanned(sessions, f"d{number}", [finding()], "old"), Verdict.FLAGGED)
    assert guard_once(CONFIG, sessions) == "canary"
    assert stage(sessions) == "canary"
    with sessions.begin() as session:
        trial = model_versions.standing(session).trial
    assert trial is not None and trial.share == 0.3


def test_a_shadow_that_would_clear_what_people_confirmed_goes_back(sessions: sessionmaker[Session]) -> None:
    at(sessions, "shadow")
    for number in range(12):
        shadow(sessions, scanned(sessions, f"d{number}", [finding()], "old"), Verdict.CLEAR)
    assert guard_once(CONFIG, sessions) == "back"
    assert stage(sessions) == "retired"
    with sessions.begin() as session:
        (told,) = session.scalars(select(Evaluation))
        assert (told.set, told.passed, told.classes["counts"]["misses"]) == ("shadow", False, 12)
        assert "missed defects" in told.reasons[0]


def test_a_shadow_that_says_what_production_says_goes_on(sessions: sessionmaker[Session]) -> None:
    """Where most of what is flagged is flagged for nothing, and nearly nothing of what is cleared is looked at."""
    at(sessions, "shadow")
    rules = RULES.model_copy(update={"audit_rate": 0.0})
    for number in range(60):
        shadow(sessions, scanned(sessions, f"f{number}", [finding()], "old", wrong=number % 4 > 0), Verdict.FLAGGED)
        shadow(sessions, scanned(sessions, f"c{number}", [PASS], "old", rules=rules), Verdict.CLEAR)
    assert guard_once(CONFIG, sessions) == "canary"


def test_a_version_goes_the_whole_way(sessions: sessionmaker[Session]) -> None:
    """With errors as real versions make them, decided by two people: shadow, canary, production."""
    at(sessions, "shadow")
    rules = DRAW_ALL.model_copy(update={"audit_rate": 1.0, "four_eyes": frozenset([PASS.check])})
    moves, number = [], 0
    while (done := guard_once(CONFIG, sessions)) != "production":
        if done != "wait":
            moves.append(done)
        number += 1
        assert number < 200, evaluations(sessions)[-1].reasons
        version = "new" if "canary" in moves else "old"
        flagged = number % 3 == 0
        # One of twenty cleared documents is missed, one of ten flagged ones is clean.
        wrong = number % 30 == (0 if flagged else 1)
        scan_id = scanned(sessions, f"d{number}", [finding()] if flagged else [PASS], version, wrong=wrong, rules=rules)
        if version == "old":
            shadow(sessions, scan_id, Verdict.FLAGGED if flagged else Verdict.CLEAR)
    assert moves == ["canary"]
    assert (stage(sessions), stage(sessions, "old")) == ("production", "retired")
    assert [(one.set, one.passed) for one in evaluations(sessions)] == [("shadow", True), ("canary", True)]


def test_a_bad_canary_goes_back_and_what_it_cleared_is_scanned_again(sessions: sessionmaker[Session]) -> None:
    at(sessions, "canary")
    needed = 0
    while guard_once(CONFIG, sessions) == "wait":
        scanned(sessions, f"d{needed}", [PASS], wrong=True)
        needed += 1
        assert needed < 30
    assert stage(sessions) == "retired"
    with sessions.begin() as session:
        waiting = session.scalar(select(func.count()).select_from(Document).where(Document.status == "in_flight"))
    assert waiting == needed


def test_what_a_crash_left_cleared_is_scanned_again_later(sessions: sessionmaker[Session]) -> None:
    at(sessions, "canary")
    scanned(sessions, "one", [PASS])
    at(sessions, "retired")
    assert guard_once(CONFIG, sessions) == "nothing"
    with sessions.begin() as session:
        assert session.get_one(Document, sha("one")).status == "in_flight"


def test_a_good_canary_comes_into_production(sessions: sessionmaker[Session]) -> None:
    at(sessions, "canary")
    done = "wait"
    for number in range(60):
        scanned(sessions, f"c{number}", [PASS])
        scanned(sessions, f"f{number}", [finding()], wrong=number == 7)
        done = guard_once(CONFIG, sessions)
        if done != "wait":
            break
    assert done == "production"
    assert (stage(sessions), stage(sessions, "old")) == ("production", "retired")


def evaluations(sessions: sessionmaker[Session]) -> list[Evaluation]:
    with sessions.begin() as session:
        found = list(session.scalars(select(Evaluation).order_by(Evaluation.id)))
        session.expunge_all()
    return found


def test_a_version_on_trial_says_what_it_waits_for(sessions: sessionmaker[Session]) -> None:
    at(sessions, "canary")
    for number in range(15):
        scanned(sessions, f"c{number}", [PASS])
        if number % 10 == 0:
            assert guard_once(CONFIG, sessions) == "wait"
    assert guard_once(CONFIG, sessions) == guard_once(CONFIG, sessions) == "wait"
    (told,) = evaluations(sessions)
    with sessions.begin() as session:
        assert model_trials.waits(session) == {"new": told.reasons}
    assert (told.set, told.passed, told.classes["counts"]["documents"]) == ("canary", None, 15)
    documents, missed, alarms = told.reasons
    assert documents == "15 of 20 documents judged."
    assert "missed defects among cleared documents: 0 of 15 don't yet show a rate below 20.00%" in missed
    assert "about 3 more labels" in missed
    assert "about 6 more labels" in alarms

    for number in range(7):
        scanned(sessions, f"c{15 + number}", [PASS])
        scanned(sessions, f"f{number}", [finding()])
    assert guard_once(CONFIG, sessions) == "production"
    (told,) = evaluations(sessions)
    assert (told.passed, told.reasons) == (True, [])
    with sessions.begin() as session:
        assert model_trials.waits(session) == {}


def test_false_alarms_are_allowed_as_the_settings_say(sessions: sessionmaker[Session]) -> None:
    at(sessions, "canary")
    for number in range(12):
        scanned(sessions, f"f{number}", [finding()], wrong=number % 2 == 0)
    assert guard_once(replace(CONFIG, canary_false_alarms=0.9), sessions) == "wait"
    (told,) = evaluations(sessions)
    assert "false alarms among flagged documents: 6 of 12 don't yet show a rate below 90.00%" in told.reasons[-1]
    assert guard_once(replace(CONFIG, canary_false_alarms=0.05), sessions) == "back"


def test_who_wants_to_move_versions_alone_does(sessions: sessionmaker[Session]) -> None:
    at(sessions, "canary")
    for number in range(10):
        scanned(sessions, f"d{number}", [PASS], wrong=True)
    assert guard_once(replace(CONFIG, guard=False), sessions) == "nothing"
    assert stage(sessions) == "canary"


def test_bounds_are_read_as_labels_arrive(sessions: sessionmaker[Session]) -> None:
    config, rules = replace(CONFIG, desk={"audit_rate": 1.0}), RULES.model_copy(update={"audit_rate": 1.0})
    for number in range(30):
        scanned(sessions, f"d{number}", [PASS], "old", wrong=number == 3, rules=rules)
    watch_once(config, sessions)
    watch_once(config, sessions)
    with sessions.begin() as session:
        (one,) = readings.bounds(session, "old")
    assert (one.check, one.labels, one.missed) == (PASS.check, 30, 1)
    assert 1 / 30 < one.upper < 0.4


def test_drift_asks_for_a_calibration_once(sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "SCANS", 3)
    for number, confidence in enumerate((0.9, 0.95, 0.99, 0.6, 0.62, 0.61)):
        scanned(sessions, f"d{number}", [replace(PASS, confidence=confidence)], "old")
    monkeypatch.setattr(readings, "drift", partial(drift, least=2))
    watch_once(CONFIG, sessions)
    watch_once(CONFIG, sessions)
    with sessions.begin() as session:
        assert [one.cause for one in trainings.latest(session, 10)] == ["drift"]
