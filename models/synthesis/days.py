"""Days on a form: all in their time and order on the day it arrives, and how hands write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from models.synthesis.people import listed
from pipeline.doctypes.schema import DocumentType, FieldKind, FormField

#: Days ago within which a form is filled where nothing else says when.
RECENT = 20

MONTHS = listed("January February March April May June July August September October November December")

#: Separators between figures and how often each is used.
SEPARATORS, SHARES = ("/", "-", ".", " "), (0.5, 0.25, 0.2, 0.05)


def is_birth(field: FormField) -> bool:
    return "birth" in f"{field.name} {field.label}".lower()


def is_expiry(field: FormField) -> bool:
    return any(
        word in f"{field.name} {field.label}".lower() for word in ("expir", "valid until", "valid to", "valid up")
    )


def most_age(field: FormField) -> int | None:
    """Days after which the field's day is too old, None where it never is."""
    ages = [check.max_age_days for check in field.checks if check.max_age_days is not None]
    return min(ages) if ages else None


def after(field: FormField) -> str | None:
    """The field whose day may not be after this one's."""
    return next((check.not_before for check in field.checks if check.not_before is not None), None)


def plan(doctype: DocumentType, on: date, born: date, rng: np.random.Generator) -> dict[str, date]:
    """A day for each date field of a type such that on that day nothing is wrong with any."""
    days: dict[str, date] = {}
    waiting = [field for field in doctype.fields if field.kind is FieldKind.DATE]
    names = {field.name for field in waiting}
    # What stands before others is dated first; fields that wait for each other in a ring are dated as they come.
    while waiting:
        ready = [
            field for field in waiting if after(field) is None or after(field) in days or after(field) not in names
        ]
        for field in ready or waiting[:1]:
            days[field.name] = _day(field, days, on, born, rng)
            waiting.remove(field)
    return days


def _day(field: FormField, days: Mapping[str, date], on: date, born: date, rng: np.random.Generator) -> date:
    if is_birth(field):
        return born
    if is_expiry(field):
        return on + timedelta(int(rng.integers(60, 3000)))
    age = most_age(field)
    # A few days are left, so that a form drawn today is still in its time when it is scanned later this week.
    oldest = RECENT if age is None else max(0, min(RECENT, age - 4))
    earliest = on - timedelta(oldest)
    before = days.get(after(field) or "")
    if before is not None:
        earliest = min(on, max(earliest, before))
    return earliest + timedelta(int(rng.integers((on - earliest).days + 1)))


def suffix(day: int) -> str:
    return "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def written(day: int, month: int, year: int, layout: str | None, rng: np.random.Generator) -> str:
    """Day, month and year as they stand in comb boxes (`layout`) or as somebody writes them on a line."""
    if layout is not None:
        return f"{day:02d}{month:02d}{year % 100 if layout == 'DDMMYY' else year:0{2 if layout == 'DDMMYY' else 4}d}"
    short = f"{year % 100:02d}" if rng.random() < 0.3 else f"{year:04d}"
    separator = str(rng.choice(SEPARATORS, p=SHARES))
    if rng.random() < 0.75 or not 1 <= month <= 12:
        # Between figures a space alone would leave open where one ends.
        if rng.random() < 0.75 or separator == " ":
            return f"{day:02d}{separator}{month:02d}{separator}{short}"
        return f"{day}{separator}{month}{separator}{short}"
    name = MONTHS[month - 1]
    name = name[:3] if rng.random() < 0.6 else name
    if rng.random() < 0.3:
        name = name.upper()
    if rng.random() < 0.6:
        mark = "-" if rng.random() < 0.5 else " "
        return f"{day}{mark}{name}{mark}{short}"
    return f"{day}{suffix(day)} {name} {short}"


def impossible(year: int, rng: np.random.Generator) -> tuple[int, int, int]:
    """Day, month and year that no calendar has."""
    choices = ((31, 2), (30, 2), (31, 4), (31, 6), (31, 9), (31, 11), (32, 1), (35, 8), (12, 13), (20, 15), (0, 5))
    day, month = choices[int(rng.integers(len(choices)))]
    return day, month, year
