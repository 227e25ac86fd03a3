"""Defects that the machine did not see: reported by people, counted in the bound, and looked for elsewhere.

A miss is reported by hand, or comes of confirming the doubt that a drawn, selected or reopened document was shown with.
Where it was found decides its weight: one over the probability that anybody looked, and none where somebody chose to.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from pipeline.desk import DeskRules, shown_risk
from pipeline.findings import CHECKS
from pipeline.geometry import Box
from records.audit import event
from records.desk_tables import Case, Miss
from records.miss_words import Labelled, Lookalike, MissView
from records.privacy import masked
from records.queue import box_of
from records.tables import Arrival, Document, Finding, Review, Scan, Source
from records.words import Refused

#: Why somebody chose to look at a clear document: nobody can tell how likely that was.
CHOSEN = ("selected", "reopened")


def report(
    session: Session,
    document_id: str,
    *,
    reporter: str,
    page: int,
    check: str,
    box: Box | None = None,
    field: str | None = None,
    note: str | None = None,
) -> MissView:
    """Write down a defect that no finding of the newest scan tells of. Raises LookupError and Refused."""
    if check not in CHECKS:
        raise Refused(f"there is no check {check!r}; known are {', '.join(CHECKS)}")
    if page < 1:
        raise Refused("pages count from 1")
    one = session.execute(
        select(Document.status, Document.scan_id).where(Document.id == document_id).with_for_update(key_share=True)
    ).one_or_none()
    if one is None:
        raise LookupError(f"there is no document {document_id}")
    if one.status not in ("clear", "flagged"):
        raise Refused(f"document {document_id[:12]} has no verdict of the machine that could have missed anything")
    case = session.execute(select(Case.cause, Case.probability).where(Case.scan_id == one.scan_id)).one_or_none()
    chance = None if case is None or case.cause in CHOSEN else case.probability
    miss = session.scalars(
        insert(Miss)
        .values(
            scan_id=one.scan_id,
            document_id=document_id,
            page=page,
            field=field,
            check=check,
            box=None if box is None else box.as_list(),
            note=None if note is None else masked(note),
            probability=chance,
            reporter=reporter,
        )
        .returning(Miss)
    ).one()
    event(session, "miss.reported", document_id, actor=reporter, miss=miss.id, scan=one.scan_id, check=check)
    return _view(miss)


def withdraw(session: Session, miss_id: int, *, reporter: str, supervisor: bool = False) -> None:
    """Take back a report: one's own, or as a supervisor anybody's. Raises LookupError and Refused."""
    miss = session.scalars(select(Miss).where(Miss.id == miss_id).with_for_update()).one_or_none()
    if miss is None or miss.withdrawn_at is not None:
        raise LookupError(f"there is no report {miss_id} of a missed defect")
    if miss.reporter != reporter and not supervisor:
        raise Refused("somebody else reported this defect; a supervisor can take it back")
    session.execute(update(Miss).where(Miss.id == miss_id).values(withdrawn_at=func.now()))
    event(session, "miss.withdrawn", miss.document_id, actor=reporter, miss=miss_id)


def confirmed(session: Session, case: Case) -> None:
    """Of a case that is decided: each pass that was doubted and found to be a defect is a miss."""
    decided = (
        select(Finding, Review.reviewer)
        .join(Review, Review.finding_id == Finding.id)
        .where(Finding.id == func.any(list(case.asked)), Finding.outcome == "pass")
        .where(Review.withdrawn_at.is_(None), Review.decision == "confirmed", ~_higher_round())
    )
    for row in session.execute(decided).all():
        one = row.Finding
        miss = session.scalar(
            insert(Miss)
            .values(
                scan_id=case.scan_id,
                document_id=case.document_id,
                page=one.page,
                field=one.field,
                check=one.check,
                box=one.box,
                finding_id=one.id,
                probability=None if case.cause in CHOSEN else case.probability,
                reporter=row.reviewer,
            )
            .returning(Miss.id)
        )
        event(session, "miss.reported", case.document_id, actor=row.reviewer, miss=miss, finding=one.id)


def withdraw_confirmed(session: Session, scan_id: int) -> None:
    """The decisions that a case's misses came of are taken back."""
    session.execute(
        update(Miss)
        .where(Miss.scan_id == scan_id, Miss.finding_id.is_not(None), Miss.withdrawn_at.is_(None))
        .values(withdrawn_at=func.now())
        .execution_options(synchronize_session=False)
    )


def of_document(session: Session, document_id: str, *, by: str | None = None) -> list[MissView]:
    """What was reported by hand on a document, oldest first; `by` one person only."""
    query = select(Miss).where(Miss.document_id == document_id, Miss.withdrawn_at.is_(None))
    query = query.where(Miss.finding_id.is_(None)).order_by(Miss.id)
    if by is not None:
        query = query.where(Miss.reporter == by)
    return [_view(row) for row in session.scalars(query)]


def recent(session: Session, limit: int = 50) -> list[MissView]:
    """What was reported last, by hand or by confirming a doubt, newest first."""
    query = select(Miss).where(Miss.withdrawn_at.is_(None)).order_by(Miss.id.desc()).limit(limit)
    return [_view(row) for row in session.scalars(query)]


