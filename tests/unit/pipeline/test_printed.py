"""Dates in print: which of them is the page's own, and the day they mean."""

from __future__ import annotations

import pytest

from pipeline.geometry import Box
from pipeline.printed import dates_in, printed_dates


def lines(*texts: str) -> list[tuple[str, Box]]:
    return [(text, Box(0.1, 0.1 + 0.05 * row, 0.8, 0.13 + 0.05 * row)) for row, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2018-03-23", "2018-03-23"),
        ("June 12, 1987", "1987-06-12"),
        ("Sept. 3, 1984", "1984-09-03"),
        ("15-Mar-16", "2016-03-15"),
        ("29 janvier 2016", "2016-01-29"),
        ("1er août 2017", "2017-08-01"),
        ("12/03/18", "2018-03-12"),
        ("03/15/2016", None),
    ],
)
def test_a_date_means_its_day_and_is_never_repaired(written: str, day: str | None) -> None:
    (found,) = dates_in(f"printed {written} here")
    assert (found.written, found.day.isoformat() if found.day else None) == (written, day)


@pytest.mark.parametrize(
    "texts",
    [
        ("under the act of 01/02/2003 the company may", "Date: 05/06/2018"),
        ("Due date 01/07/2018", "05/06/2018 14:22"),
        ("Date of birth: 01/02/1970", "05 JUN 2018"),
        ("we refer to what was agreed on the matter above, 3 May 2018, and to all that", "June 5, 2018"),
        ("Date: 05/06/2018", "valid until 05/09/2018"),
    ],
)
def test_the_pages_own_date_comes_first(texts: tuple[str, ...]) -> None:
    found = printed_dates(lines(*texts))
    assert found[0].day is not None and found[0].day.isoformat() == "2018-06-05"
    assert found[0].confidence > found[1].confidence


def test_the_word_date_may_stand_apart() -> None:
    words = [
        ("07/08/2018", Box(0.5, 0.3, 0.7, 0.33)),
        ("Date", Box(0.1, 0.5, 0.2, 0.53)),
        ("05/06/2018", Box(0.25, 0.5, 0.4, 0.53)),
    ]
    assert printed_dates(words)[0].written == "05/06/2018"


def test_of_several_that_are_as_likely_none_is_sure() -> None:
    alone, rival = printed_dates(lines("05/06/2018")), printed_dates(lines("05/06/2018", "07/08/2018"))
    assert rival[0].confidence < alone[0].confidence
