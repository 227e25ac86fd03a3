"""What else a look held possible, from the probabilities of its letters."""

from __future__ import annotations

import math

import pytest

from models.variants import LEAST, MOST, Place, variants


def place(**letters: float) -> Place:
    """Letters with their probabilities, `n1` for the digit 1."""
    return [(letter[-1], math.log(chance)) for letter, chance in letters.items()]


def test_one_letter_or_two_are_changed_and_the_likeliest_comes_first() -> None:
    told = variants([place(n1=0.6, n7=0.3), place(n2=1.0), place(n3=0.5, n8=0.4)], 0.3)
    assert [word for word, _ in told] == ["128", "723", "728"]
    assert [chance for _, chance in told] == pytest.approx([0.3 * 0.4 / 0.5, 0.3 * 0.5, 0.3 * 0.5 * 0.8])


def test_what_is_hardly_possible_is_not_told() -> None:
    assert variants([place(n1=0.98, n7=0.98 * LEAST / 2), place(n2=1.0)], 0.98) == []
    # Each alone may be, both together hardly.
    told = variants([place(n1=0.9, n7=0.09), place(n2=0.9, n3=0.09)], 0.81)
    assert [word for word, _ in told] == ["72", "13"]


def test_a_string_nobody_can_read_tells_of_no_more_than_a_dozen() -> None:
    told = variants([place(a=0.4, b=0.3, c=0.3)] * 10, 0.4**10)
    assert len(told) == MOST and len({word for word, _ in told}) == MOST
