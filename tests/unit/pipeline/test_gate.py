"""The gate lets through what is better, refuses what is worse, and says how much is missing."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import gate
from pipeline.gate import Outcome, decide


def outcomes(check: str, both: int, better: int, worse: int, wrong: int = 0) -> list[Outcome]:
    """So many documents that both read right, that only the candidate does, that only production does, that none."""
    kinds = [(True, True)] * both + [(True, False)] * better + [(False, True)] * worse + [(False, False)] * wrong
    return [
        Outcome(f"{check}-{number}", f"{check}-{number}", check, candidate, production)
        for number, (candidate, production) in enumerate(kinds)
    ]


def test_better_in_one_class_and_the_same_elsewhere_passes() -> None:
    result = decide(outcomes("date.stale", 900, 60, 2) + outcomes("signature.missing", 1200, 0, 0))
    assert result.passed, result.reasons
    assert result.overall.upper < 0
    assert result.classes["signature.missing"].upper <= gate.MARGIN


def test_a_class_that_is_worse_stops_it_and_is_named() -> None:
    result = decide(outcomes("date.stale", 900, 90, 0) + outcomes("signature.missing", 1200, 0, 40))
    assert not result.passed
    assert len(result.reasons) == 1 and result.reasons[0].startswith("signature.missing: the candidate is worse")


def test_no_better_is_not_good_enough() -> None:
    result = decide(outcomes("date.stale", 3000, 0, 0))
    assert not result.passed
    assert [one.partition(":")[0] for one in result.reasons] == ["overall"]


def test_too_few_labels_are_counted() -> None:
    few = outcomes("date.stale", 200, 0, 0)
    missing = decide(few).classes["date.stale"].labels_missing
    assert missing is not None and 300 < missing < 1000
    enough = outcomes("date.stale", 200 + missing, 0, 0)
    assert decide(enough).classes["date.stale"].labels_missing == 0
    one_less = outcomes("date.stale", 199 + missing, 0, 0)
    assert decide(one_less).classes["date.stale"].labels_missing == 1


def test_nothing_to_compare_by_is_refused() -> None:
    result = decide([])
    assert not result.passed and result.overall.upper == pytest.approx(1, abs=gate.STEP)


def test_a_class_that_was_learned_from_is_not_passed_over_where_nothing_compares_it() -> None:
    better = outcomes("date.stale", 900, 60, 2)
    assert decide(better).passed
    result = decide(better, required={"date.stale", "signature.missing"})
    assert result.reasons == (
        "signature.missing: 0 documents are too few to show that the candidate is not worse by more than 0.5%; "
        "about 730 more are needed.",
    )


def test_examples_of_one_document_are_one_witness() -> None:
    once = decide(outcomes("date.stale", 100, 10, 0)).classes["date.stale"]
    many = [
        Outcome(f"{one.example}-{copy}", one.document, one.check, one.candidate_right, one.production_right)
        for one in outcomes("date.stale", 100, 10, 0)
        for copy in range(20)
    ]
    again = decide(many).classes["date.stale"]
    assert (again.documents, again.upper) == (once.documents, once.upper)
    assert again.examples == 20 * once.examples


@pytest.mark.parametrize(("worse", "better"), [(0.01, 0.005), (0.005, 0.0), (0.05, 0.04), (0.3, 0.1)])
@pytest.mark.parametrize("documents", [50, 700])
def test_the_limit_is_below_the_truth_in_one_of_twenty_at_most(worse: float, better: float, documents: int) -> None:
    rng = np.random.default_rng([int(worse * 1000), documents])
    draws = rng.choice([1.0, -1.0, 0.0], p=[worse, better, 1 - worse - better], size=(400, documents))
    truth = worse - better
    assert np.mean([gate.upper(each) < truth for each in draws]) <= 0.05
