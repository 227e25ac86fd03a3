"""What reviewers taught: their decisions as examples, with where each comes from.

Gathering is safe to run again: a picture is kept once a question, and a later decision about it replaces the answer.
What may be an example is said by `pipeline.feedback`, what a decision teaches by `pipeline.lessons`, whose labels are
learned from by `pipeline.trust`.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import structlog
from pydantic import ValidationError
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from pipeline import feedback
from pipeline.feedback import Example
from pipeline.findings import Outcome
from pipeline.lessons import Decision, Lesson, lesson
from pipeline.reading import QuestionKind
from pipeline.trust import Checked, Doubt, doubts
from records.audit import event
from records.desk_tables import Case
from records.learning_tables import LearningExample
from records.objects import Missing, ObjectStore
from records.registry import doctypes_of
from records.tables import Arrival, Finding, Review, Scan

log = structlog.get_logger(__name__)

Side = Literal["train", "golden", "fresh"]

#: Days that crops of identifiers are kept as examples.
KEEP_DAYS = 365

#: Decisions are looked at again that were made so long before the newest example: they may have been on their way.
OVERLAP = timedelta(days=1)

#: The last round is a supervisor's.
SUPERVISOR = 3


@dataclass(frozen=True, slots=True)
class _Decided:
    """The decision that counts on a finding, and whether somebody else said the same."""

    finding: Finding
    review: Review
    confirmed: bool


def gather(session: Session, store: ObjectStore, *, keep_days: int = KEEP_DAYS) -> Counter[str]:
    """Turns the decisions of decided cases into examples; how many were kept and, by reason, how many were not.

    What was taken back goes, and so do crops of identifiers that were kept for `keep_days`.
    """
    expire(session, store)
    counts: Counter[str] = Counter()
    newest = session.scalar(select(func.max(LearningExample.created_at)))
    query = select(Case).where(Case.stage == "decided").order_by(Case.decided_at, Case.scan_id)
    if newest is not None:
        lately = select(Finding.scan_id).join(Review).where(Review.decided_at > newest - OVERLAP)
        query = query.where(or_(Case.decided_at > newest - OVERLAP, Case.scan_id.in_(lately)))
    until = session.scalar(select(func.now())) or datetime.now().astimezone()
    for case in session.scalars(query).all():
        for row in _of_case(session, store, case, counts):
            if row["kind"] == QuestionKind.IDENTIFIER.value:
                row["expires_at"] = until + timedelta(days=keep_days)
            _write(session, row)
            counts["kept"] += 1
    _judge_reviewers(session)
    event(session, "examples.gathered", examples=counts["kept"])
    log.info("examples.gathered", examples=counts["kept"], of=counts.total())
    return counts


def expire(session: Session, store: ObjectStore) -> int:
    """Removes examples that were taken back or kept long enough, with their pictures; how many."""
    gone = session.execute(
        delete(LearningExample)
        .where(
            or_(
                LearningExample.expires_at < func.now(),
                LearningExample.golden_set_id.is_(None)
                & LearningExample.review_id.in_(select(Review.id).where(Review.withdrawn_at.is_not(None))),
            )
        )
        .returning(LearningExample.key)
    ).all()
    still = set(session.scalars(select(LearningExample.key).where(LearningExample.key.in_([one.key for one in gone]))))
    for key in {one.key for one in gone} - still:
        store.delete(key)
    return len(gone)


def write_folder(session: Session, store: ObjectStore, folder: Path, side: Side) -> int:
    """Writes the examples of a side as a folder of feedback (`docs/feedback.md`); how many.

    `train` is what may be learned from, `golden` what versions are compared by, `fresh` what was held out besides.
    Whatever was set aside is in none but the golden set, which it can't be in.
    """
    rows = session.scalars(select(LearningExample).where(*_of_side(side)).order_by(LearningExample.id)).all()
    count = 0
    for row in rows:
        try:
            data = store.get(row.key)
        except Missing:
            log.error("example.picture_missing", number=row.id)
            continue
        feedback.add(folder, as_example(row), data)
        count += 1
    return count


def as_example(row: LearningExample) -> Example:
    """A row as `pipeline.feedback` has it."""
    return Example.model_validate(
        {
            "file_name": f"{feedback.PICTURES}/{row.picture}.png",
            "kind": row.kind,
            "state": row.state,
            "value": row.value,
            "label": row.label,
            "cells": row.cells,
            "identifier": row.identifier,
            "check": row.check,
            "document": row.document_id,
            "review": str(row.review_id),
            "model_version": row.model_version,
        }
    )


def counted(session: Session) -> dict[str, dict[str, int]]:
    """How many examples there are, by defect class: to learn from (`train`), `golden`, `fresh`, and `set_aside`."""
    told: dict[str, dict[str, int]] = {}
    sides: list[tuple[str, Collection[Any]]] = [(side, _of_side(side)) for side in ("train", "golden", "fresh")]
    sides.append(("set_aside", (LearningExample.set_aside.is_not(None),)))
    for name, condition in sides:
        rows = session.execute(select(LearningExample.check, func.count()).where(*condition).group_by("check"))
        for check, count in rows:
            told.setdefault(check, {})[name] = count
    return dict(sorted(told.items()))


def reviewers(session: Session) -> list[Doubt]:
    """Reviewers and sources whose labels disagree beyond chance with what was confirmed."""
    first = select(Review).where(Review.round == 1, Review.withdrawn_at.is_(None)).subquery()
    rows = session.execute(
        select(
            Finding.check,
            Arrival.source_id,
            first.c.reviewer,
            (first.c.decision == Review.decision) & (first.c.value.is_not_distinct_from(Review.value)),
        )
        .join(first, first.c.finding_id == Review.finding_id)
        .join(Finding, Finding.id == Review.finding_id)
        .join(Scan, Scan.id == Finding.scan_id)
        .join(Arrival, Arrival.id == Scan.arrival_id)
        .where(Review.withdrawn_at.is_(None), Review.round == _last_round())
        .where(Review.round > 1)
    )
    return doubts(Checked(row[2], row[1], row[0], bool(row[3])) for row in rows)


def _judge_reviewers(session: Session) -> None:
    """Sets aside what comes of labels that can't be trusted, and takes back in what can be again."""
    session.execute(update(LearningExample).where(LearningExample.set_aside.is_not(None)).values(set_aside=None))
    for one in reviewers(session):
        theirs = (
            LearningExample.reviewer == one.who if one.what == "reviewer" else LearningExample.source_id == int(one.who)
        )
        session.execute(
            update(LearningExample)
            .where(theirs, LearningExample.check == one.check, ~LearningExample.confirmed)
            .values(set_aside=str(one))
        )
        log.warning("examples.set_aside", check=one.check, examples=one.labels, number=one.wrong)


