"""Fields whose content is not judged: text and tick boxes. They are missing, or they are not."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks import presence
from pipeline.checks.form import Context, Form, Notes
from pipeline.findings import Finding


def judge(notes: Notes, form: Form, context: Context) -> Iterator[Finding]:
    yield from presence.judge(notes, form)
