"""Ink that no field explains.

Where a type expects endorsements anywhere, a stamp must be of somebody who may endorse.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks import endorsement
from pipeline.checks.form import Context, Form, Notes
from pipeline.findings import Finding
from pipeline.reading import AnswerState
from pipeline.sentences import say

_KINDS = {
    "signature": "ink.signature",
    "stamp": "ink.stamp",
    "handwriting": "ink.handwriting",
}


def judge(notes: Notes, form: Form, context: Context) -> Iterator[Finding]:
    reading = notes.reading
    if reading.state is AnswerState.EMPTY:
        yield notes.passed("ink.unexpected", 1.0 - reading.present, say("ink.nothing"))
    elif reading.label == "stamp" and form.doctype.endorsable:
        yield endorsement.authority(notes, form, context)
    else:
        message = say(_KINDS.get(reading.label or "", "ink.some"))
        yield notes.anomaly("ink.unexpected", reading.present, message)