def labelled(session: Session, since: datetime) -> list[Labelled]:
    """What people have shown about each check since then: defects found, and defects missed with their weights.

    Flagged documents are all looked at, so what was found counts once; `looked_at` counts the drawn documents that
    were decided, their weight being one over the probability of the draw.
    """
    by_check = session.execute(
        select(Finding.check, func.count())
        .join(Review, Review.finding_id == Finding.id)
        .where(Review.decided_at >= since, Review.withdrawn_at.is_(None), Review.decision == "confirmed")
        .where(Finding.outcome != "pass", ~_higher_round())
        .group_by(Finding.check)
    )
    found: dict[str, int] = {row[0]: row[1] for row in by_check}
    missed = {
        row.check: row
        for row in session.execute(
            select(
                Miss.check,
                func.count().label("missed"),
                func.count().filter(Scan.verdict == "clear").label("ended_clear"),
                func.coalesce(func.sum(1 / Miss.probability), 0.0).label("weight"),
                func.count().filter(Miss.probability.is_(None)).label("by_chance"),
            )
            .join(Scan, Scan.id == Miss.scan_id)
            .where(Miss.reported_at >= since, Miss.withdrawn_at.is_(None))
            .group_by(Miss.check)
        )
    }
    looked_at, weight = session.execute(
        select(func.count(), func.coalesce(func.sum(1 / Case.probability), 0.0)).where(
            Case.cause == "drawn", Case.decided_at >= since, Case.stage == "decided"
        )
    ).one()
    return [
        Labelled(
            check=check,
            found=found.get(check, 0),
            missed=missed[check].missed if check in missed else 0,
            ended_clear=missed[check].ended_clear if check in missed else 0,
            missed_weight=float(missed[check].weight) if check in missed else 0.0,
            missed_by_chance=missed[check].by_chance if check in missed else 0,
            looked_at=looked_at,
            looked_at_weight=float(weight),
        )
        for check in sorted({*found, *missed})
    ]


def lookalikes(session: Session, miss_id: int, *, after: str = "", limit: int = 100) -> list[Lookalike]:
    """Clear documents that the same model passed on the same check and field of the same type, and that nobody has
    looked at: the least sure passes may be wrong as well. In the order of ids from `after`. Raises LookupError."""
    miss, like = _pattern(session, miss_id)
    rows = session.execute(
        like.add_columns(func.min(Finding.confidence).label("confidence"))
        .where(Document.id > after, Document.id != miss.document_id)
        .group_by(Document.id, Document.verdict_at)
        .order_by(Document.id)
        .limit(limit)
    )
    return [Lookalike(row.id, row.verdict_at, row.confidence) for row in rows]


def reopen(session: Session, miss_id: int, document_ids: Collection[str], *, actor: str, rules: DeskRules) -> list[str]:
    """Put lookalikes of a miss before people, asking about the same check and field; those that it could be done to.

    Their verdict stays as it was judged. Raises LookupError.
    """
    miss, like = _pattern(session, miss_id)
    chosen = select(Document.id).where(Document.id == func.any(list(document_ids)), Document.status == "clear")
    session.execute(chosen.order_by(Document.id).with_for_update(key_share=True))
    rows = session.execute(
        like.add_columns(
            Document.scan_id,
            Document.priority,
            Scan.document_types,
            Arrival.source_id,
            Source.location,
            func.array_agg(Finding.id).label("asked"),
            func.now().label("now"),
        )
        .join(Arrival, Arrival.id == Scan.arrival_id)
        .join(Source, Source.id == Arrival.source_id)
        .where(Document.id == func.any(list(document_ids)))
        .group_by(Document.id, Scan.id, Arrival.id, Source.id)
        .order_by(Document.id)
    ).all()
    for row in rows:
        session.execute(
            insert(Case).values(
                scan_id=row.scan_id,
                document_id=row.id,
                source_id=row.source_id,
                cause="reopened",
                priority=row.priority,
                risk=shown_risk(row.id, row.scan_id),
                document_types=row.document_types,
                checks=[miss.check],
                asked=sorted(row.asked),
                undecided=sorted(row.asked),
                verdict_at=row.now,
                due_at=rules.due_at(row.now, row.document_types, row.location),
            )
        )
        event(session, "case.opened", row.id, actor=actor, scan=row.scan_id, cause="reopened", miss=miss_id)
    return [row.id for row in rows]


def _pattern(session: Session, miss_id: int) -> tuple[Miss, Select[str, datetime | None]]:
    """A miss, and the clear documents that nobody is or was asked about and that share its pattern."""
    found = session.execute(
        select(Miss, Scan.document_types, Scan.model_version)
        .join(Scan, Scan.id == Miss.scan_id)
        .where(Miss.id == miss_id, Miss.withdrawn_at.is_(None))
    ).one_or_none()
    if found is None:
        raise LookupError(f"there is no report {miss_id} of a missed defect")
    miss = found.Miss
    like = (
        select(Document.id, Document.verdict_at)
        .join(Scan, Scan.id == Document.scan_id)
        .join(Finding, Finding.scan_id == Scan.id)
        .where(
            Document.status == "clear",
            Scan.document_types.overlap(found.document_types),
            Scan.model_version == found.model_version,
            Finding.check == miss.check,
            Finding.outcome == "pass",
            ~select(Case.scan_id).where(Case.scan_id == Scan.id).exists(),
        )
    )
    if miss.field is not None:
        like = like.where(Finding.field == miss.field)
    return miss, like


def _higher_round() -> ColumnElement[bool]:
    other = aliased(Review)
    higher = select(other.id).where(
        other.finding_id == Review.finding_id, other.withdrawn_at.is_(None), other.round > Review.round
    )
    return higher.exists()


def _view(row: Miss) -> MissView:
    return MissView(
        id=row.id,
        document_id=row.document_id,
        page=row.page,
        field=row.field,
        check=row.check,
        box=box_of(row.box),
        note=row.note,
        reporter=row.reporter,
        reported_at=row.reported_at,
    )
