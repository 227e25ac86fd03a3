"""Recorded readings become streams of labels, in which the running limit holds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.bound_over_time import EVERY, REQUIRED, held, readings, recorded


def test_a_defect_is_missed_where_its_document_ends_as_clear(tmp_path: Path) -> None:
    lines = [
        {"document": "a", "defects": ["date.future"], "raised": ["date.future"], "sure": {}},
        {"document": "b", "defects": ["date.future", "page.poor"], "raised": [], "sure": {"date.future": 0.8}},
        {"document": "c", "defects": [], "raised": [], "sure": {"date.future": 0.9}},
    ]
    (tmp_path / "trials.jsonl").write_text("".join(json.dumps({**one, "fields": []}) + "\n" for one in lines))
    trials = recorded(tmp_path / "trials.jsonl")
    found = dict(readings(trials, 0.5))
    assert found == {EVERY: [False, True, True], "date.future": [False, True], "page.poor": [True]}
    assert not any(sum(missed) for _, missed in readings(trials, 0.85))


def test_the_limit_holds_and_one_with_too_much_promised_does_not() -> None:
    missed = [number < 3 for number in range(100)]
    assert held(missed, 400, 600, seed=1) >= REQUIRED
    assert held(missed, 400, 600, seed=1, delta=0.5) < 0.8
    assert held([False] * 10, 10, 10, seed=1) == 1.0
    assert np.isfinite(held([True, False], 10, 10, seed=1))
