"""What would change if the version in shadow judged."""

from __future__ import annotations

import pytest

from pipeline.bounds import interval
from pipeline.findings import Outcome, Verdict
from pipeline.shadowing import Pair, Said, compare

SIGNATURE, DATE = (1, "signature_1", "signature.missing", 0), (1, "date", "date.stale", 0)
INK = (2, None, "ink.unexpected", 3)


def said(**outcomes: Outcome) -> Said:
    """Of the places `signature`, `date` and `ink`."""
    places = {"signature": SIGNATURE, "date": DATE, "ink": INK}
    told = {places[name]: outcome for name, outcome in outcomes.items()}
    flagged = any(one is not Outcome.PASS for one in told.values())
    return Said(Verdict.FLAGGED if flagged else Verdict.CLEAR, told)


PASS, ANOMALY, UNCERTAIN = Outcome.PASS, Outcome.ANOMALY, Outcome.UNCERTAIN


def test_what_would_change_is_counted_by_document_and_check() -> None:
    found = compare(
        [
            Pair("same", said(signature=PASS, date=PASS), said(signature=PASS, date=PASS)),
            Pair("flagged", said(signature=PASS, date=PASS), said(signature=ANOMALY, date=PASS)),
            Pair("cleared", said(signature=PASS, date=UNCERTAIN), said(signature=PASS, date=PASS)),
            Pair("moved", said(signature=ANOMALY, date=PASS), said(signature=PASS, date=ANOMALY)),
            Pair("surer", said(date=UNCERTAIN), said(date=ANOMALY)),
        ]
    )
    assert (found.documents, found.agreed.count, found.newly_flagged.count, found.newly_clear.count) == (5, 3, 1, 1)
    signature, date = found.checks["signature.missing"], found.checks["date.stale"]
    counts = [one.agreed.count for one in (signature, date)], [one.agreed.of for one in (signature, date)]
    assert counts == ([2, 2], [4, 5])
    assert (signature.newly_raised.count, signature.no_longer_raised.count) == (1, 1)
    assert (date.newly_raised.count, date.no_longer_raised.count) == (1, 1)


def test_ink_that_only_one_has_found_passed_for_the_other() -> None:
    found = compare([Pair("a", said(signature=PASS), said(signature=PASS, ink=ANOMALY))])
    assert found.checks["ink.unexpected"].newly_raised.count == 1
    assert found.checks["signature.missing"].agreed.count == 1


def test_of_several_scans_of_a_document_the_last_counts() -> None:
    worse, same = said(signature=ANOMALY), said(signature=PASS)
    found = compare([Pair("a", same, worse), Pair("a", same, same)])
    assert (found.documents, found.newly_flagged.count) == (1, 0)


def test_nothing_read_in_shadow_says_nothing() -> None:
    found = compare([])
    assert (found.documents, found.newly_flagged.low, found.newly_flagged.high, found.checks) == (0, 0.0, 1.0, {})


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"), [(0, 10, 0.0, 0.3085), (3, 10, 0.0667, 0.6525), (10, 10, 0.6915, 1.0)]
)
def test_intervals_are_those_of_clopper_and_pearson(hits: int, count: int, low: float, high: float) -> None:
    assert interval(hits, count) == pytest.approx((low, high), abs=1e-4)
