"""Dates that OCR read on a page: as written, the day they mean, and which of them is the page's own.

Machines print more than hands write: the year first, the month's name before the day, months in French. A page bears
many dates; its own is the one that the word "date" stands before, then the one that stands alone or beside a time of
day, then one in a line of prose. A day on which something falls due, expires or on which somebody was born is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipeline import dates
from pipeline.doctypes.propose import Words
from pipeline.geometry import Box

#: Months as they are printed, by the letters that tell them.
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan janv",
            "feb fev fév",
            "mar",
            "apr avr",
            "may mai",
            "jun juin",
            "jul juil",
            "aug aou aoû",
            "sep",
            "oct",
            "nov",
            "dec déc",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = (
    r"(?:jan(?:uary|v(?:ier)?)?|f[eé][bv](?:ruary|r(?:ier)?)?|mar(?:ch|s)?|a[pv]r(?:il)?|ma[iy]|june?|juin|july?"
    r"|juil(?:let)?|aug(?:ust)?|ao[uû]t|sept?(?:emb(?:er|re))?|oct(?:ob(?:er|re))?|nov(?:emb(?:er|re))?"
    r"|d[eé]c(?:emb(?:er|re))?)"
)
_YEAR = r"(?:(?:19|20)\d{2}|'?\d{2})(?=\D|$|\d{1,2}:)"
_DATE = re.compile(
    rf"(?<![\d/.-])(?P<day>\d{{1,2}})\s?(?P<by>[/.\-])\s?(?P<month>\d{{1,2}})\s?(?P=by)\s?(?P<year>{_YEAR})"
    rf"|(?<![\d/.-])(?P<year1>(?:19|20)\d{{2}})(?P<by1>[/.\-])(?P<month1>\d{{1,2}})(?P=by1)(?P<day1>\d{{1,2}})"
    rf"(?=\D|$|\d{{2}}:)"
    rf"|(?<!\d)(?P<day2>\d{{1,2}})\s?(?:st|nd|rd|th|er)?[\s/.,-]*(?P<month2>{_MONTH})[\s/.,'-]*(?P<year2>{_YEAR})"
    rf"|(?<![a-z])(?P<month3>{_MONTH})\.?\s?(?P<day3>\d{{1,2}})\s?(?:st|nd|rd|th)?(?:\s?[,.]\s?|\s)(?P<year3>(?:19|20)\d{{2}})"
    rf"(?!\d)",
    re.IGNORECASE,
)

#: What stands before the page's own date, and before others.
LABEL = re.compile(r"\b(dated?|dt|tarikh|le|on)\b\W*$", re.IGNORECASE)
ALONE_LABEL = re.compile(r"^\W*([a-z]+\s)?(dated?|dt|tarikh)\b\W*$", re.IGNORECASE)
OTHER = re.compile(
    r"\b(due|expir\w*|exp|valid\w*|until|till|birth|born|d\.?o\.?b|n[ée]e? le|since|until|before|w\.?e\.?f|effective"
    r"|previous|ref(erence)?|your letter|act|circular)\b",
    re.IGNORECASE,
)
TIME = re.compile(r"(?<!\d)\d{1,2}\s?:\s?\d{2}(?!\d)")

#: A line with so many letters beside the date is prose.
PROSE = 28

#: How likely a date is the page's own: with the word before it, alone or beside a time, in prose, of another thing.
#: What other dates there are lowers it further.
LABELLED, ALONE, IN_PROSE, OF_OTHERS = 0.96, 0.9, 0.7, 0.6


@dataclass(frozen=True, slots=True)
class Found:
    """A date in a line of print: as written, the day (None where there is no such day), from where to where."""

    written: str
    day: date | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """A date on a page, and the probability that it is the page's own and read rightly."""

    written: str
    day: date | None
    box: Box
    confidence: float


def dates_in(text: str) -> list[Found]:
    """The dates in a line of print."""
    return [Found(one.group().strip(), _day(one), one.start(), one.end()) for one in _DATE.finditer(text)]


def printed_dates(words: Words) -> list[PrintedDate]:
    """The dates of a page, the likeliest to be its own first."""
    found = [
        (one, part(box, text, one.start, one.end), _likeness(one, text, box, words))
        for text, box in words
        for one in dates_in(text)
    ]
    # Of several that are as likely only one can be meant.
    told = [
        PrintedDate(one.written, one.day, box, likeness * _alone(one, likeness, found)) for one, box, likeness in found
    ]
    return sorted(told, key=lambda one: -one.confidence)


def _alone(own: Found, likeness: float, found: Sequence[tuple[Found, Box, float]]) -> float:
    """Lowers a date where others on other days are as likely."""
    rivals = {other.day for other, _box, theirs in found if theirs >= likeness and other.day != own.day}
    return 0.85 if rivals else 1.0


def _likeness(one: Found, text: str, box: Box, words: Words) -> float:
    before = text[: one.start]
    beside = [(other, where) for other, where in words if is_left_of(where, box)]
    if OTHER.search(before) or any(OTHER.search(other) for other, _where in beside if len(other) < PROSE):
        likeness = OF_OTHERS
    elif LABEL.search(before) or any(ALONE_LABEL.search(other) for other, _where in beside):
        likeness = LABELLED
    else:
        rest = re.sub(r"[^a-zà-ÿ]", "", (before + text[one.end :]).lower())
        timed = TIME.search(text[one.end :]) or any(
            TIME.search(other) for other, where in words if is_left_of(box, where)
        )
        likeness = ALONE if timed or len(rest) < PROSE else IN_PROSE
    # No till prints a day that isn't there: it was misread, or is something else.
    return likeness if one.day is not None else 0.6 * likeness


def _day(found: re.Match[str]) -> date | None:
    groups = {name.rstrip("123"): value for name, value in found.groupdict().items() if value is not None}
    month = groups["month"]
    number = int(month) if month.isdigit() else _month(month.lower())
    written = f"{int(groups['day'])}/{number}/{groups['year'].strip(chr(39))}"
    return dates.parse(written).day


def _month(name: str) -> int:
    return next(MONTHS[name[:length]] for length in (4, 3) if name[:length] in MONTHS)


def is_left_of(label: Box, box: Box) -> bool:
    """Whether a piece of print stands before another on its line, with not too much between them."""
    middle = (label.y0 + label.y1) / 2
    return box.y0 < middle < box.y1 and -0.01 < box.x0 - label.x1 < 0.25


def part(box: Box, text: str, start: int, end: int) -> Box:
    """Where some letters of a line stand, taking all as equally wide."""
    step = box.width / max(1, len(text))
    return Box(box.x0 + start * step, box.y0, box.x0 + end * step, box.y1)
