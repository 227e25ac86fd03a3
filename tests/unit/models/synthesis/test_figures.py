"""Figures by rule: every form is a digit as high as digits are, one hand's own each time, and training's alone."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from models.synthesis.faces import plain
from models.synthesis.figures import FORMS, Figures
from models.synthesis.pen import Pen


def test_every_digit_has_forms_and_each_stands_on_the_line() -> None:
    assert set(FORMS) == set("0123456789")
    for seed in range(40):
        rng = np.random.default_rng(seed)
        hand = Figures(rng)
        for digit in FORMS:
            strokes = hand.strokes(digit, rng)
            assert strokes is not None
            every = np.concatenate(strokes)
            assert every[:, 0].min() == pytest.approx(0, abs=1e-5)
            assert every[:, 1].min() == pytest.approx(-1, abs=1e-5)
            assert every[:, 1].max() == pytest.approx(0, abs=1e-5)
            assert every[:, 0].max() < 1.2, f"{digit} is too wide for its box"


def test_a_hand_keeps_its_forms_and_another_has_others() -> None:
    rng = np.random.default_rng(1)
    hand = Figures(rng)
    counts = [len(hand.strokes("7", rng) or ()) for _ in range(10)]
    assert len(set(counts)) == 1, "who writes a bar writes it each time"
    hands = (Figures(np.random.default_rng(seed)) for seed in range(60))
    bars = Counter(len(one.strokes("7", rng) or ()) for one in hands)
    assert bars[1] > 10 and bars[2] > 10


def test_no_figure_is_written_the_same_way_twice() -> None:
    rng = np.random.default_rng(1)
    hand = Figures(rng)
    first, second = hand.strokes("3", rng), hand.strokes("3", rng)
    assert first is not None and second is not None
    assert not np.allclose(first[0], second[0])


def test_corners_stay_sharp() -> None:
    """At a corner the pen turns at once: the curve goes through it, and no rounding cuts it off."""
    rng = np.random.default_rng(3)
    hand = Figures(rng)
    hand.own["7"] = tuple(np.array(one, np.float32) for one in FORMS["7"][0])
    stroke = (hand.strokes("7", rng) or ())[0]
    right = stroke[:, 0].argmax()
    assert stroke[right, 1] < -0.85, "the corner is at the top"
    before, after = stroke[right - 6] - stroke[right], stroke[min(len(stroke) - 1, right + 14)] - stroke[right]
    cosine = float(before @ after / np.linalg.norm(before) / np.linalg.norm(after))
    assert cosine > 0.2, "less than a right angle"


def test_letters_are_somebody_elses_or_nobodys() -> None:
    class Else:
        def strokes(self, letter: str, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
            return (np.zeros((2, 2), np.float32),)

    rng = np.random.default_rng(1)
    assert Figures(rng).strokes("A", rng) is None
    assert len(Figures(rng, Else()).strokes("A", rng) or ()) == 1


def test_only_training_draws_with_them() -> None:
    tried = {Pen(np.random.default_rng(seed), plain("test"), "27").source for seed in range(200)}
    assert "figures" not in tried
    assert Pen(np.random.default_rng(1), plain("test"), "27", "figures").source != "figures"
    tried = {Pen(np.random.default_rng(seed), plain("train"), "27").source for seed in range(200)}
    assert "figures" in tried
    assert Pen(np.random.default_rng(1), plain("train"), "A7", "figures").source != "figures", "nobody has an A here"
    assert Pen(np.random.default_rng(1), plain("train"), "27", "figures").glyph("7", 40).mask.max() > 0.9


@pytest.mark.parametrize("count", [2, 3, 5])
def test_zeros_are_one_stroke_as_long_as_there_are_zeros(count: int) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        (stroke,) = Figures(rng).strokes("0" * count, rng) or ()
        assert stroke[:, 1].min() == pytest.approx(-1, abs=1e-5) and stroke[:, 1].max() == pytest.approx(0, abs=1e-5)
        # Each is a loop: from left to right and back.
        turns = np.diff(np.sign(np.diff(stroke[:, 0]))) != 0
        assert turns.sum() >= 2 * count - 2
        assert stroke[:, 0].max() > 0.3 * count


def test_running_zeros_are_labelled_one_by_one() -> None:
    ink = np.zeros((80, 400), np.float32)
    for seed in range(60):
        pen = Pen(np.random.default_rng(seed), plain("train"), "2000", "figures")
        if not pen.running:
            continue
        ink[:] = 0
        spans = pen.write(ink, "2000", 20, 60, 40)
        assert [one.letter for one in spans] == list("2000")
        assert all(one.x0 < one.x1 for one in spans)
        assert all(one.x1 <= other.x0 + 4 for one, other in itertools.pairwise(spans))
        first, last = spans[1], spans[3]
        assert (ink[:, int(first.x0) : int(last.x1)] > 0.3).any(axis=0).mean() > 0.9, "no gap between them"
        break
    else:
        pytest.fail("nobody writes zeros in one stroke")


def test_what_is_measured_is_written_as_before() -> None:
    """What training alone draws leaves the hands of the test side as they are."""
    pens = [Pen(np.random.default_rng(seed), plain("test"), "2000", "hershey") for seed in range(40)]
    assert not any(pen.running or pen.touching for pen in pens)
    wild = [Pen(np.random.default_rng(seed), plain("train"), "2000", "figures") for seed in range(80)]
    for share, expected in (([pen.running for pen in wild], 0.5), ([pen.touching for pen in wild], 0.2)):
        assert abs(np.mean(share) - expected) < 0.2
    assert max(abs(pen.slant) for pen in wild) > 0.35
