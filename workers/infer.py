"""Judging a scan: the model answers questions about the evidence, checks turn answers into findings and a verdict.

While the model is asked no database connection is held: many documents wait here for one engine at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from pipeline.checks import Context, Form, FormSheet, judge_form, judge_page
from pipeline.doctypes.schema import FormField
from pipeline.evidence import between_margins, narrowed, row_of
from pipeline.findings import Finding, Outcome, Verdict
from pipeline.questions import Reading, questions, reading
from pipeline.reading import Evidence, Question, QuestionKind, Reader
from pipeline.verdict import Thresholds, decide
from records.words import Lease, Versions
from workers import observe
from workers.heartbeat import Work
from workers.manifest import EvidenceEntry, Manifest, PageEntry
from workers.pictures import EvidenceReader, evidence
from workers.station import Station
from workers.stopwatch import Stopwatch

#: In place of a picture that nobody is shown.
UNSEEN = np.full((1, 1), 255, np.uint8)


@dataclass(frozen=True)
class Judged:
    """What is to be written of a scan."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    evidence_keys: tuple[str | None, ...]
    versions: Versions
    document_types: tuple[str, ...]
    timings: dict[str, float]


def infer(station: Station, lease: Lease, work: Work) -> Judged:
    """Reads the evidence that the manifest names, and judges it."""
    watch = Stopwatch()
    manifest = Manifest.from_json(lease.manifest or {})
    with ExitStack() as stack:
        pictures = None if manifest.archive is None else stack.enter_context(evidence(station.store, manifest.archive))
        with watch.timed("read"), station.judging(lease.document_id) as reader:
            model, judged_by = reader.version, station.judgement(reader.version)
            readings = _read(station, reader, manifest, pictures, work, lease.priority)
        with watch.timed("judge"):
            findings = _judge(station, lease, manifest, readings, judged_by.thresholds)
            keys = _pictures_of(station, lease, manifest, pictures, findings)
    verdict = decide(findings)
    types = {page.doctype for page in manifest.pages if page.doctype is not None}
    return Judged(
        verdict,
        tuple(findings),
        tuple(keys),
        Versions(model, judged_by.rules, manifest.doctypes),
        tuple(sorted(key.partition("@")[0] for key in types)),
        {**manifest.timings, **watch.seconds},
    )


def reconsider(station: Station, reader: Reader, lease: Lease, work: Work) -> tuple[Verdict, list[Finding]]:
    """What another version would make of the same evidence; nothing is stored."""
    manifest, judged_by = Manifest.from_json(lease.manifest or {}), station.judgement(reader.version)
    with ExitStack() as stack:
        pictures = None if manifest.archive is None else stack.enter_context(evidence(station.store, manifest.archive))
        readings = _read(station, reader, manifest, pictures, work)
    findings = _judge(station, lease, manifest, readings, judged_by.thresholds)
    return decide(findings), findings


def _read(
    station: Station,
    reader: Reader,
    manifest: Manifest,
    pictures: EvidenceReader | None,
    work: Work,
    priority: int = 0,
) -> list[Reading]:
    """One reading an evidence, in the manifest's order. Asks in portions, so that a long file stays small in memory
    and shows that it advances."""
    if pictures is None:
        return []
    doctypes = {page.number: page.doctype for page in manifest.pages}
    readings: list[Reading] = []
    portion: list[tuple[Evidence, FormField | None, list[Question]]] = []
    asked = 0

    def flush() -> None:
        nonlocal asked
        flat = [question for _, _, each in portion for question in each]
        answers = iter(reader.read(flat) if flat else ())
        for cut, field, each in portion:
            readings.append(reading(cut, field, [next(answers) for _ in each]))
        observe.QUESTIONS.inc(len(flat))
        portion.clear()
        asked = 0
        work.advanced()

    for entry in manifest.evidences:
        key = doctypes.get(entry.page)
        field = None
        if key is not None and entry.field != "unexpected":
            field = station.types.get(key).field(entry.field)
        cut = unpacked(entry, pictures, field)
        wanted = [replace(one, priority=priority) for one in questions(cut, field)]
        portion.append((cut, field, wanted))
        if cut.untouched:
            observe.UNTOUCHED.inc()
        asked += len(wanted)
        if asked >= station.config.questions_at_once:
            flush()
    flush()
    return readings


def unpacked(entry: EvidenceEntry, pictures: EvidenceReader, field: FormField | None = None) -> Evidence:
    """An evidence of a field as it was cut, but for the picture of an untouched one."""
    kind = QuestionKind(entry.kind)
    # Of an untouched field nobody asks, so its picture need not be unpacked.
    image = UNSEEN if entry.untouched else pictures.image(entry.image)
    return Evidence(
        field=entry.field,
        kind=kind,
        page=entry.page,
        box=entry.where,
        image=image,
        ordinal=entry.ordinal,
        alternate=None if kind is QuestionKind.MARK or entry.untouched else narrowed(image),
        residual=entry.residual,
        cells=entry.cells,
        row=between_margins(entry.cells) if field is None else row_of(field),
        faults=entry.faults,
        untouched=entry.untouched,
    )


def _judge(
    station: Station, lease: Lease, manifest: Manifest, readings: Sequence[Reading], thresholds: Thresholds
) -> list[Finding]:
    context = Context(
        on=lease.judged_on,
        endorsers=station.register.current(),
        thresholds=thresholds,
        # Nothing but blank pages is no document: somebody must look why.
        skip_blank=station.config.skip_blank_pages and not all(page.blank for page in manifest.pages),
    )
    findings: list[Finding] = []
    for pages in _instances(manifest):
        key = pages[0].doctype
        sheets = tuple(
            FormSheet(page.number, page.form_page, page.faults, page.why, page.sure, page.blank) for page in pages
        )
        if key is None:
            for sheet in sheets:
                findings += judge_page(sheet, context)
            continue
        numbers = {page.number for page in pages}
        own = tuple(one for one in readings if one.evidence.page in numbers)
        findings += judge_form(Form(station.types.get(key), sheets, own), context)
    return findings


def _instances(manifest: Manifest) -> Iterator[list[PageEntry]]:
    """The pages of each filled form in the file."""
    pages = sorted(manifest.pages, key=lambda page: (page.instance, page.number))
    for _, members in groupby(pages, key=lambda page: page.instance):
        yield list(members)


def _pictures_of(
    station: Station, lease: Lease, manifest: Manifest, pictures: EvidenceReader | None, findings: Sequence[Finding]
) -> list[str | None]:
    """The picture that shows each finding which somebody must look at: its evidence, stored as an object of its own,
    or its page."""
    cuts = {(one.page, one.field, one.ordinal): one for one in manifest.evidences}
    pages = {page.number: page.key for page in manifest.pages}
    stored: dict[str, bytes] = {}
    keys: list[str | None] = []
    for finding in findings:
        if finding.outcome is Outcome.PASS:
            keys.append(None)
            continue
        field = finding.field or ""
        entry = cuts.get((finding.page, field, finding.ordinal)) or cuts.get((finding.page, field, 0))
        if entry is None or pictures is None:
            keys.append(pages.get(finding.page))
            continue
        key = f"scans/{lease.scan_id}/{lease.token}/{entry.image}"
        if key not in stored:
            stored[key] = pictures.png(entry.image)
        keys.append(key)
    station.store.put_all(stored)
    return keys
