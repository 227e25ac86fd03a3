"""Labels that disagree with the truth beyond chance are set aside, and whose they are is said."""

from __future__ import annotations

import numpy as np

from pipeline.trust import Checked, doubts

STALE, MISSING = "date.stale", "signature.missing"


def labels(reviewer: str, check: str, count: int, wrong: int, source: int | None = 1) -> list[Checked]:
    return [Checked(reviewer, source, check, number >= wrong) for number in range(count)]


def test_who_errs_in_one_class_is_named_with_it() -> None:
    found = doubts(
        [
            *labels("asha", STALE, 60, 1),
            *labels("asha", MISSING, 60, 1),
            *labels("ravi", STALE, 60, 12),
            *labels("ravi", MISSING, 60, 1),
        ]
    )
    assert [(one.what, one.who, one.check) for one in found if one.what == "reviewer"] == [("reviewer", "ravi", STALE)]
    assert str(found[0]) == "reviewer ravi: 12 of 60 labels of date.stale disagree with confirmed ones"


def test_a_source_is_named_where_all_of_its_labels_err() -> None:
    mixed = [
        *labels("asha", STALE, 40, 8, source=2),
        *labels("ravi", STALE, 40, 8, source=2),
        *labels("asha", STALE, 200, 2),
        *labels("ravi", STALE, 200, 2),
    ]
    assert [(one.what, one.who) for one in doubts(mixed) if one.what == "source"] == [("source", "2")]


def test_one_bad_reviewer_does_not_spoil_a_source() -> None:
    found = doubts([*labels("mallory", STALE, 60, 12), *labels("asha", STALE, 60, 1), *labels("ravi", STALE, 60, 1)])
    assert [(one.what, one.who) for one in found] == [("reviewer", "mallory")]


def test_where_one_is_always_wrong_the_other_is_judged_all_the_same() -> None:
    assert {one.who for one in doubts([*labels("a", STALE, 9, 9), *labels("b", STALE, 60, 1)])} == {"a"}


def test_few_labels_say_nothing() -> None:
    assert doubts(labels("asha", STALE, 4, 4, source=None)) == []


def test_who_errs_as_everybody_does_is_rarely_named() -> None:
    rng = np.random.default_rng(5)
    named = 0
    for _ in range(200):
        every = [
            Checked(f"r{reviewer}", reviewer % 3, check, bool(rng.random() >= 0.02))
            for reviewer in range(6)
            for check in (STALE, MISSING)
            for _ in range(30)
        ]
        named += bool(doubts(every))
    assert named <= 10
