"""Scores: counted right on answers whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from models.scores import wilson
from models.synthesis.evidence import Drawn, make
from models.synthesis.faces import plain
from models.training import evaluate
from models.training.evaluate import question, right, score, table
from pipeline.reading import Answer, AnswerState, Question

TEST = plain("test")


def date(text: str) -> Drawn:
    image = np.full((48, 384), 255, np.uint8)
    return Drawn(image, "date", tuple(text), np.zeros(48, np.uint8), None)


def read(text: str, confidence: float = 0.9) -> Answer:
    return Answer(AnswerState.PRESENT, text, confidence, 0.99)


def test_an_answer_is_right_as_written_or_not_at_all() -> None:
    assert right(date("31/02/2016"), read("31/02/2016"))
    assert not right(date("31/02/2016"), read("01/03/2016")), "an impossible date is not to be repaired"
    assert not right(date("31/02/2016"), Answer(AnswerState.EMPTY, None, 0.9, 0.1))
    empty = replace(date("1"), answer=("<empty>",))
    assert right(empty, Answer(AnswerState.EMPTY, None, 0.9, 0.1)) and not right(empty, read("1"))


def test_a_score_counts_what_was_right() -> None:
    drawn = [date("01/02/2003")] * 4
    answers = [read("01/02/2003", 0.9), read("01/02/2003", 0.8), read("01/02/2008", 0.3), read("01/02/2003", 0.7)]
    got = score(drawn, answers)
    assert (got.count, got.exact, got.presence) == (4, 0.75, 1.0)
    assert got.character_error == pytest.approx(1 / 40)
    assert got.ranking == 1.0, "the wrong answer was the least sure"
    assert got.strict_share == 0.75
    assert got.low < 0.75 < got.high
    assert "75.00%" in table([got])


def test_nothing_can_be_scored_without_answers() -> None:
    with pytest.raises(ValueError, match="nothing"):
        score([], [])


def test_an_interval_holds_its_share() -> None:
    low, high = wilson(90, 100)
    assert (low, high) == (pytest.approx(0.8256, abs=1e-3), pytest.approx(0.9448, abs=1e-3))


def test_a_comb_is_asked_for_its_digits_only() -> None:
    combs = [one for seed in range(30) if (one := make(seed, "test", "date", None, "ok", using=TEST)).cells]
    lines = [one for seed in range(30) if not (one := make(seed, "test", "date", None, "ok", using=TEST)).cells]
    assert combs and lines
    assert all(question(one).alphabet == "0123456789" and question(one).max_length == one.cells for one in combs)
    assert all("/" in (question(one).alphabet or "") for one in lines)


class Blind:
    """A reader that finds everything empty."""

    version = "blind"

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return [Answer(AnswerState.EMPTY, None, 0.5, 0.5) for _ in questions]


def test_identifiers_of_no_usual_shape_are_scored_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "TASKS", (("identifier", None),))
    every, odd = evaluate.evaluate(Blind(), 40)
    assert (every.letters, odd.letters) == ("all", "all, misshapen")
    assert 0 < odd.count < every.count == 40
    assert odd.exact == 0.0 < every.exact, "what is empty has no shape"


def test_strings_on_forms_are_scored_by_whose_letters_they_are_in(monkeypatch: pytest.MonkeyPatch) -> None:
    every = [
        replace(date("01022003"), letters="hand"),
        replace(date("01022004"), letters="hand"),
        replace(date("01022005"), letters="print"),
        replace(date("1"), answer=("<empty>",)),
    ]
    monkeypatch.setattr(evaluate, "cut_from_forms", lambda *_: every)
    rows = [(one.letters, one.count, one.exact) for one in evaluate.evaluate_forms(Blind(), 1)]
    assert rows == [
        ("on forms", 3, 0.0),
        ("hand, on forms", 2, 0.0),
        ("print, on forms", 1, 0.0),
        ("empty, on forms", 1, 1.0),
    ]
