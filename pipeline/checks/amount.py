"""Amounts: figures that say what the words say.

Handwritten words are mostly more than the reader can tell, and so are figures it is unsure of: where either can't be
read as a number, no mismatch is judged, which flags nothing. Illegible figures (overwritten, smeared) are in doubt.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline import amounts
from pipeline.checks import presence
from pipeline.checks.form import Context, Form, Notes, declared
from pipeline.findings import Finding

#: Of a number that figures and words say alike, hardly any misreading would have hidden a difference.
_HIDDEN = 0.05


def judge(notes: Notes, form: Form, context: Context) -> Iterator[Finding]:
    reading = notes.reading
    yield from presence.judge(notes, form)
    if not presence.there(form, reading):
        return
    for check in declared(form, reading.field, "amount.mismatch", context.on):
        other = form.beside(check.words, reading.evidence.page) if check.words is not None else None
        if reading.value is None:
            # On a line that is not used this is the stroke through it.
            if reading.field is None or form.needed(reading.field, reading.evidence.page) < 0.5:
                return
            yield notes.uncertain("amount.mismatch", notes.say("field.unread"))
            return
        figures = amounts.figures(reading.value)
        words = amounts.words(other.value) if other is not None and other.value else None
        if other is None or figures is None or words is None:
            return
        sure = reading.confidence * (other.printed or other.confidence)
        if figures == words:
            yield notes.passed("amount.mismatch", 1.0 - (1.0 - sure) * _HIDDEN, notes.say("amount.same"))
        else:
            yield notes.anomaly("amount.mismatch", sure, notes.say("amount.differs", figures=figures, words=words))
        return