def _of_side(side: str) -> tuple[Any, ...]:
    if side == "golden":
        return (LearningExample.golden_set_id.is_not(None),)
    held: Any = LearningExample.held_out if side == "fresh" else ~LearningExample.held_out
    return (held, LearningExample.golden_set_id.is_(None), LearningExample.set_aside.is_(None))


def _last_round() -> Any:
    other = aliased(Review)
    return (
        select(func.max(other.round))
        .where(other.finding_id == Finding.id, other.withdrawn_at.is_(None))
        .scalar_subquery()
    )


def _of_case(session: Session, store: ObjectStore, case: Case, counts: Counter[str]) -> Iterator[dict[str, Any]]:
    scan = session.get_one(Scan, case.scan_id)
    manifest = scan.manifest
    if manifest is None or manifest.get("archive") is None or scan.model_version is None:
        return
    cuts = {(one["page"], one["field"], one["ordinal"]): one for one in manifest["evidences"]}
    types = {page["number"]: page["doctype"] for page in manifest["pages"]}
    bodies = doctypes_of(session, scan.doctypes_version or "")
    source = session.scalar(select(Arrival.source_id).where(Arrival.id == scan.arrival_id))
    taught = []
    for one in _decisions(session, case):
        entry = cuts.get((one.finding.page, one.finding.field, one.finding.ordinal))
        if entry is None:
            counts["no evidence"] += 1
            continue
        field = _field(bodies.get(types.get(one.finding.page) or ""), one.finding.field)
        if not field or (entry["kind"] == QuestionKind.IDENTIFIER.value and not field.get("identifier")):
            # What it holds isn't known, so it may be what nobody may learn from.
            counts["type unknown"] += 1
            continue
        if entry["faults"]:
            counts["picture in doubt"] += 1
            continue
        said = _lesson(one, entry, field)
        if said is None:
            counts["answer left open"] += 1
        elif field.get("masked") or str(field.get("identifier") or "").startswith("aadhaar"):
            counts["of an Aadhaar field"] += 1
        else:
            taught.append((one, entry, field, said))
    if not taught:
        return
    golden = bool(
        session.scalar(
            select(
                select(LearningExample.id)
                .where(LearningExample.document_id == case.document_id, LearningExample.golden_set_id.is_not(None))
                .exists()
            )
        )
    )
    try:
        with store.path(manifest["archive"]) as path, zipfile.ZipFile(path) as archive:
            for one, entry, field, said in taught:
                yield from _row(
                    store, case, scan, source, one, entry, field, said, archive.read(entry["image"]), counts, golden
                )
    except Missing:
        # The evidence of old scans is removed by the retention rule.
        counts["evidence gone"] += len(taught)


