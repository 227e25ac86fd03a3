"""Answers of both ways are compared one by one, and what differs is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from docvigil.bench import agreement
from docvigil.bench.stand import bundled_stand
from pipeline.reading import Answer, Question, QuestionKind


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "AT_ONCE", 16)


def test_the_engine_says_what_the_plain_way_says() -> None:
    result = agreement.measured(bundled_stand("fp32"), 30)
    assert (result.answers, result.identical, result.different) == (32, 32, [])
    assert result.high == pytest.approx(1) and 0.85 < result.low < 1
    assert 0 < result.largest_difference < 1e-4
    assert sum(asked for asked, _ in result.by_kind.values()) == 32


def test_what_differs_is_told() -> None:
    stand = bundled_stand("fp32")

    class Unsigned:
        version = "unsigned"

        def read(self, questions: Sequence[Question]) -> list[Answer]:
            return [
                replace(one, label="other", confidence=one.confidence / 2)
                if question.kind is QuestionKind.TEXT
                else one
                for question, one in zip(questions, stand.fast.read(questions), strict=True)
            ]

    result = agreement.measured(replace(stand, fast=Unsigned()), 16)
    asked, alike = result.by_kind["text"]
    assert alike == 0 and result.identical == result.answers - asked
    assert len(result.different) == asked and result.different[0].engine.endswith("other")
    assert result.largest_difference > 0.2
