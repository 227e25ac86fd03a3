"""Ink that no field explains.

Where a type expects endorsements anywhere, a stamp must be of somebody who may endorse.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks import endorsement
from pipeline.checks.form import Context, Form, Notes
from pipeline.findings import Finding
from pipeline.reading import AnswerState

_KINDS = {
    "signature": "There is a signature where none belongs.",
    "stamp": "There is a stamp where none belongs.",
    "handwriting": "There is writing where none belongs.",
}


def judge(notes: Notes, form: Form, context: Context) -> Iterator[Finding]:
    reading = notes.reading
    if reading.state is AnswerState.EMPTY:
        yield notes.passed("ink.unexpected", 1.0 - reading.present, "A mark that is nothing anybody wrote.")
    elif reading.label == "stamp" and form.doctype.endorsable:
        yield endorsement.authority(notes, form, context)
    else:
        message = _KINDS.get(reading.label or "", "There is ink where none belongs.")
        yield notes.anomaly("ink.unexpected", reading.present, message)
