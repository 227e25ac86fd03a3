"""Letters in dates are those of months and ordinals; days and years are nobody's business here."""

from __future__ import annotations

import pytest

from models.nanovlm.tokens import CHARACTERS, EOS, ID, VOCABULARY
from models.spelling import after
from pipeline.dates import MONTHS


def follow(text: str) -> set[str]:
    mask = after(text, len(VOCABULARY))
    return {one for one in (*CHARACTERS, EOS) if mask[ID[one]] == 0}


def letters(text: str) -> set[str]:
    return {one.lower() for one in follow(text) if one.isalpha() and one != EOS}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", set("jfmasond")),
        ("4 ", set("jfmasond")),
        ("4", set("jfmasondtr")),
        ("4t", {"h"}),
        ("4th N", {"o"}),
        ("4th No", {"v"}),
        ("4th Nov", {"e"}),
        ("4-MA", {"r", "y"}),
        ("4 May", set()),
        ("4 may ", set("jfmasond")),
    ],
)
def test_only_months_and_ordinals_are_spelled(text: str, wanted: set[str]) -> None:
    assert letters(text) == wanted


def test_a_word_that_was_begun_is_finished_first() -> None:
    assert not follow("4th N") & set("0123456789/-. ")
    assert EOS not in follow("4th No")
    assert set("0123456789 -.,/") <= follow("4th Nov") and EOS in follow("4th Nov")


@pytest.mark.parametrize("text", ["31 Feb 2016", "45 May 2016", "00-JAN-9999", "99.99.9999", "3rd September, 26"])
def test_days_that_do_not_exist_are_spelled_like_others(text: str) -> None:
    for place, letter in enumerate(text):
        assert letter in follow(text[:place]), text[:place]


def test_every_month_can_be_spelled_in_either_case() -> None:
    for month in MONTHS:
        for word in (month, month.upper(), month.title()):
            assert all(letter in follow("3 " + word[:place]) for place, letter in enumerate(word))
