"""Aadhaar: a form may show the last four digits and no more.

Of a field for the whole number only the last four digits are ever cut from the page, so nothing is said about it here.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.form import Notes
from pipeline.doctypes.schema import Identifier
from pipeline.findings import Finding

#: The chance that a misreading hides the further digits of a number.
_HIDDEN = 0.1


def judge(notes: Notes) -> Iterator[Finding]:
    reading, field = notes.reading, notes.reading.field
    if field is None or field.identifier is not Identifier.AADHAAR_LAST4:
        return
    if not reading.whole:
        certain = 1.0 - (1.0 - reading.confidence) * _HIDDEN
        yield notes.passed("aadhaar.unmasked", certain, notes.say("aadhaar.four"))
        return
    told = {True: "aadhaar.more_right", False: "aadhaar.more_wrong", None: "aadhaar.more"}[reading.valid]
    yield notes.anomaly("aadhaar.unmasked", reading.confidence, notes.say(told))
