"""Dates: there, readable, well written, on the calendar, and in their time.

Whether a date was read rightly is doubted once, by `date.unreadable`, whose confidence is that of the reading. The
checks after it can be wrong only where it was misread: where that hid a defect, and where it made one up, which is
weighed against what else may stand there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from pipeline import dates
from pipeline.checks import presence
from pipeline.checks.form import Context, Form, Notes, declared
from pipeline.checks.weighed import COMMON_DATE, Instead, weighed
from pipeline.findings import Finding, Outcome
from pipeline.questions import Reading, otherwise
from pipeline.reading import AnswerState

#: The chance that one misread digit makes a badly written date well written: a digit must come or go.
FORMAT_HIDDEN = 0.1

#: The chance that one misread digit brings an impossible date onto the calendar (31/02 → 21/02, 31/03, …), and that
#: one moves a date across a limit. All misreadings taken as equally likely, it is nowhere higher: counted in the tests.
IMPOSSIBLE_HIDDEN, TIME_HIDDEN = 0.4, 0.25


def judge(notes: Notes, form: Form, context: Context) -> Iterator[Finding]:
    reading = notes.reading
    yield from presence.judge(notes, form)
    if not presence.there(form, reading):
        return
    if reading.value is None:
        yield notes.anomaly("date.unreadable", reading.confidence, notes.say("field.unread"))
        return
    found = list(_of_value(notes, form, context))
    instead: list[Instead] = []
    if any(one.outcome is Outcome.ANOMALY for one in found):
        instead = [
            notes.instead(one, one.confidence)
            for one in otherwise(reading)
            if all(each.outcome is Outcome.PASS for each in _of_value(replace(notes, reading=one), form, context))
        ]
    read = Instead(reading.confidence, notes.say("date.read", text=reading.value))
    likeliest = max((read, *instead), key=lambda one: one.chance)
    yield notes.passed("date.unreadable", likeliest.chance, likeliest.message)
    for one in found:
        broken = one.check == "date.order" and one.outcome is Outcome.ANOMALY
        yield weighed(one, [*instead, *_beside(notes, form)] if broken else instead, COMMON_DATE)


def day_of(reading: Reading | None) -> date | None:
    """The day that stands in a date field, None where none can be read."""
    if reading is None or reading.state is not AnswerState.PRESENT or reading.normalised is None:
        return None
    return date.fromisoformat(reading.normalised)


def _of_value(notes: Notes, form: Form, context: Context) -> Iterator[Finding]:
    """The checks on what was read, taken as read."""
    sure, written = notes.reading.confidence, dates.parse(notes.reading.value or "", _layout(notes.reading))
    if written.problem == "format":
        yield notes.anomaly("date.format", sure, notes.say("date.miswritten", why=written.why))
        return
    yield notes.passed("date.format", _unless(sure, FORMAT_HIDDEN), notes.say("date.written"))
    if written.day is None:
        yield notes.anomaly("date.impossible", sure, notes.say("date.impossible", why=written.why))
        return
    yield notes.passed("date.impossible", _unless(sure, IMPOSSIBLE_HIDDEN), notes.say("date.exists"))
    yield from _in_time(notes, form, context, written.day)


def _in_time(notes: Notes, form: Form, context: Context, day: date) -> Iterator[Finding]:
    sure, field, on = notes.reading.confidence, notes.reading.field, context.on
    if any(declared(form, field, "date.future", on)):
        if day > on:
            message = notes.say("date.future", day=_told(day), on=_told(on))
            yield notes.anomaly("date.future", sure, message)
        else:
            yield notes.passed("date.future", _unless(sure, TIME_HIDDEN), notes.say("date.not_future"))
    for check in declared(form, field, "date.stale", on):
        oldest = on - timedelta(days=check.max_age_days or 0)
        if day < oldest:
            message = notes.say("date.stale", day=_told(day), days=check.max_age_days, on=_told(on))
            yield notes.anomaly("date.stale", sure, message)
        else:
            yield notes.passed("date.stale", _unless(sure, TIME_HIDDEN), notes.say("date.recent"))
        break
    yield from _in_order(notes, form, day)


def _in_order(notes: Notes, form: Form, day: date) -> Iterator[Finding]:
    """After the day in another field. Where none can be read there, its own findings say so."""
    first = _before(notes, form)
    earlier = day_of(first)
    if first is None or first.field is None or earlier is None:
        return
    sure, label = notes.reading.confidence * first.confidence, first.field.label
    if day < earlier:
        message = notes.say("date.before", day=_told(day), other=label, on=_told(earlier))
        yield notes.anomaly("date.order", sure, message)
    else:
        yield notes.passed("date.order", _unless(sure, TIME_HIDDEN), notes.say("date.not_before", other=label))


def _before(notes: Notes, form: Form) -> Reading | None:
    """The date that this one may not be before, None where there is none."""
    check = next(declared(form, notes.reading.field, "date.order", notes.on), None)
    return None if check is None else form.beside(check.not_before or "", notes.reading.evidence.page)


def _beside(notes: Notes, form: Form) -> Iterator[Instead]:
    """What may stand in place of the date that this one is before, and isn't after it."""
    first, day = _before(notes, form), day_of(notes.reading)
    if first is None or day is None:
        return
    for other in otherwise(first):
        earlier = day_of(other)
        if earlier is not None and earlier <= day:
            yield replace(notes, reading=first).instead(other, notes.reading.confidence * other.confidence)


def _layout(reading: Reading) -> str | None:
    """How the digits of comb boxes are laid out; a line says itself what it is."""
    return reading.field.format if reading.field is not None and reading.evidence.cells is not None else None


def _unless(sure: float, hidden: float) -> float:
    """The least probability that a pass is right: it is wrong only if misread, and the misreading hid the defect."""
    return 1.0 - (1.0 - sure) * hidden


def _told(day: date) -> str:
    return f"{day:%d/%m/%Y}"
