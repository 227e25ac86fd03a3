"""Dates as they stand on Indian paper: day first, with separators, month words or comb boxes.

A date is never repaired. `31/02/2016` is well written and impossible; `15032` is no date at all; `03/15/2016` has a
fifteenth month, since the month never comes first here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from pipeline.sentences import say

#: Two-digit years below this belong to the 2000s, from it on to the 1900s.
PIVOT = 50

#: Years that can be meant on a form.
FIRST_YEAR, LAST_YEAR = 1900, 2099

#: What a date in comb boxes and one on a line may be written with.
COMB_ALPHABET = "0123456789"
LINE_ALPHABET = COMB_ALPHABET + "/-., '" + "ABCDEFGHIJLMNOPRSTUVY" + "abcdefghijlmnoprstuvy"

#: `15th September, 2016` has twenty characters.
LONGEST = 20

Problem: TypeAlias = Literal["format", "impossible"]

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_NUMBERS = {name[:length]: place for place, name in enumerate(_MONTHS, start=1) for length in (3, len(name))}
_NUMBERS["sept"] = 9

#: What is written in letters in a date: months, and what follows the number of a day.
MONTHS, ORDINALS = frozenset(_NUMBERS), frozenset(("st", "nd", "rd", "th"))

_FIGURES = re.compile(r"(\d{1,2})\s*[/.,\- ]\s*(\d{1,2})\s*[/.,\- ]\s*(\d{4}|\d{2})")
_WORDS = re.compile(r"(\d{1,2})\s*(?:st|nd|rd|th)?[\s/.,-]*([a-z]+)[\s/.,'-]*(\d{4}|\d{2})")
_PLAIN = {"DDMMYYYY": re.compile(r"(\d\d)(\d\d)(\d{4})"), "DDMMYY": re.compile(r"(\d\d)(\d\d)(\d\d)")}


@dataclass(frozen=True, slots=True)
class Written:
    """What a written date says: a day, or the problem with it and a sentence about that."""

    day: date | None
    problem: Problem | None = None
    why: str = ""


def parse(text: str, layout: str | None = None) -> Written:
    """Reads a date as written.

    `layout` (`DDMMYYYY`, `DDMMYY`) is that of comb boxes, whose text is digits only; without it both are understood,
    and everything that stands on a line.
    """
    cleaned = text.strip().strip(".,").lower()
    layouts = _PLAIN if layout is None else {layout: _PLAIN[layout]}
    forms = [*layouts.values(), *((_FIGURES, _WORDS) if layout is None else ())]
    for form in forms:
        if (found := form.fullmatch(cleaned)) is not None:
            day, month, year = found.groups()
            number = int(month) if month.isdigit() else _NUMBERS.get(month)
            if number is None:
                return Written(None, "format", say("written.no_month", month=repr(month)))
            return _on_calendar(int(day), number, _year(year))
    wanted = say("written.digits", count=len(layout), layout=layout) if layout else say("written.day")
    return Written(None, "format", say("written.otherwise", text=repr(text.strip()), wanted=wanted))


def _year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    return int(text) + (2000 if int(text) < PIVOT else 1900)


def _on_calendar(day: int, month: int, year: int) -> Written:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return Written(None, "impossible", say("calendar.year", year=f"{year:04d}"))
    if not 1 <= month <= 12:
        return Written(None, "impossible", say("calendar.month", month=month))
    try:
        return Written(date(year, month, day))
    except ValueError:
        name = say(f"month.{_MONTHS[month - 1]}")
        return Written(None, "impossible", say("calendar.day", month_name=name, year=year, day=day))
