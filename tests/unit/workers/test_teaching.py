"""What comes out of a training, by what both versions said."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline import feedback
from pipeline.feedback import Example
from workers import teaching
from workers.files import Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path, 1, datetime(2026, 11, 25, tzinfo=UTC))
    made.folder.mkdir()
    return made


def said(files: Files, side: str, right: list[tuple[bool, bool]], confidence: tuple[float, float] = (0.9, 0.9)) -> None:
    lines = [
        {
            "file_name": f"evidence/{number:064x}.png",
            "document": f"{number:064x}",
            "check": "signature.missing",
            "right": list(each),
            "confidence": list(confidence),
        }
        for number, each in enumerate(right)
    ]
    files.judged(side).write_text("".join(json.dumps(one) + "\n" for one in lines))


def test_the_first_of_both_is_the_candidate(files: Files) -> None:
    said(files, "golden", [(True, False)] * 60)
    good = teaching.decide(files, "scheduled")
    assert good.passed and good.golden.overall.production_errors == 60
    said(files, "golden", [(False, True)] * 60)
    bad = teaching.decide(files, "scheduled")
    assert not bad.passed and "signature.missing: the candidate is worse" in bad.reasons[0]
    json.dumps(bad.told)


def test_a_class_that_was_learned_from_must_be_in_the_golden_set(files: Files) -> None:
    said(files, "golden", [(True, False)] * 60)
    document = next(each for each in (f"{number:064x}" for number in range(9)) if not feedback.held_out(each))
    taught = Example.model_validate(
        {
            "file_name": feedback.named(b"picture"),
            "kind": "date",
            "state": "empty",
            "check": "date.missing",
            "document": document,
            "review": "1",
            "model_version": "first",
        }
    )
    feedback.add(files.learned, taught, b"picture")
    told = teaching.decide(files, "scheduled")
    assert not told.passed and [one.partition(":")[0] for one in told.reasons] == ["date.missing"]


def test_without_a_golden_set_nothing_passes(files: Files) -> None:
    said(files, "fresh", [(True, False)] * 60)
    told = teaching.decide(files, "asked")
    assert told.reasons == ("There is no golden set to compare on yet: docvigil golden freeze.",)
    assert told.fresh.overall.candidate_errors == 0


def test_a_calibration_passes_if_it_is_nearer_to_the_truth_and_changes_nothing_else(files: Files) -> None:
    both = [(True, True)] * 70 + [(False, False)] * 30
    said(files, "golden", both, confidence=(0.7, 0.99))
    assert teaching.decide(files, "drift").passed
    said(files, "golden", both, confidence=(0.99, 0.7))
    assert "no nearer to the truth" in teaching.decide(files, "drift").reasons[0]
    said(files, "golden", [(False, True), *both], confidence=(0.7, 0.99))
    assert "more errors: 31 against 30 in 101 examples" in teaching.decide(files, "drift").reasons[0]