def _decisions(session: Session, case: Case) -> list[_Decided]:
    rows = session.execute(
        select(Finding, Review)
        .join(Review, Review.finding_id == Finding.id)
        .where(Finding.id.in_(list(case.asked)), Review.withdrawn_at.is_(None))
        .order_by(Finding.id, Review.round)
    ).all()
    by_finding: dict[int, list[tuple[Finding, Review]]] = {}
    for finding, review in rows:
        by_finding.setdefault(finding.id, []).append((finding, review))
    decided = []
    for each in by_finding.values():
        finding, last = each[-1]
        agreed = any(
            other.reviewer != last.reviewer and (other.decision, other.value) == (last.decision, last.value)
            for _, other in each[:-1]
        )
        decided.append(_Decided(finding, last, agreed or last.round == SUPERVISOR))
    return decided


def _lesson(one: _Decided, entry: Mapping[str, Any], field: Mapping[str, Any]) -> Lesson | None:
    decision: Decision = one.review.decision  # type: ignore[assignment]
    return lesson(
        QuestionKind(entry["kind"]),
        one.finding.check,
        Outcome(one.finding.outcome),
        decision,
        read=one.finding.value,
        corrected=one.review.value,
        seen="struck"
        if "is struck out" in one.finding.message
        else "empty"
        if "is empty" in one.finding.message
        else None,
        required=bool(field.get("required")),
    )


def _row(
    store: ObjectStore,
    case: Case,
    scan: Scan,
    source: int | None,
    one: _Decided,
    entry: Mapping[str, Any],
    field: Mapping[str, Any],
    said: Lesson,
    png: bytes,
    counts: Counter[str],
    golden: bool,
) -> Iterator[dict[str, Any]]:
    name = feedback.named(png)
    passed, dismissed = one.finding.outcome == "pass", one.review.decision == "dismissed"
    stood = one.finding.outcome != "uncertain" and one.review.decision != "corrected" and passed == dismissed
    row = {
        "picture": Path(name).stem,
        "key": f"examples/{Path(name).name}",
        "kind": entry["kind"],
        "state": said.state.value,
        "value": said.value,
        "label": said.label,
        "cells": entry["cells"],
        "identifier": field.get("identifier"),
        "check": one.finding.check,
        "document_id": case.document_id,
        "source_id": source,
        "review_id": one.review.id,
        "reviewer": one.review.reviewer,
        "confirmed": one.confirmed,
        "model_version": scan.model_version,
        "right": stood or (said.value is not None and said.value == one.finding.value),
        "chosen": case.cause,
        "held_out": feedback.held_out(case.document_id) or golden,
    }
    try:
        as_example(LearningExample(**row))
    except ValidationError:
        counts["no example"] += 1
        return
    if not store.exists(row["key"]):
        store.put(row["key"], png)
    yield row


def _field(body: Mapping[str, Any] | None, name: str | None) -> Mapping[str, Any]:
    fields: Sequence[Mapping[str, Any]] = (body or {}).get("fields", ())
    return next((one for one in fields if one.get("name") == name), {})


def _write(session: Session, row: Mapping[str, Any]) -> None:
    """A golden example keeps its answer; of others the later decision counts."""
    statement = upsert(LearningExample).values(**row)
    changed: dict[str, Any] = {name: statement.excluded[name] for name in row if name not in ("picture", "kind")}
    # A document of the former owner may have been held out: its picture is learned from by nobody.
    changed["held_out"] = or_(LearningExample.held_out, statement.excluded.held_out)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["picture", "kind"], set_=changed, where=LearningExample.golden_set_id.is_(None)
        )
    )
