"""Identifiers: PAN, BO ID, ISIN, IFSC and the others, by their shape and check digit."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline import identifiers
from pipeline.checks import aadhaar, presence
from pipeline.checks.form import Context, Form, Notes
from pipeline.checks.weighed import COMMON_IDENTIFIER, weighed
from pipeline.findings import Finding
from pipeline.questions import otherwise


def judge(notes: Notes, form: Form, context: Context) -> Iterator[Finding]:
    reading, field = notes.reading, notes.reading.field
    yield from presence.judge(notes, form)
    if field is None or field.identifier is None or not presence.there(form, reading):
        return
    if reading.value is None:
        yield notes.uncertain("identifier.invalid", notes.say("field.unread"))
        return
    if field.identifier in identifiers.AADHAARS:
        yield from aadhaar.judge(notes)
        if reading.whole:
            return
    sure = reading.confidence
    problem = identifiers.check(field.identifier, reading.value)
    if problem is not None:
        found = notes.anomaly("identifier.invalid", sure, notes.say("identifier.wrong", why=problem))
        others = [one for one in otherwise(reading) if not identifiers.check(field.identifier, one.value or "")]
        yield weighed(found, [notes.instead(one, one.confidence) for one in others], COMMON_IDENTIFIER)
        return
    certain = identifiers.certainty(field.identifier, sure)
    yield notes.passed("identifier.invalid", certain, notes.say("identifier.right"))
