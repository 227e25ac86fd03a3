"""Is something there that must be: the first question about every field, whatever its kind.

A field is missing where it is required and empty, or where the field it hangs on is filled and it is empty. What may
be left out and is left out gives no finding; where that hangs on another field, a pass carries both doubts.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.form import Form, Notes
from pipeline.doctypes.schema import FieldKind
from pipeline.findings import Finding
from pipeline.questions import Reading
from pipeline.reading import AnswerState
from pipeline.sentences import say

#: The check that says that a field of that kind is missing.
MISSING = {
    FieldKind.SIGNATURE: "signature.missing",
    FieldKind.DATE: "date.missing",
    FieldKind.ENDORSEMENT: "endorsement.missing",
}

#: The check in doubt where a field that need not be filled is, and its picture can't be trusted.
_DOUBTED = {
    FieldKind.DATE: "date.unreadable",
    FieldKind.ENDORSEMENT: "endorsement.unauthorised",
    FieldKind.IDENTIFIER: "identifier.invalid",
}

_FAULTS = {
    "off page": "picture.off_page",
    "registration": "picture.registration",
    "resolution": "picture.resolution",
}


def missing(kind: FieldKind) -> str:
    return MISSING.get(kind, "field.missing")


def faults(notes: Notes, form: Form) -> Finding | None:
    """The doubt about a field whose picture can't be trusted; None where it can, or where nothing hangs on it."""
    reading, field = notes.reading, notes.reading.field
    if field is None or not reading.evidence.faults:
        return None
    check: str | None = missing(field.kind)
    if form.needed(field, reading.evidence.page) < 0.5:
        check = _DOUBTED.get(field.kind) if reading.filled else None
    *first, last = (say(_FAULTS[fault]) if fault in _FAULTS else fault for fault in reading.evidence.faults)
    reasons = say("picture.several", why=" and ".join(first), also=last) if first else last
    return None if check is None else notes.uncertain(check, notes.say("field.untrusted", why=reasons))


def judge(notes: Notes, form: Form, filled: str = "field.filled") -> Iterator[Finding]:
    """Whether a field is filled that must be; `filled` is the sentence that says how."""
    reading, field = notes.reading, notes.reading.field
    if field is None:
        return
    check, needed = missing(field.kind), form.needed(field, reading.evidence.page)
    if there(form, reading):
        if needed > 0:
            yield notes.passed(check, reading.present, notes.say(filled))
        return
    gone = reading.confidence if reading.state is AnswerState.STRUCK else 1.0 - reading.present
    if needed * gone >= 0.5 or needed == 1.0:
        yield notes.anomaly(check, needed * gone, _sentence(notes, form))
    elif needed > 0:
        yield notes.passed(check, 1.0 - needed * gone, notes.say("field.unneeded"))


def there(form: Form, reading: Reading) -> bool:
    """Whether something stands in a field. A field that need not be filled is taken as empty unless that is likelier
    than not."""
    field = reading.field
    if field is None or not reading.filled or form.unused(reading):
        return False
    return reading.present >= 0.5 or form.needed(field, reading.evidence.page) >= 0.5


def _sentence(notes: Notes, form: Form) -> str:
    field = notes.reading.field
    if notes.reading.state is AnswerState.STRUCK:
        return notes.say("field.struck")
    if field is not None and field.required_if is not None and not field.required:
        return notes.say("field.empty_beside", other=form.doctype.field(field.required_if).label)
    return notes.say("field.empty")
