"""Labelled documents go the whole way, and what became of each is written down beside them, in `trials.jsonl`.

From these records bounds and reports are counted, again and again, by `docvigil models calibrate` and `evaluate`; only
documents not yet tried by the present model, checks and document type are scanned. No value that was read stands there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

import structlog
from rapidfuzz.distance import Levenshtein

from docvigil import judgement, wiring
from docvigil.measure import CHOICES, LABELS, labels
from docvigil.settings import Settings
from models.checkpoint import digest
from pipeline.checks import Context
from pipeline.doctypes.schema import DocumentType, FieldKind
from pipeline.endorsers import Endorser
from pipeline.evidence import is_masked
from pipeline.findings import Finding
from pipeline.locate import Atlas
from pipeline.missed import QUARANTINED, Trial
from pipeline.pages import BadFile, Limits, render
from pipeline.questions import Reading
from pipeline.reading import Reader
from pipeline.register import read_csv
from pipeline.scan import instances, judge, look, read
from pipeline.verdict import Thresholds
from records.canonical import digest as canonical
from records.registry import type_digest

log = structlog.get_logger(__name__)

#: What became of each document of a folder, and who may endorse there.
FILE, ENDORSERS = "trials.jsonl", "endorsers.csv"

#: Every pass counts: thresholds are applied when trials are counted.
NO_THRESHOLDS = Thresholds(default_clear=0.0)


@dataclass(frozen=True, slots=True)
class FieldTrial:
    """What the model said of one field: `there` is the truth, `told` the model's word on it, None where the field was
    not found on its page. `right` is about state and value, `confidence` the probability of it that the model gave.
    `edits` and `letters` are the distance from what was read to what stands there, and the length of that."""

    name: str
    kind: str
    page: int
    there: bool
    told: bool | None
    right: bool
    confidence: float
    edits: int | None = None
    letters: int | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial with what it was made by: digests of the label, the model and the document type, the version of the
    checks, and the day it was judged on."""

    trial: Trial
    label: str
    model: str
    rules: str
    document_type: str
    type_digest: str
    judged_on: str
    fields: tuple[FieldTrial, ...]

    def as_json(self) -> dict[str, Any]:
        """As it stands on a line of trials.jsonl; each field is a list in the order of `FieldTrial`."""
        one = self.trial
        trial = {"document": one.document, "defects": sorted(one.defects), "raised": sorted(one.raised)}
        sure = {check: round(value, 6) for check, value in sorted(one.sure.items())}
        rest = {name: value for name, value in asdict(self).items() if name not in ("trial", "fields")}
        return {**trial, "sure": sure, **rest, "fields": [list(astuple(each)) for each in self.fields]}

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Self:
        """Raises KeyError or TypeError for what is no such line."""
        rest = dict(line)
        fields = tuple(FieldTrial(*each) for each in rest.pop("fields"))
        defects, raised = frozenset(rest.pop("defects")), frozenset(rest.pop("raised"))
        return cls(Trial(rest.pop("document"), defects, raised, rest.pop("sure")), fields=fields, **rest)


@dataclass(frozen=True)
class Bench:
    """What documents are tried with."""

    reader: Reader
    atlas: Atlas
    limits: Limits
    model: str
    rules: str
    types: Mapping[str, str]
    skip_blank: bool = False

    @classmethod
    def opened(cls, chosen: Settings) -> Self:
        """As the settings say. Imports torch."""
        return cls(
            wiring.reader(chosen),
            wiring.atlas(chosen),
            wiring.limits(chosen),
            *versions(chosen),
            skip_blank=chosen.blank_pages == "skip",
        )


def versions(chosen: Settings) -> tuple[str, str, dict[str, str]]:
    """What trials are made by today: the model, the checks, and each document type by its name."""
    return digest(judgement.model_folder(chosen)), judgement.checks_version(chosen), type_digests(chosen)


def type_digests(chosen: Settings) -> dict[str, str]:
    """A digest of each document type, all its editions together."""
    editions: dict[str, list[DocumentType]] = {}
    for one in wiring.document_types(chosen):
        editions.setdefault(one.name, []).append(one)
    return {name: canonical(sorted(map(type_digest, each)))[:16] for name, each in sorted(editions.items())}


def tried(
    folders: Sequence[Path],
    chosen: Settings,
    *,
    processes: int = 1,
    on: date | None = None,
    bench: Bench | None = None,
) -> Iterator[Tried]:
    """A trial of every labelled document of the folders, each content once; recorded ones first, then new ones as they
    are made and written down. `on` is the day the documents are judged as of where their labels name none.

    Raises ValueError for folders without sound labels, and OSError for files that can't be read or written.
    """
    model, rules, types = (bench.model, bench.rules, bench.types) if bench is not None else versions(chosen)
    seen: set[str] = set()
    waiting: list[tuple[Path, dict[str, Any]]] = []
    for folder in folders:
        known = {(one.trial.document, one.label): one for one in recorded(folder)}
        for document in labels(folder):
            content = hashlib.sha256((folder / document["path"]).read_bytes()).hexdigest()
            if content in seen:
                continue
            seen.add(content)
            document |= {"document": content, "label": label_digest(document), "on": _day(document, on, folder)}
            found = known.get((content, document["label"]))
            made_by = (model, rules, types.get(document["document_type"], ""), document["on"])
            if found and (found.model, found.rules, found.type_digest, found.judged_on) == made_by:
                yield found
            else:
                waiting.append((folder, document))
    if not waiting:
        return
    if processes == 1 or len(waiting) == 1:
        own = bench or Bench.opened(chosen)
        yield from (_written(folder, _in_folder(own, folder, document)) for folder, document in waiting)
        return
    alone = chosen.model_copy(update={"model_threads": chosen.model_threads or 1})
    with get_context("spawn").Pool(processes, initializer=_open, initargs=(alone,)) as pool:
        for folder, one in pool.imap_unordered(_in_pool, waiting):
            yield _written(folder, one)


