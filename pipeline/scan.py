"""The whole way of one file, in order: pages → quality → type and place → evidence → readings → findings → verdict.

Workers go the same way in two halves, prepared on one machine and judged on another (`workers.prepare`,
`workers.stages`); here it is in one process, for tests, benchmarks and anybody who wants to read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.checks import Context, Form, FormSheet, judge_form, judge_page
from pipeline.doctypes.schema import DocumentType
from pipeline.findings import Finding, Verdict
from pipeline.harvest import harvest
from pipeline.instances import Instance, group
from pipeline.locate import Atlas, Location
from pipeline.pages import Limits, Page, render
from pipeline.quality import Quality, assess
from pipeline.questions import Reading, questions, reading
from pipeline.reading import Evidence, Reader
from pipeline.verdict import decide


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What is kept of a page: its evidence for the form it is, or may be, but not its picture."""

    quality: Quality
    location: Location
    evidence: dict[str | None, tuple[Evidence, ...]]


def look(page: Page, atlas: Atlas) -> Looked:
    """Judges a page's quality, finds what it is, and cuts its fields and unexpected ink."""
    quality, location = assess(page), atlas.locate(page)
    # Which of two editions with the same print it is, the file's other pages tell later: both are cut.
    evidence = {_key(one.doctype): harvest(page, one) for one in (location, *location.twins)}
    twins = tuple(replace(one, fit=None) for one in location.twins)
    return Looked(quality, replace(location, fit=None, twins=twins), evidence)


def instances(looked: Sequence[Looked]) -> list[tuple[Instance, tuple[Evidence, ...]]]:
    """The filled forms in a file, each with its evidence, from all its pages in order."""
    by_page = {one.location.page: one.evidence for one in looked}
    return [
        (form, tuple(cut for page in form.pages for cut in by_page[page].get(_key(form.doctype), ())))
        for form in group([one.location for one in looked])
    ]


def read(evidence: Sequence[Evidence], doctype: DocumentType | None, reader: Reader) -> list[Reading]:
    """What a reader says of a form's evidence, all of it asked at once."""
    fields = [None if doctype is None or one.field == "unexpected" else doctype.field(one.field) for one in evidence]
    asked = [questions(one, field) for one, field in zip(evidence, fields, strict=True)]
    answers = iter(reader.read([question for each in asked for question in each]))
    return [
        reading(one, field, [next(answers) for _ in each])
        for one, field, each in zip(evidence, fields, asked, strict=True)
    ]


def judge(
    form: Instance, readings: Sequence[Reading], qualities: dict[int, Quality], context: Context
) -> list[Finding]:
    """All findings about one filled form, or about a page that is none."""
    sheets = tuple(
        FormSheet(
            one.page, one.form_page, qualities[one.page].faults, one.why, one.sure, blank=qualities[one.page].blank
        )
        for one in form.locations
    )
    if form.doctype is None:
        return [finding for sheet in sheets for finding in judge_page(sheet, context)]
    return judge_form(Form(form.doctype, sheets, tuple(readings)), context)


def scan(
    path: Path, atlas: Atlas, reader: Reader, context: Context, limits: Limits | None = None
) -> tuple[Verdict, list[Finding]]:
    """Scans one file. Raises `BadFile`, and what the reader raises."""
    looked = [look(page, atlas) for page in render(path, limits or Limits())]
    qualities = {one.location.page: one.quality for one in looked}
    # Nothing but blank pages is no document: somebody must look why.
    context = replace(context, skip_blank=context.skip_blank and not all(one.blank for one in qualities.values()))
    findings: list[Finding] = []
    for form, evidence in instances(looked):
        findings += judge(form, read(evidence, form.doctype, reader), qualities, context)
    return decide(findings), findings


def _key(doctype: DocumentType | None) -> str | None:
    return None if doctype is None else doctype.key
