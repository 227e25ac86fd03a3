"""Evidence of a scan with what a person taught about it, as rows of examples.

What holds for every example is decided here, whoever taught it: nothing of an Aadhaar field, no picture in doubt, a
document with all its pictures on one side, crops of identifiers for a while only.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline import feedback
from pipeline.lessons import Lesson
from pipeline.reading import QuestionKind
from records.examples import as_example
from records.learning_tables import LearningExample
from records.objects import Missing, ObjectStore
from records.registry import doctypes_of
from records.tables import Arrival, Scan


@dataclass(frozen=True, slots=True)
class Cut:
    """An evidence as the manifest has it, with the definition of its field and the name of its document type."""

    entry: Mapping[str, Any]
    field: Mapping[str, Any]
    document_type: str


@dataclass(frozen=True, slots=True)
class Taught:
    """What somebody taught about an evidence. It comes of a review or of a label, by their ids; `confirmed`: another
    person said the same, blind; `right`: so did the model."""

    cut: Cut
    lesson: Lesson
    check: str
    by: str
    at: datetime
    right: bool
    confirmed: bool = False
    review_id: int | None = None
    label_id: int | None = None

    def expires_at(self, keep: timedelta) -> datetime | None:
        """Crops of identifiers are kept for a while after they were taught; others for good."""
        return self.at + keep if self.cut.entry["kind"] == QuestionKind.IDENTIFIER.value else None


class Cuts:
    """The evidences of a scan that may be learned from, by where they were cut."""

    def __init__(self, session: Session, scan: Scan) -> None:
        manifest = scan.manifest or {"evidences": (), "pages": ()}
        self._entries = {(one["page"], one["field"], one["ordinal"]): one for one in manifest["evidences"]}
        self._types = {page["number"]: page["doctype"] for page in manifest["pages"]}
        self._bodies = doctypes_of(session, scan.doctypes_version or "")

    def ordinals(self, page: int, field: str) -> list[int]:
        """Of the evidences that were cut for a field on a page."""
        return sorted(ordinal for on, name, ordinal in self._entries if (on, name) == (page, field))

    def at(self, page: int, field: str | None, ordinal: int, counts: Counter[str]) -> Cut | None:
        """The evidence, or None where it must not be learned from; why is counted."""
        entry = self._entries.get((page, field, ordinal))
        key = self._types.get(page) or ""
        fields = self._bodies.get(key, {}).get("fields", ())
        known = next((each for each in fields if each["name"] == field), None)
        if entry is None:
            counts["no evidence"] += 1
        elif known is None or (entry["kind"] == QuestionKind.IDENTIFIER.value and not known.get("identifier")):
            # What it holds isn't known, so it may be what nobody may learn from.
            counts["type unknown"] += 1
        elif known.get("masked") or str(known.get("identifier") or "").startswith("aadhaar"):
            counts["of an Aadhaar field"] += 1
        elif entry["faults"]:
            counts["picture in doubt"] += 1
        else:
            return Cut(entry, known, key.partition("@")[0])
        return None


def usable(scan: Scan) -> bool:
    """Whether the scan has evidence at all, and a version that answered about it."""
    return scan.manifest is not None and scan.manifest.get("archive") is not None and scan.model_version is not None


def rows(
    session: Session,
    store: ObjectStore,
    scan: Scan,
    every: Sequence[Taught],
    chosen: str,
    keep: timedelta,
    counts: Counter[str],
) -> Iterator[dict[str, Any]]:
    """The examples that come of it, their pictures stored. `chosen` says why the document was looked at; `keep` is for
    crops of identifiers, and what expired doesn't come back."""
    now = session.scalars(select(func.now())).one()
    fresh = [one for one in every if (until := one.expires_at(keep)) is None or until >= now]
    if late := len(every) - len(fresh):
        counts["kept long enough"] += late
    if not fresh or scan.manifest is None:
        return
    of_golden = LearningExample.document_id == scan.document_id, LearningExample.golden_set_id.is_not(None)
    golden = session.scalar(select(LearningExample.id).where(*of_golden).limit(1)) is not None
    shared = {
        "document_id": scan.document_id,
        "source_id": session.scalar(select(Arrival.source_id).where(Arrival.id == scan.arrival_id)),
        "model_version": scan.model_version,
        "chosen": chosen,
        "held_out": golden or feedback.held_out(scan.document_id),
    }
    try:
        with store.path(scan.manifest["archive"]) as path, zipfile.ZipFile(path) as archive:
            pictures = [archive.read(one.cut.entry["image"]) for one in fresh]
    except Missing:
        # The evidence of old scans is removed by the retention rule.
        counts["evidence gone"] += len(fresh)
        return
    for one, kept in zip(fresh, pictures, strict=True):
        try:
            png = feedback.as_asked(kept, one.cut.field)
            row = {**shared, **_columns(one, png), "expires_at": one.expires_at(keep)}
            as_example(LearningExample(**row))
        except ValueError:
            # One picture or answer that is none must not hold up what others taught.
            counts["no example"] += 1
            continue
        if not store.exists(row["key"]):
            store.put(row["key"], png)
        yield row


def _columns(one: Taught, png: bytes) -> dict[str, Any]:
    """The columns that are the evidence's own."""
    name = feedback.named(png)
    return {
        "picture": Path(name).stem,
        "key": f"examples/{Path(name).name}",
        "kind": one.cut.entry["kind"],
        "state": one.lesson.state.value,
        "value": one.lesson.value,
        "label": one.lesson.label,
        "cells": one.cut.entry["cells"],
        "identifier": one.cut.field.get("identifier"),
        "check": one.check,
        "review_id": one.review_id,
        "label_id": one.label_id,
        "reviewer": one.by,
        "confirmed": one.confirmed,
        "right": one.right,
    }
