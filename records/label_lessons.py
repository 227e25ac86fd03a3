"""What labels teach: of each field that somebody labelled, the evidence that was cut there and what stands in it.

A label is of a document and not of pictures, so it teaches only where a picture shows what it speaks of: the same type
of form, the same field on the same page, and the box that the machine cut, or one that is nearly the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.findings import Outcome
from pipeline.geometry import Box
from pipeline.lessons import labelled
from pipeline.reading import AnswerState, QuestionKind
from records.labels import Label
from records.learning_tables import LearningExample
from records.objects import ObjectStore
from records.privacy import CROSSED_OUT
from records.tables import Finding, Scan
from records.taught import Cuts, Taught, rows, usable

#: A box that was drawn anew shows the same place where it shares so much with the one that was cut.
SAME_PLACE = 0.5


def newest(session: Session, overlap: timedelta) -> list[Label]:
    """The labels that count, those of a document's newest, and that may not have been gathered yet."""
    gathered = session.scalar(select(func.max(LearningExample.created_at)).where(LearningExample.label_id.is_not(None)))
    counting = select(func.max(Label.id)).group_by(Label.document_id)
    query = select(Label).where(Label.id.in_(counting)).order_by(Label.labelled_at, Label.id)
    if gathered is not None:
        query = query.where(Label.labelled_at > gathered - overlap)
    return list(session.scalars(query))


def examples(
    session: Session, store: ObjectStore, label: Label, keep: timedelta, counts: Counter[str]
) -> Iterator[dict[str, Any]]:
    """The examples that a label gives, of the document's newest scan that is done."""
    scan = session.scalar(
        select(Scan)
        .where(Scan.document_id == label.document_id, Scan.verdict.in_(("clear", "flagged")))
        .order_by(Scan.number.desc())
        .limit(1)
    )
    if scan is None or not usable(scan):
        counts["no evidence"] += len(label.fields)
        return
    yield from rows(session, store, scan, _taught(session, label, scan, counts), "labelled", keep, counts)


def _taught(session: Session, label: Label, scan: Scan, counts: Counter[str]) -> list[Taught]:
    cuts = Cuts(session, scan)
    found: dict[tuple[int, str | None, int], list[Finding]] = {}
    for finding in session.scalars(select(Finding).where(Finding.scan_id == scan.id).order_by(Finding.id)):
        found.setdefault((finding.page, finding.field, finding.ordinal), []).append(finding)
    defects = {(one["page"], one["field"]): str(one["check"]) for one in label.defects}
    taught = []
    for one in label.fields:
        place = (int(one["page"]), str(one["name"]))
        ordinals = cuts.ordinals(*place)
        if len(ordinals) > 1:
            # Nobody knows which of them was meant.
            counts["cut more than once"] += 1
            continue
        ordinal = ordinals[0] if ordinals else 0
        cut = cuts.at(*place, ordinal, counts)
        if cut is None:
            continue
        lesson = labelled(QuestionKind(cut.entry["kind"]), one["value"], defects.get(place))
        if cut.document_type != label.document_type or cut.entry["kind"] != one["kind"]:
            counts["taken for another form"] += 1
        elif not _shown(cut.entry, one):
            counts["cut elsewhere"] += 1
        elif lesson is None or CROSSED_OUT in (one["value"] or ""):
            counts["answer left open"] += 1
        else:
            said = lesson.lesson
            taught.append(
                Taught(
                    cut,
                    said,
                    lesson.check,
                    label.labelled_by,
                    label.labelled_at,
                    right=_right(found.get((*place, ordinal), ()), said.state, said.value),
                    label_id=label.id,
                )
            )
    return taught


def _shown(entry: Mapping[str, Any], field: Mapping[str, Any]) -> bool:
    """Whether the picture shows the place that the label is of."""
    if field["box"] is None:
        return True
    return Box.of(entry["box"]).overlap(Box.of(field["box"])) >= SAME_PLACE


def _right(found: Any, state: AnswerState, value: str | None) -> bool:
    """Whether the machine saw what the label says: the value that it read, or that something is there or not."""
    if value is not None:
        return any(one.value == value for one in found)
    there = all(one.outcome == Outcome.PASS for one in found)
    missing = all(one.outcome == Outcome.ANOMALY for one in found if one.check.endswith(".missing"))
    return there if state is AnswerState.PRESENT else missing
