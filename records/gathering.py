"""Decisions become examples, with where each comes from.

Gathering is safe to run again: a picture is kept once a question, and a later decision about it replaces the answer.
What a decision teaches is said by `pipeline.lessons`, whose labels are learned from by `pipeline.trust`.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from pipeline import feedback
from pipeline.findings import Outcome
from pipeline.lessons import Decision, Lesson, lesson
from pipeline.reading import QuestionKind
from pipeline.trust import Checked, Doubt, doubts
from records.audit import event
from records.desk_tables import Case
from records.examples import as_example, expire
from records.learning_tables import LearningExample
from records.objects import Missing, ObjectStore
from records.registry import doctypes_of
from records.tables import Arrival, Finding, Review, Scan

log = structlog.get_logger(__name__)

#: Days that crops of identifiers are kept as examples after the decision, where nobody says otherwise.
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

    @property
    def stood(self) -> bool:
        """Whether the machine was sure, and people agreed."""
        sure = self.finding.outcome != "uncertain" and self.review.decision != "corrected"
        return sure and (self.finding.outcome == "pass") == (self.review.decision == "dismissed")


@dataclass(frozen=True, slots=True)
class _Taught:
    """What a decision teaches about an evidence of the manifest, and the field's definition."""

    decided: _Decided
    entry: Mapping[str, Any]
    field: Mapping[str, Any]
    lesson: Lesson


def gather(session: Session, store: ObjectStore, *, keep_days: int = KEEP_DAYS) -> Counter[str]:
    """Turns the decisions of decided cases into examples; how many were kept and, by reason, how many were not.

    What was taken back goes, and so do crops of identifiers once `keep_days` have gone by since the decision.
    """
    expire(session, store, keep_days=keep_days)
    counts: Counter[str] = Counter()
    newest = session.scalar(select(func.max(LearningExample.created_at)))
    query = select(Case).where(Case.stage == "decided").order_by(Case.decided_at, Case.scan_id)
    if newest is not None:
        lately = select(Finding.scan_id).join(Review).where(Review.decided_at > newest - OVERLAP)
        query = query.where(or_(Case.decided_at > newest - OVERLAP, Case.scan_id.in_(lately)))
    keep = timedelta(days=keep_days)
    for case in session.scalars(query).all():
        for row in _of_case(session, store, case, counts, keep):
            _write(session, row)
            counts["kept"] += 1
    _judge_reviewers(session)
    event(session, "examples.gathered", examples=counts["kept"])
    log.info("examples.gathered", examples=counts["kept"], of=counts.total())
    return counts


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


def _of_case(
    session: Session, store: ObjectStore, case: Case, counts: Counter[str], keep: timedelta
) -> Iterator[dict[str, Any]]:
    scan = session.get_one(Scan, case.scan_id)
    if scan.manifest is None or scan.manifest.get("archive") is None or scan.model_version is None:
        return
    now = session.scalars(select(func.now())).one()
    taught = [one for one in _taught(session, case, scan, counts) if not _too_old(one, keep, now, counts)]
    if not taught:
        return
    of_golden = LearningExample.document_id == case.document_id, LearningExample.golden_set_id.is_not(None)
    golden = session.scalar(select(LearningExample.id).where(*of_golden).limit(1)) is not None
    shared = {
        "document_id": case.document_id,
        "source_id": session.scalar(select(Arrival.source_id).where(Arrival.id == scan.arrival_id)),
        "model_version": scan.model_version,
        "chosen": case.cause,
        "held_out": golden or feedback.held_out(case.document_id),
    }
    try:
        with store.path(scan.manifest["archive"]) as path, zipfile.ZipFile(path) as archive:
            pictures = [archive.read(one.entry["image"]) for one in taught]
    except Missing:
        # The evidence of old scans is removed by the retention rule.
        counts["evidence gone"] += len(taught)
        return
    for one, png in zip(taught, pictures, strict=True):
        row = {**shared, **_row(one, png), "expires_at": _expires_at(one, keep)}
        try:
            as_example(LearningExample(**row))
        except ValidationError:
            counts["no example"] += 1
            continue
        if not store.exists(row["key"]):
            store.put(row["key"], png)
        yield row


def _taught(session: Session, case: Case, scan: Scan, counts: Counter[str]) -> list[_Taught]:
    manifest = scan.manifest or {}
    cuts = {(one["page"], one["field"], one["ordinal"]): one for one in manifest["evidences"]}
    types = {page["number"]: page["doctype"] for page in manifest["pages"]}
    bodies = doctypes_of(session, scan.doctypes_version or "")
    taught = []
    for one in _decisions(session, case):
        entry = cuts.get((one.finding.page, one.finding.field, one.finding.ordinal))
        body = bodies.get(types.get(one.finding.page) or "", {})
        field = next((each for each in body.get("fields", ()) if each["name"] == one.finding.field), None)
        if entry is None:
            counts["no evidence"] += 1
        elif field is None or (entry["kind"] == QuestionKind.IDENTIFIER.value and not field.get("identifier")):
            # What it holds isn't known, so it may be what nobody may learn from.
            counts["type unknown"] += 1
        elif field.get("masked") or str(field.get("identifier") or "").startswith("aadhaar"):
            counts["of an Aadhaar field"] += 1
        elif entry["faults"]:
            counts["picture in doubt"] += 1
        elif (said := _lesson(one, entry, field)) is None:
            counts["answer left open"] += 1
        else:
            taught.append(_Taught(one, entry, field, said))
    return taught


def _expires_at(one: _Taught, keep: timedelta) -> datetime | None:
    """Crops of identifiers are kept for a while after the decision; others for good."""
    identifier = one.entry["kind"] == QuestionKind.IDENTIFIER.value
    return one.decided.review.decided_at + keep if identifier else None


def _too_old(one: _Taught, keep: timedelta, now: datetime, counts: Counter[str]) -> bool:
    """Whether its time is over: what expired doesn't come back where decisions are looked at again."""
    until = _expires_at(one, keep)
    if until is None or until >= now:
        return False
    counts["kept long enough"] += 1
    return True


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
    # Which state a field was found in is kept in the sentence alone (`pipeline.checks.presence`).
    message = one.finding.message
    return lesson(
        QuestionKind(entry["kind"]),
        one.finding.check,
        Outcome(one.finding.outcome),
        decision,
        read=one.finding.value,
        corrected=one.review.value,
        seen="struck" if "is struck out" in message else "empty" if "is empty" in message else None,
        required=bool(field.get("required")),
    )


def _row(one: _Taught, png: bytes) -> dict[str, Any]:
    """The columns that are the evidence's own."""
    finding, review, said = one.decided.finding, one.decided.review, one.lesson
    name = feedback.named(png)
    return {
        "picture": Path(name).stem,
        "key": f"examples/{Path(name).name}",
        "kind": one.entry["kind"],
        "state": said.state.value,
        "value": said.value,
        "label": said.label,
        "cells": one.entry["cells"],
        "identifier": one.field.get("identifier"),
        "check": finding.check,
        "review_id": review.id,
        "reviewer": review.reviewer,
        "confirmed": one.decided.confirmed,
        "right": one.decided.stood or (said.value is not None and said.value == finding.value),
    }


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


def _last_round() -> Any:
    other = aliased(Review)
    return (
        select(func.max(other.round))
        .where(other.finding_id == Finding.id, other.withdrawn_at.is_(None))
        .scalar_subquery()
    )
