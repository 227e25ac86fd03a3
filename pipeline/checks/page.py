"""Pages: fit to be judged, of a form we know, all there and none twice."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.form import NO_IDEA, STRUCTURAL, Context, Form, FormSheet, rule
from pipeline.findings import Finding, Outcome
from pipeline.sentences import say


def quality(sheet: FormSheet, rule_id: str | None = None) -> Finding:
    """Whether a page can be judged at all."""
    if sheet.quality_faults:
        message = " ".join(sheet.quality_faults)
        return Finding("page.poor", Outcome.UNCERTAIN, NO_IDEA, message, sheet.number, rule=rule_id)
    message = say("page.fit")
    return Finding("page.poor", Outcome.PASS, STRUCTURAL, message, sheet.number, rule=rule_id)


def passed_over(sheet: FormSheet) -> Finding:
    """A page without ink, where such pages are no reason to look at a document."""
    message = say("page.passed_over")
    return Finding("page.poor", Outcome.PASS, STRUCTURAL, message, sheet.number)


def place(sheet: FormSheet, title: str | None = None, rule_id: str | None = None) -> Finding:
    """Whether it is known what a page is; `title` is the form it is taken for."""
    if title is not None and sheet.sure:
        message = say("page.known", number=sheet.form_page, title=title)
        return Finding("type.unknown", Outcome.PASS, STRUCTURAL, message, sheet.number, rule=rule_id)
    why = sheet.location_why or say("page.unknown")
    if title is not None:
        why = say("page.doubted", number=sheet.form_page, title=title, why=why)
    return Finding("type.unknown", Outcome.UNCERTAIN, NO_IDEA, why, sheet.number, rule=rule_id)


def judge(form: Form, context: Context) -> Iterator[Finding]:
    """The pages of a form, each by itself and all together."""
    for sheet in form.pages:
        yield quality(sheet, rule(form, None, "page.poor", context.on))
        yield place(sheet, form.doctype.title, rule(form, None, "type.unknown", context.on))
    yield from _complete(form, rule(form, None, "page.missing", context.on))


def _complete(form: Form, rule_id: str | None) -> Iterator[Finding]:
    """Every page of the form is there once. `ordinal` is the page of the form that is not."""
    first, total, wrong = min(sheet.number for sheet in form.pages), len(form.doctype.pages), False
    for wanted in range(1, total + 1):
        there = [sheet.number for sheet in form.pages if sheet.form_page == wanted]
        if len(there) == 1:
            continue
        wrong = True
        message = say("page.missing", number=wanted, total=total)
        if there:
            message = say("page.again", number=wanted, times=len(there), listed=_listed(there))
        page = there[-1] if there else first
        yield Finding("page.missing", Outcome.ANOMALY, STRUCTURAL, message, page, ordinal=wanted, rule=rule_id)
    if not wrong:
        message = say("page.all" if total > 1 else "page.only")
        yield Finding("page.missing", Outcome.PASS, STRUCTURAL, message, first, rule=rule_id)


def _listed(numbers: list[int]) -> str:
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