def recorded(folder: Path) -> list[Tried]:
    """The trials written down in a folder; the last line of a run that was cut off counts for nothing."""
    path = folder / FILE
    if not path.exists():
        return []
    found, lines = [], path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            found.append(Tried.of(json.loads(line)))
        except (KeyError, TypeError, ValueError) as wrong:
            if number < len(lines):
                log.warning("trial.unreadable", line=number, error=type(wrong).__name__)
    return found


def tried_one(path: Path, document: Mapping[str, Any], bench: Bench, endorsers: Sequence[Endorser]) -> Tried:
    """One labelled document (as of `docvigil.measure.labels`, with its digests) the whole way."""
    context = Context(date.fromisoformat(document["on"]), endorsers, NO_THRESHOLDS, bench.skip_blank)
    name = document["document_type"]
    try:
        findings, found = _scanned(path, bench, context, name)
        trial = Trial.of(document["document"], document["defects"], findings)
    except BadFile:
        # A person looks at what can't be scanned, so nothing is missed.
        found = {}
        trial = Trial(document["document"], frozenset(document["defects"]), frozenset([QUARANTINED]), {})
    return Tried(
        trial,
        label=document["label"],
        model=bench.model,
        rules=bench.rules,
        document_type=name,
        type_digest=bench.types.get(name, ""),
        judged_on=document["on"],
        fields=tuple(_field(one, found.get((one["page"], one["name"]))) for one in document["fields"]),
    )


def _scanned(
    path: Path, bench: Bench, context: Context, name: str
) -> tuple[list[Finding], dict[tuple[int, str], Reading]]:
    """The findings of a file, and the readings of the fields of its type, by page in the file and name."""
    looked = [look(page, bench.atlas) for page in render(path, bench.limits)]
    qualities = {one.location.page: one.quality for one in looked}
    context = replace(context, skip_blank=context.skip_blank and not all(one.blank for one in qualities.values()))
    findings: list[Finding] = []
    found: dict[tuple[int, str], Reading] = {}
    for form, evidence in instances(looked):
        readings = read(evidence, form.doctype, bench.reader)
        findings += judge(form, readings, qualities, context)
        if form.doctype is not None and form.doctype.name == name:
            found |= {(one.evidence.page, one.evidence.field): one for one in readings if one.field is not None}
    return findings, found


def _field(label: Mapping[str, Any], found: Reading | None) -> FieldTrial:
    wanted, kind = label["value"], FieldKind(label["kind"])
    there = wanted is not None
    if found is None or found.field is None:
        return FieldTrial(label["name"], kind.value, label["page"], there, None, False, 0.0)
    if wanted is not None and is_masked(found.field):
        wanted = wanted[-4:]
    read_out = kind not in CHOICES and wanted is not None
    right = found.filled == there and (not read_out or found.value == wanted)
    return FieldTrial(
        label["name"],
        kind.value,
        label["page"],
        there,
        found.filled,
        right,
        round(found.confidence, 6),
        Levenshtein.distance(wanted or "", found.value or "") if read_out else None,
        len(wanted or "") if read_out else None,
    )


def label_digest(document: Mapping[str, Any]) -> str:
    """Changes with what a label says of a document."""
    return canonical({"type": document["document_type"], "fields": document["fields"], "defects": document["defects"]})[
        :16
    ]


def _day(document: Mapping[str, Any], on: date | None, folder: Path) -> str:
    """The day of the label; else the one given; else the day the labels were written."""
    if document["on"] is not None:
        return str(document["on"])
    return (on or datetime.fromtimestamp((folder / LABELS).stat().st_mtime, UTC).date()).isoformat()


def _in_folder(bench: Bench, folder: Path, document: Mapping[str, Any]) -> Tried:
    register = folder / ENDORSERS
    endorsers = tuple(read_csv(register)) if register.exists() else ()
    return tried_one(folder / document["path"], document, bench, endorsers)


def _written(folder: Path, one: Tried) -> Tried:
    with (folder / FILE).open("ab+") as file:
        # A run that was cut off may have left half a line.
        if file.tell():
            file.seek(-1, os.SEEK_END)
        begun = file.read(1) not in (b"", b"\n")
        file.write(b"\n" * begun + json.dumps(one.as_json()).encode() + b"\n")
    return one


_settings: Settings


def _open(chosen: Settings) -> None:
    # A process that fails here is started again for ever; one that fails at its first document says why.
    global _settings
    _settings = chosen


@cache
def _bench() -> Bench:
    return Bench.opened(_settings)


def _in_pool(given: tuple[Path, dict[str, Any]]) -> tuple[Path, Tried]:
    return given[0], _in_folder(_bench(), *given)
