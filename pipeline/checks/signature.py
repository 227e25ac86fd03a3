"""Signatures. Initials count: they are the hand of who signs, and whether it is the signature on record is for those
who compare it with the specimen. A signature that was struck out is none, but an unused box may be struck through."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks import presence
from pipeline.checks.form import Context, Form, Notes
from pipeline.findings import Finding


def judge(notes: Notes, form: Form, context: Context) -> Iterator[Finding]:
    yield from presence.judge(notes, form, "field.initialled" if notes.reading.label == "initials" else "field.signed")
