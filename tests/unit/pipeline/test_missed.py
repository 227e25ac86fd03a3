"""A threshold is chosen for each defect class so that its anomalies seldom end as clear."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.findings import Finding, Outcome
from pipeline.missed import FILE, Bound, Trial, chosen, class_bound
from pipeline.verdict import Thresholds, usual

ABOUT = {
    "model": "0123456789ab",
    "rules": "1",
    "types": {"kyc-individual": "ab"},
    "made_up": True,
    "data": "made-up documents",
    "date": "2026-11-25",
    "command": "docvigil models calibrate FOLDER",
}


def trial(number: int, defects: set[str] | None = None, raised: set[str] | None = None, **sure: float) -> Trial:
    named = {name.replace("_", "."): value for name, value in sure.items()}
    return Trial(str(number), frozenset(defects or ()), frozenset(raised or ()), {"page.poor": 0.99, **named})


def several(count: int, defects: set[str] | None = None, raised: set[str] | None = None, **sure: float) -> list[Trial]:
    return [trial(number, defects, raised, **sure) for number in range(count)]


def test_a_trial_is_clear_as_the_verdict_would_be() -> None:
    def finding(check: str, outcome: Outcome, confidence: float) -> Finding:
        return Finding(check, outcome, confidence, "", 1)

    passes = [finding("date.future", Outcome.PASS, 0.9), finding("date.future", Outcome.PASS, 0.7)]
    one = Trial.of("a", ["date.future"], passes)
    assert one.sure == {"date.future": 0.7}
    assert one.clear(usual()) and not one.clear(Thresholds({"date.future": 0.8}))
    wrong = Trial.of("b", [], [*passes, finding("date.missing", Outcome.UNCERTAIN, 0.2)])
    assert wrong.raised == {"date.missing"} and not wrong.clear(Thresholds(default_clear=0.0))
    assert not Trial.of("c", [], []).clear(Thresholds(default_clear=0.0)), "nothing was found out"


def test_the_floor_stays_where_nothing_is_missed() -> None:
    trials = several(299, {"date.future"}, {"date.future"}) + several(100, date_future=0.9)
    one = class_bound("date.future", trials, usual())
    assert one.holds and (one.threshold, one.misses, one.at_most, one.flagged) == (0.5, 0, 0.01, 0.0)
    assert not class_bound("date.future", trials[1:], usual()).holds, "298 are too few"


def test_a_threshold_rises_over_the_misses_and_no_further() -> None:
    misread = several(5, {"date.future"}, date_future=0.8004)
    trials = several(400, {"date.future"}, {"date.future"}) + misread + several(100, date_future=0.9)
    one = class_bound("date.future", trials, usual())
    assert one.holds and one.threshold == 0.801 and one.misses == 0
    # One miss among 500 is within the bound.
    more = [*trials, *several(100, {"date.future"}, {"date.stale"}), trial(0, {"date.future"}, date_future=0.95)]
    assert class_bound("date.future", more, usual()).misses == 1


def test_what_no_threshold_of_the_class_can_flag_is_counted() -> None:
    """The mark was not found at all, so nothing was asked about it."""
    lost = several(30, {"ink.unexpected"}) + several(400, {"ink.unexpected"}, {"ink.unexpected"})
    one = class_bound("ink.unexpected", lost, usual())
    assert not one.holds and (one.misses, one.misses_always, one.threshold) == (30, 30, 0.5)
    assert 30 / 430 < one.at_most < 0.11
    elsewhere = [replace(each, sure={**each.sure, "date.missing": 0.2}) for each in lost]
    assert class_bound("ink.unexpected", elsewhere, usual()).holds, "another check flagged them all"


def test_a_threshold_that_flags_everything_is_not_taken_and_told() -> None:
    trials = (
        several(400, {"date.future"}, {"date.future"})
        + several(20, {"date.future"}, date_future=0.97)
        + several(90, date_future=0.9)
        + several(10, date_future=0.99)
    )
    one = class_bound("date.future", trials, usual())
    assert not one.holds and one.threshold == 0.5
    assert one.needs == 0.971 and one.needs_flagged == pytest.approx(0.9)
    told = chosen(trials, **ABOUT)
    assert told.thresholds == {} and told.clean_flagged == 0
    assert told.told("date.future") == "no bound yet (a threshold of 0.971 would flag 90% of clean documents)"
    bought = chosen(trials, most_flagged=1.0, most_together=1.0, **ABOUT)
    assert bought.thresholds == {"date.future": 0.971} and bought.clean_flagged == 90 == bought.clean - 10


def test_where_all_thresholds_flag_too_much_the_dearest_go() -> None:
    """Each of three flags little enough by itself; the one that flags most goes without a bound, and is told so."""
    trials = several(1000 - 15 - 18 - 20, date_future=1.0, date_stale=1.0, date_order=1.0)
    for check, name, dear in (
        ("date.future", "date_future", 15),
        ("date.stale", "date_stale", 18),
        ("date.order", "date_order", 20),
    ):
        trials += several(400, {check}, {check}) + several(10, {check}, **{name: 0.9})
        trials += several(dear, **{name: 0.8})
    bound = chosen(trials, most_together=0.03, **ABOUT)
    assert bound.thresholds == {"date.future": 0.901}
    assert bound.clean_flagged == 15 and bound.clean_flagged_at_floor == 0
    assert bound.told("date.order") == "no bound yet (a threshold of 0.901 would flag 2% of clean documents)"
    assert not bound.classes["date.stale"].holds and bound.classes["date.stale"].misses == 10
    looser = chosen(trials, most_together=0.04, **ABOUT)
    assert looser.thresholds == {"date.future": 0.901, "date.stale": 0.901} and looser.clean_flagged == 33


def test_a_bound_holds_only_while_no_threshold_is_lower(tmp_path: Path) -> None:
    trials = several(400, {"date.future"}, {"date.future"}) + several(5, {"date.future"}, date_future=0.8)
    bound = chosen(trials, **ABOUT)
    used = Thresholds({**usual().clear, **bound.thresholds})
    assert used.of("date.future") == 0.801 and bound.holds("date.future", used)
    assert bound.told("date.future") == "at most 1 %"
    assert not bound.holds("date.stale", used) and bound.told("date.stale") == "no bound yet (0 of 299)"
    for lower in ({"date.future": 0.8}, {"date.missing": 0.4}):
        assert not bound.holds("date.future", Thresholds({**used.clear, **lower}))
    bound.save(tmp_path)
    assert Bound.load(tmp_path) == bound
    (tmp_path / FILE).write_text('{"alpha": 0.01}')
    with pytest.raises(ValueError, match="docvigil models calibrate"):
        Bound.load(tmp_path)
    assert Bound.load(tmp_path / "elsewhere") is None


def test_the_bound_of_a_class_holds_on_fresh_documents() -> None:
    """1,000 calibrations of a class of which the true rate of misses under any threshold is known.

    An anomaly passes its own check with a chance of 4 % and a confidence uniform from 0 to 1; another check of the
    same document is too unsure for the floor in half of the cases.
    """
    rng, count = np.random.default_rng(3), 450
    seen = Trial("", frozenset(["date.future"]), frozenset(["date.future"]), {})
    kept, bounded = [], 0
    for _ in range(1000):
        unseen = rng.binomial(count, 0.04)
        own, other = rng.random(unseen), rng.random(unseen)
        missed = [
            Trial("", seen.defects, frozenset(), {"date.future": float(a), "signature.missing": float(b)})
            for a, b in zip(own, other, strict=True)
        ]
        one = class_bound("date.future", [*missed, *[seen] * (count - unseen)], usual())
        bounded += one.holds
        kept.append(not one.holds or 0.04 * (1 - one.threshold) * 0.5 <= 0.01 + 1e-12)
    assert np.mean(kept) >= 0.95
    assert bounded > 900


def test_raising_another_threshold_never_adds_a_miss() -> None:
    """Which is why classes may be tested one by one."""
    rng = np.random.default_rng(4)
    checks = ("date.future", "date.stale", "signature.missing")
    for _ in range(200):
        one = trial(0, {"date.future"}, **{name.replace(".", "_"): float(rng.random()) for name in checks})
        low, high = ({name: float(value) for name, value in zip(checks, rng.random(3), strict=True)} for _ in range(2))
        higher = {name: max(low[name], high[name]) for name in checks}
        assert one.clear(Thresholds(low)) or not one.clear(Thresholds(higher))
