"""Working time: nights, weekends and holidays don't count."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from pipeline.calendar import WorkingCalendar

INDIA = ZoneInfo("Asia/Kolkata")
OFFICE = WorkingCalendar(opens=time(10), closes=time(18), holidays=frozenset({date(2026, 1, 26)}))
WHOLE = WorkingCalendar(holidays=frozenset({date(2026, 1, 26)}))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=INDIA)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        (at(22, 11), 4, at(22, 15)),  # A Thursday.
        (at(22, 11), 7, at(22, 18)),
        (at(22, 17), 2, at(23, 11)),
        (at(22, 20), 2, at(23, 12)),
        (at(22, 6), 2, at(22, 12)),
        (at(23, 17), 2, at(27, 11)),  # Over the weekend and Republic Day, a Monday.
        (at(24, 12), 1, at(27, 11)),
        (at(22, 10), 24, at(27, 18)),
    ],
)
def test_office_hours(start: datetime, hours: float, due: datetime) -> None:
    assert OFFICE.after(start, hours) == due


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [(at(22, 11), 24, at(23, 11)), (at(23, 11), 24, at(27, 11)), (at(25, 3), 1, at(27, 1))],
)
def test_whole_days(start: datetime, hours: float, due: datetime) -> None:
    assert WHOLE.after(start, hours) == due


def test_the_day_is_that_of_the_office_and_not_of_utc() -> None:
    friday_night = datetime(2026, 1, 23, 19, tzinfo=UTC)  # Saturday 00:30 in India.
    assert WHOLE.after(friday_night, 1) == at(27, 1)


def test_a_day_on_which_the_clocks_change_has_the_hours_it_has() -> None:
    berlin = WorkingCalendar(timezone="Europe/Berlin", weekend=frozenset({"saturday"}))
    start = datetime(2026, 3, 29, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    assert berlin.after(start, 24) == datetime(2026, 3, 30, 1, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"weekend": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]},
        {"opens": "10:00"},
        {"opens": "18:00", "closes": "10:00"},
        {"timezone": "Asia/Bombai"},
        {"holidays": ["26 January"]},
    ],
)
def test_calendars_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WorkingCalendar.model_validate(wrong)
