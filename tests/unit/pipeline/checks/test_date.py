"""Dates that are missing, can't be read, can't be, or are out of their time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from pipeline import dates
from pipeline.checks.date import IMPOSSIBLE_HIDDEN, TIME_HIDDEN
from pipeline.reading import Answer
from tests.unit.pipeline.filled import EMPTY, ILLEGIBLE, ON, STRUCK, flags, form, judged, only, said


@pytest.mark.parametrize(
    ("answer", "flagged"),
    [
        (EMPTY, ("date.missing", "anomaly")),
        (STRUCK, ("date.missing", "anomaly")),
        (ILLEGIBLE, ("date.unreadable", "anomaly")),
        (said("15032"), ("date.format", "anomaly")),
        (said("31022026"), ("date.impossible", "anomaly")),
        (said("31022026", 0.3), ("date.unreadable", "uncertain")),
        (said("15032026", 0.3), ("date.unreadable", "uncertain")),
        (said("21032026"), ("date.future", "anomaly")),
        (said("09032026"), ("date.stale", "anomaly")),
    ],
)
def test_a_bad_date_is_named(answer: Answer, flagged: tuple[str, str]) -> None:
    # Without an order to keep, so that one date is judged by itself.
    found = flags(judged(form(slip_date=answer, execution_date=EMPTY)))
    assert (flagged[0], "slip_date", flagged[1]) in found
    assert {name for _, name, _ in found} == {"slip_date"}


def test_an_unsurely_read_impossible_date_is_both_doubts() -> None:
    found = judged(form(slip_date=said("31022026", 0.3), execution_date=EMPTY))
    assert flags(found) == [
        ("date.unreadable", "slip_date", "uncertain"),
        ("date.impossible", "slip_date", "uncertain"),
    ]


@pytest.mark.parametrize("text", ["20032026", "10032026"])
def test_the_limits_themselves_are_in_time(text: str) -> None:
    assert flags(judged(form(slip_date=said(text), execution_date=EMPTY))) == []


@pytest.mark.parametrize(
    ("slip", "execution", "flagged"),
    [
        ("15032026", "15/03/2026", []),
        ("15032026", "14/03/2026", [("date.order", "execution_date", "anomaly")]),
        ("15032026", "16/03/1926", [("date.order", "execution_date", "anomaly")]),
    ],
)
def test_order(slip: str, execution: str, flagged: list[tuple[str, str, str]]) -> None:
    assert flags(judged(form(slip_date=said(slip), execution_date=said(execution)))) == flagged


def test_order_is_not_judged_against_a_date_that_can_not_be_read() -> None:
    for answer in (EMPTY, ILLEGIBLE, said("31022026")):
        found = judged(form(slip_date=answer, execution_date=said("14/03/2026")))
        assert not [one for one in found if one.check == "date.order"]


def test_order_is_as_sure_as_both_readings() -> None:
    found = judged(form(slip_date=said("15032026", 0.9), execution_date=said("14/03/2026", 0.8)))
    assert only(found, "date.order").confidence == pytest.approx(0.72)


def test_an_optional_date_is_judged_only_where_it_stands() -> None:
    assert flags(judged(form(execution_date=EMPTY))) == []
    assert flags(judged(form(execution_date=said("30/02/2026")))) == [("date.impossible", "execution_date", "anomaly")]


def test_messages_say_what_is_wrong() -> None:
    found = judged(form(slip_date=said("31022026"), execution_date=EMPTY))
    assert only(found, "date.impossible", "slip_date").message == (
        "Slip date is no day that exists: February 2026 has no day 31."
    )
    found = judged(form(slip_date=said("21032026"), execution_date=EMPTY))
    assert only(found, "date.future").message == (
        "Slip date, 21/03/2026, is after the day the document arrived, 20/03/2026."
    )


@pytest.mark.parametrize(
    ("read", "other"),
    [("15032028", "15032026"), ("15032024", "15032026"), ("35032026", "15032026")],
    ids=["future", "stale", "impossible"],
)
def test_a_defect_that_may_be_a_sound_date_misread_passes_and_says_so(read: str, other: str) -> None:
    found = judged(form(slip_date=said(read, 0.6, **{other: 0.2}), execution_date=EMPTY))
    assert flags(found) == []
    messages = {one.message for one in found if one.field == "slip_date"}
    assert f"Slip date reads {read}, but {other} is likelier to stand there." in messages


def test_another_reading_that_is_a_defect_too_speaks_for_nothing() -> None:
    found = judged(form(slip_date=said("15032028", 0.6, **{"15032027": 0.2, "15032024": 0.2}), execution_date=EMPTY))
    assert flags(found) == [("date.future", "slip_date", "anomaly")]


def test_a_likelier_sound_reading_is_what_was_read() -> None:
    found = judged(form(slip_date=said("15032028", 0.1, **{"15032026": 0.8}), execution_date=EMPTY))
    assert flags(found) == [] and only(found, "date.unreadable", "slip_date").confidence == pytest.approx(0.8)


def test_an_order_may_be_broken_by_a_misreading_of_either_date() -> None:
    first = said("18032026", 0.6, **{"13032026": 0.2})
    assert flags(judged(form(slip_date=first, execution_date=said("16/03/2026", 0.99)))) == []
    second = said("10/03/2026", 0.6, **{"16/03/2026": 0.2})
    assert flags(judged(form(slip_date=said("13032026", 0.99), execution_date=second))) == []
    still = said("18032026", 0.6, **{"17032026": 0.2})
    found = judged(form(slip_date=still, execution_date=said("16/03/2026", 0.99)))
    assert flags(found) == [("date.order", "execution_date", "anomaly")]


def _misread(text: str) -> Iterator[str]:
    for at, digit in enumerate(text):
        yield from (text[:at] + other + text[at + 1 :] for other in "0123456789" if other != digit)


def _share(text: str, low: date, high: date) -> float:
    days = [dates.parse(one).day for one in _misread(text)]
    return sum(day is not None and low <= day <= high for day in days) / len(days)


def test_misreading_an_impossible_date_seldom_hides_it() -> None:
    texts = (f"{day:02d}{month:02d}2026" for day in range(100) for month in range(100))
    impossible = [text for text in texts if dates.parse(text).day is None]
    worst = max(_share(text, date.min, date.max) for text in impossible[::5])
    assert 0.1 < worst <= IMPOSSIBLE_HIDDEN


@pytest.mark.parametrize(("step", "low", "high"), [(1, date.min, ON), (-1, ON - timedelta(days=10), date.max)])
def test_misreading_a_date_out_of_time_seldom_hides_it(step: int, low: date, high: date) -> None:
    out = [ON + timedelta(days=step * days) for days in range(11, 4000, 37)]
    worst = max(_share(day.strftime("%d%m%Y"), low, high) for day in out)
    assert 0.1 < worst <= TIME_HIDDEN
