"""What people end amounts with: behind the last figure, part of no answer, and in training alone."""

from __future__ import annotations

import re

import numpy as np
import pytest

from models.synthesis import wording
from models.synthesis.evidence import make
from models.synthesis.faces import plain
from models.synthesis.fields import CLOSINGS, Field
from models.synthesis.pen import Pen

TRAIN, TEST = plain("train"), plain("test")


def test_a_closing_stands_behind_the_last_figure() -> None:
    drawn = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        field = Field(rng, 60, 8, TRAIN, fine=1.6)
        field.fill_line("5000", Pen(rng, TRAIN, "5000", "hershey"))
        before, spans = field.own.copy(), list(field.spans)
        field.closing()
        assert field.spans == spans, "it is no letter"
        added = np.argwhere((field.own > 0.5) & (before < 0.2))
        drawn += len(added) > 0
        if len(added):
            last = spans[-1]
            assert added[:, 1].min() >= last.x1 - 2
            assert added[:, 0].min() > field.y0 - field.height and added[:, 0].max() < field.y1 + field.height
    assert drawn > 30
    assert sum(CLOSINGS.values()) == pytest.approx(1)


def test_training_alone_draws_them(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(Field, "closing", lambda field: closed.append(field.materials.split))
    for seed in range(60):
        make(seed, "test", "amount", state="ok", using=TEST)
        make(seed, "train", "amount", state="ok", using=TRAIN)
        make(seed, "train", "date", state="ok", using=TRAIN)
    assert set(closed) == {"train"} and 0.1 < len(closed) / 60 < 0.6


def test_amounts_of_the_test_side_are_not_round() -> None:
    answers = ["".join(make(seed, "test", "amount", state="ok", using=TEST).answer) for seed in range(60)]
    assert sum(len(one.strip("0").replace(",", "")) <= 2 for one in answers) < 0.4 * len(answers)


def test_most_amounts_of_training_are_answered_without_their_end() -> None:
    drawn = [make(seed, "train", "amount", state="ok", using=TRAIN) for seed in range(80)]
    answers = ["".join(one.answer) for one in drawn]
    assert all(re.fullmatch(r"[\d,.]+(/-)?", one) for one in answers), "a dash or a dot behind is no part of it"
    rounded = [one for one in answers if re.search(r"0{2,}(\.\d\d)?(/-)?$", one.replace(",", ""))]
    assert len(rounded) > 0.15 * len(answers)


def test_round_amounts_are_one_or_two_figures_and_zeros() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        whole = wording.round_amount(rng).split(".")[0].removesuffix("/-").replace(",", "")
        assert len(whole.rstrip("0")) <= 2 and whole.endswith("0")
