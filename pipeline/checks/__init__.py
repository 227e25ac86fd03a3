"""Checks turn readings into findings: one file a check or family, each a function from a reading to findings.

What a check is sure of is its confidence; what that means for the document is settled in `pipeline.verdict` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from pipeline.checks import amount, date, endorsement, field, identifier, ink, page, presence, signature
from pipeline.checks.form import NO_IDEA, Context, Form, FormSheet, Notes, rule
from pipeline.doctypes.schema import FieldKind, FormField
from pipeline.findings import Finding, Outcome
from pipeline.questions import Reading
from pipeline.reading import QuestionKind
from pipeline.sentences import say
from pipeline.verdict import settle

__all__ = ["Context", "Form", "FormSheet", "judge_form", "judge_page"]

_Judge: TypeAlias = Callable[[Notes, Form, Context], Iterator[Finding]]

_BY_KIND: dict[FieldKind, _Judge] = {
    FieldKind.SIGNATURE: signature.judge,
    FieldKind.DATE: date.judge,
    FieldKind.ENDORSEMENT: endorsement.judge,
    FieldKind.TEXT: field.judge,
    FieldKind.CHECKBOX: field.judge,
    FieldKind.IDENTIFIER: identifier.judge,
    FieldKind.AMOUNT: amount.judge,
}


def judge_form(form: Form, context: Context) -> list[Finding]:
    """All checks on one filled form: its pages, its fields in the order of the type, and ink that no field explains.

    Nothing is said about the fields of a page that is not surely this form's: that page is uncertain by itself.
    """
    return settle(_all(form, context), context.thresholds)


def judge_page(sheet: FormSheet, context: Context) -> list[Finding]:
    """A page that is no known form's: uncertain, unless it is blank and such pages are passed over."""
    if sheet.blank and context.skip_blank:
        return settle([page.passed_over(sheet)], context.thresholds)
    return settle([page.quality(sheet), page.place(sheet)], context.thresholds)


def _all(form: Form, context: Context) -> Iterator[Finding]:
    yield from page.judge(form, context)
    sure = {sheet.number: sheet.form_page for sheet in form.pages if sheet.sure}
    for one in form.doctype.fields:
        for number in sorted(number for number, form_page in sure.items() if form_page == one.page):
            readings = [reading for reading in form.of(one.name) if reading.evidence.page == number]
            for reading in readings:
                yield from _field(reading, one, form, context)
            if not readings and one.required:
                yield _uncut(number, one, form, context)
    for reading in form.readings:
        if reading.evidence.kind is QuestionKind.MARK and reading.evidence.page in sure:
            yield from ink.judge(Notes(form, reading, context.on), form, context)


def _field(reading: Reading, one: FormField, form: Form, context: Context) -> Iterator[Finding]:
    notes = Notes(form, reading, context.on)
    if reading.evidence.faults:
        doubt = presence.faults(notes, form)
        if doubt is not None:
            yield doubt
        return
    yield from _BY_KIND[one.kind](notes, form, context)


def _uncut(number: int, one: FormField, form: Form, context: Context) -> Finding:
    """A field that must be filled and of which there is no picture is not passed over."""
    check = presence.missing(one.kind)
    message = say("field.uncut", label=one.label)
    rule_id = rule(form, one, check, context.on)
    return Finding(check, Outcome.UNCERTAIN, NO_IDEA, message, number, one.name, rule=rule_id)
