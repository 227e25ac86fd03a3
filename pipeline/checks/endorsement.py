"""Endorsements: a stamp is there, and it belongs to somebody who may set it.

It is judged as of the date beside it, and as of the document's arrival where none can be read there or where it lies
after that: nobody endorses in the future.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pipeline.checks import presence
from pipeline.checks.date import day_of
from pipeline.checks.form import Context, Form, Notes
from pipeline.doctypes.schema import FieldKind, FormField
from pipeline.endorsers import Standing, match
from pipeline.findings import Finding, Outcome
from pipeline.reading import AnswerState

#: A date belongs to a stamp unless it stands further above or below it than this, in fractions of the page.
NEAR = 0.05


def judge(notes: Notes, form: Form, context: Context) -> Iterator[Finding]:
    reading = notes.reading
    # Where a signature goes across a stamp, the print may tell what the model's one word does not.
    if (
        reading.state is AnswerState.PRESENT
        and reading.label not in (None, "stamp")
        and not _known(notes, form, context)
    ):
        needed = reading.field is not None and form.needed(reading.field, reading.evidence.page) >= 0.5
        if needed:
            yield notes.anomaly("endorsement.missing", reading.confidence, notes.say("stamp.writing"))
        return
    yield from presence.judge(notes, form)
    if presence.there(form, reading):
        yield authority(notes, form, context)


def _known(notes: Notes, form: Form, context: Context) -> bool:
    """Whether the print is that of somebody who may endorse."""
    return authority(notes, form, context).outcome is Outcome.PASS


def authority(notes: Notes, form: Form, context: Context) -> Finding:
    """Whether the stamp is of somebody authorised."""
    reading, check = notes.reading, "endorsement.unauthorised"
    on, sure = _as_of(notes, form, context)
    printed = reading.printed if reading.printed is not None else 0.0
    found = match(reading.value, context.endorsers, on, form.doctype.name, printed)
    message = notes.say("stamp.judged", why=found.why)
    match found.standing:
        case Standing.AUTHORISED:
            return notes.passed(check, found.score, message)
        case Standing.UNAUTHORISED:
            return notes.anomaly(check, (found.score if found.endorser else printed) * sure, message)
        case Standing.UNREADABLE:
            return notes.uncertain(check, message)


def _as_of(notes: Notes, form: Form, context: Context) -> tuple[date, float]:
    """The day of an endorsement and how surely it was read."""
    field = notes.reading.field
    beside = _date_beside(form, field) if field is not None else None
    reading = form.beside(beside.name, notes.reading.evidence.page) if beside is not None else None
    day = day_of(reading)
    if reading is None or day is None or day > context.on:
        return context.on, 1.0
    return day, reading.confidence


def _date_beside(form: Form, stamp: FormField) -> FormField | None:
    """The date field of the same block: named alike (`receipt_stamp`, `receipt_date`), or else the nearest one. Blocks
    of a form lie one above the other, so beside is nearer than below."""
    dates = [one for one in form.doctype.fields if one.kind is FieldKind.DATE and one.page == stamp.page]
    alike = [one for one in dates if one.name.partition("_")[0] == stamp.name.partition("_")[0]]
    if alike:
        return min(alike, key=lambda one: _distance(one, stamp))
    near = [one for one in dates if _distance(one, stamp)[0] <= NEAR]
    return min(near, key=lambda one: _distance(one, stamp), default=None)


def _distance(one: FormField, other: FormField) -> tuple[float, float]:
    """The gap between two boxes down and across the page."""
    a, b = one.where, other.where
    return max(0.0, a.y0 - b.y1, b.y0 - a.y1), max(0.0, a.x0 - b.x1, b.x0 - a.x1)
