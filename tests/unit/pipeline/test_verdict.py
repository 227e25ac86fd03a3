"""Thresholds are applied once, and only what surely passes is clear."""

from __future__ import annotations

import pytest

from pipeline.findings import Finding, Outcome, Verdict
from pipeline.verdict import Thresholds, decide, settle


def finding(
    outcome: Outcome, confidence: float, check: str = "date.format", field: str | None = "slip_date"
) -> Finding:
    return Finding(check, outcome, confidence, "The date is well written.", 1, field)


@pytest.mark.parametrize(
    ("outcome", "confidence", "settled"),
    [
        (Outcome.PASS, 0.8, Outcome.PASS),
        (Outcome.PASS, 0.79, Outcome.UNCERTAIN),
        (Outcome.ANOMALY, 0.5, Outcome.ANOMALY),
        (Outcome.ANOMALY, 0.49, Outcome.UNCERTAIN),
        (Outcome.UNCERTAIN, 1.0, Outcome.UNCERTAIN),
    ],
)
def test_outcomes_under_a_threshold(outcome: Outcome, confidence: float, settled: Outcome) -> None:
    thresholds = Thresholds({"date.format": 0.8}, default_clear=0.1)
    once = thresholds.settled(finding(outcome, confidence))
    assert (once.outcome, once.confidence) == (settled, confidence)
    assert thresholds.settled(once) == once


def test_the_default_is_for_checks_not_named() -> None:
    thresholds = Thresholds({"date.format": 0.8}, default_clear=0.6)
    assert thresholds.settled(finding(Outcome.PASS, 0.7, "date.stale")).outcome is Outcome.PASS


def test_a_doubtful_pass_says_that_it_is_doubtful() -> None:
    settled = Thresholds().settled(finding(Outcome.PASS, 0.4))
    assert settled.message == "The date is well written, but this is not certain enough."


def test_one_doubt_is_told_once() -> None:
    doubted = [finding(Outcome.PASS, 0.4, check) for check in ("date.unreadable", "date.format", "date.impossible")]
    others = [finding(Outcome.PASS, 0.4, field="receipt_date"), finding(Outcome.ANOMALY, 0.4, "date.stale")]
    settled = settle([*doubted, *others], Thresholds())
    assert [(one.check, one.field) for one in settled] == [
        ("date.unreadable", "slip_date"),
        ("date.format", "receipt_date"),
        ("date.stale", "slip_date"),
    ]


def test_doubts_about_pages_are_all_told() -> None:
    pages = [finding(Outcome.PASS, 0.4, check, None) for check in ("page.poor", "type.unknown")]
    assert len(settle(pages, Thresholds())) == 2


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([Outcome.PASS, Outcome.PASS], Verdict.CLEAR),
        ([Outcome.PASS, Outcome.UNCERTAIN], Verdict.FLAGGED),
        ([Outcome.ANOMALY, Outcome.PASS], Verdict.FLAGGED),
        ([], Verdict.FLAGGED),
    ],
)
def test_verdict(outcomes: list[Outcome], verdict: Verdict) -> None:
    assert decide([finding(outcome, 1.0) for outcome in outcomes]) is verdict


@pytest.mark.parametrize(
    "wrong", [{"clear": {"date.wrong": 0.5}}, {"clear": {"date.format": 1.5}}, {"default_clear": -0.1}]
)
def test_thresholds_that_can_not_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"date\.wrong|probability"):
        Thresholds(**wrong)  # type: ignore[arg-type]
