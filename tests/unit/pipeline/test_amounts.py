"""Figures and words say the same number, or nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import amounts

_WORDS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
"""
_UNITS: list[str] = re.findall(r"\w+", _WORDS)[:20]
_TENS: list[str] = ["", "", *re.findall(r"\w+", _WORDS)[20:]]


def spoken(number: int) -> str:
    """A number in Indian English words."""
    for scale, name in ((10_000_000, "crore"), (100_000, "lakh"), (1_000, "thousand"), (100, "hundred")):
        if number >= scale:
            rest = f" {spoken(number % scale)}" if number % scale else ""
            return f"{spoken(number // scale)} {name}{rest}"
    if number < 20:
        return _UNITS[number]
    return _TENS[number // 10] + (f" {_UNITS[number % 10]}" if number % 10 else "")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500", 500),
        ("2,05,000", 205000),
        ("1,00,00,000.00", 10**7),
        ("100/-", 100),
        ("0", 0),
        (" 12 ", 12),
        ("1000.", 1000),
    ],
)
def test_figures(text: str, number: int) -> None:
    assert amounts.figures(text) == number


@pytest.mark.parametrize("text", ["", ",", "12.50", "1.2.3", ",500", "500,", "1,,000", "five", "-5"])
def test_no_number_in_figures(text: str) -> None:
    assert amounts.figures(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Two lakh five thousand only", 205000),
        ("FIVE HUNDRED", 500),
        ("hundred", 100),
        ("one hundred and one shares only", 101),
        ("Rupees Twenty-five Lacs", 2500000),
        ("three crores", 3 * 10**7),
        ("fourty two", 42),
        ("twothousandfivehundred", 2500),
        ("zero", 0),
        ("Seventy eight\nonly", 78),
    ],
)
def test_words(text: str, number: int) -> None:
    assert amounts.words(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "only",
        "tvo hundred",
        "five lakh lakh",
        "five thousand two lakh",
        "two three",
        "twenty twelve",
        "thousand",
        "fifty zero",
    ],
)
def test_no_number_in_words(text: str) -> None:
    assert amounts.words(text) is None


@given(st.integers(1, 99_99_99_999))
def test_every_number_is_understood(number: int) -> None:
    text = spoken(number)
    assert amounts.words(text) == number
    assert amounts.words(text.replace(" ", "").upper()) == number


@given(st.text(alphabet="abcdefghinorstuvwxy ", max_size=30))
def test_any_text_gives_a_number_or_none(text: str) -> None:
    number = amounts.words(text)
    assert number is None or number >= 0
