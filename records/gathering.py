"""Decisions and labels become examples, with where each comes from.

Gathering is safe to run again: a picture is kept once a question, and a later decision or label about it replaces the
answer. What they teach is said by `pipeline.lessons`, whose word is learned from by `pipeline.trust`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from pipeline.findings import Outcome
from pipeline.lessons import Decision, Lesson, lesson
from pipeline.reading import QuestionKind
from pipeline.trust import Checked, Doubt, doubts
from records import label_lessons
from records.audit import event
from records.desk_tables import Case
from records.examples import expire
from records.learning_tables import LearningExample
from records.objects import ObjectStore
from records.tables import Arrival, Finding, Review, Scan
from records.taught import Cuts, Taught, rows, usable

log = structlog.get_logger(__name__)

#: Days that crops of identifiers are kept as examples after the decision, where nobody says otherwise.
KEEP_DAYS = 365

#: Decisions are looked at again that were made so long before the newest example: they may have been on their way.
OVERLAP = timedelta(days=1)

#: Before everything that people have said.
FIRST = datetime.min.replace(tzinfo=UTC)

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


def gather(session: Session, store: ObjectStore, *, keep_days: int = KEEP_DAYS) -> Counter[str]:
    """Turns the decisions of decided cases and the labels that count into examples; how many were kept and, by reason,
    how many were not.

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
    cases, labels = session.scalars(query).all(), label_lessons.newest(session, OVERLAP)
    # In the order in which people said it, so that of two about the same picture the later one counts.
    taught = [(one.decided_at or FIRST, _of_case(session, store, one, counts, keep)) for one in cases]
    taught += [(one.labelled_at, label_lessons.examples(session, store, one, keep, counts)) for one in labels]
    for _, given in sorted(taught, key=lambda one: one[0]):
        for row in given:
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
    if usable(scan):
        yield from rows(session, store, scan, _taught(session, case, scan, counts), case.cause, keep, counts)


def _taught(session: Session, case: Case, scan: Scan, counts: Counter[str]) -> list[Taught]:
    cuts = Cuts(session, scan)
    taught = []
    for one in _decisions(session, case):
        finding, review = one.finding, one.review
        cut = cuts.at(finding.page, finding.field, finding.ordinal, counts)
        if cut is None:
            continue
        said = _lesson(one, cut.entry, cut.field)
        if said is None:
            counts["answer left open"] += 1
            continue
        right = one.stood or (said.value is not None and said.value == finding.value)
        taught.append(
            Taught(
                cut, said, finding.check, review.reviewer, review.decided_at, right, one.confirmed, review_id=review.id
            )
        )
    return taught


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


def _write(session: Session, row: Mapping[str, Any]) -> None:
    """A golden example keeps its answer; of others the later word counts, but a label is one person's and not more than
    what two have agreed on."""
    statement = upsert(LearningExample).values(**row)
    changed: dict[str, Any] = {name: statement.excluded[name] for name in row if name not in ("picture", "kind")}
    # A document of the former owner may have been held out: its picture is learned from by nobody.
    changed["held_out"] = or_(LearningExample.held_out, statement.excluded.held_out)
    free = LearningExample.golden_set_id.is_(None) & (~LearningExample.confirmed | (row["label_id"] is None))
    session.execute(statement.on_conflict_do_update(index_elements=["picture", "kind"], set_=changed, where=free))


def _last_round() -> Any:
    other = aliased(Review)
    return (
        select(func.max(other.round))
        .where(other.finding_id == Finding.id, other.withdrawn_at.is_(None))
        .scalar_subquery()
    )
