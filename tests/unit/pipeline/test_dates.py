"""Every way of writing a date that Indian paper knows, and none repaired."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import dates

MARCH_15 = date(2016, 3, 15)


@pytest.mark.parametrize(
    "text",
    [
        "15/03/2016",
        "15/3/2016",
        "15-3-16",
        "15.03.2016",
        "15 03 2016",
        "15 / 03 / 2016",
        "15,03,2016",
        "15032016",
        "150316",
        "15 March 2016",
        "15th Mar 2016",
        "15-Mar-2016",
        "15 MARCH, 2016",
        "15th March'16",
        "15Mar2016",
        "15.Mar.16.",
    ],
)
def test_reads_what_people_write(text: str) -> None:
    assert dates.parse(text) == dates.Written(MARCH_15)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("5-Sept-2016", date(2016, 9, 5)),
        ("1st May 49", date(2049, 5, 1)),
        ("1st May 50", date(1950, 5, 1)),
        ("29/02/2016", date(2016, 2, 29)),
        ("04/05/2016", date(2016, 5, 4)),
    ],
)
def test_day_first_and_the_pivot_of_centuries(text: str, day: date) -> None:
    assert dates.parse(text).day == day


@pytest.mark.parametrize(
    "text",
    ["31/02/2016", "31022016", "29/02/2015", "32/01/2016", "00/05/2016", "03/15/2016", "15/03/0216", "31 June 16"],
)
def test_an_impossible_date_stays_impossible(text: str) -> None:
    written = dates.parse(text)
    assert (written.day, written.problem) == (None, "impossible")
    assert written.why


@pytest.mark.parametrize(
    "text", ["15032", "1503201", "", "15/03", "March 2016", "2016-03-15", "15/03/216", "15 Fbe 2016", "15//2016", "abc"]
)
def test_what_is_no_date_is_of_wrong_format(text: str) -> None:
    assert dates.parse(text).problem == "format"


def test_comb_boxes_take_their_own_layout_only() -> None:
    assert dates.parse("15032016", "DDMMYYYY").day == MARCH_15
    assert dates.parse("150316", "DDMMYY").day == MARCH_15
    assert dates.parse("150316", "DDMMYYYY").problem == "format"
    assert "8 digits (DDMMYYYY)" in dates.parse("15/03/2016", "DDMMYYYY").why


@given(
    st.dates(date(dates.FIRST_YEAR, 1, 1), date(dates.LAST_YEAR, 12, 31)),
    st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d%m%Y", "%d %B %Y", "%d-%b-%Y"]),
)
def test_every_day_comes_back(day: date, form: str) -> None:
    assert dates.parse(day.strftime(form)).day == day


@given(st.text(alphabet=dates.LINE_ALPHABET, max_size=dates.LONGEST))
def test_any_text_is_a_day_or_a_problem(text: str) -> None:
    written = dates.parse(text)
    assert (written.day is None) == (written.problem is not None) == bool(written.why)


def test_the_alphabet_holds_all_that_is_written() -> None:
    day = date(2016, 1, 1)
    for _ in range(12):
        for form in ("%d/%m/%Y", "%dst %B, %Y", "%dnd %b '%y", "%drd-%B.%Y", "%dth %B"):
            text = day.strftime(form)
            assert set(text) | set(text.upper()) <= set(dates.LINE_ALPHABET) | {"H", "T"} | set(text)
            assert set(text) <= set(dates.LINE_ALPHABET)
        day += timedelta(days=31)
