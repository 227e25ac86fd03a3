"""Clear documents that are put before people because their answer would teach the model most, a few a day.

To a reviewer such a document looks like one drawn at random, or flagged for a doubt. In the records its case is
`selected`: it teaches, and counts in no bound, since nobody knows how likely it was to be chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    Text,
    and_,
    column,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from pipeline.desk import DeskRules, shown_risk
from pipeline.lessons import TEACHING
from pipeline.selection import Candidate, Why, in_turn
from records import model_versions, readings
from records.audit import event
from records.desk_tables import Case
from records.learning_tables import ShadowScan
from records.tables import Arrival, Document, Finding, ModelVersion, Scan, Source

#: Among so many of the newest scans are those of a day; of them so many are looked through, by the document's hash.
NEWEST, POOL = 50_000, 10_000

#: Two reconcilers that choose take their turns.
SELECTION_LOCK = 0x64766967_00000008


def choose(session: Session, rules: DeskRules, timezone: str, *, now: datetime | None = None) -> list[Candidate]:
    """Opens cases of documents that were cleared on the last day before today that has any, in the time zone:
    `rules.selected_per_day` of a day's at most, however often this is called. `now` is the database's clock unless it
    is given."""
    if not rules.selected_per_day:
        return []
    session.execute(select(func.pg_advisory_xact_lock(SELECTION_LOCK)))
    now = now or session.scalars(select(func.now())).one()
    today = session.scalars(select(func.date_trunc("day", literal(now), timezone))).one()
    last = session.scalar(
        select(Scan.finished_at)
        .where(Scan.finished_at < today, Scan.verdict == "clear")
        .order_by(Scan.id.desc())
        .limit(1)
    )
    if last is None:
        return []
    begin = session.scalars(select(func.date_trunc("day", literal(last), timezone))).one()
    # A day and a half later is the day after, however long the day was.
    end = session.scalars(select(func.date_trunc("day", literal(begin + timedelta(hours=36)), timezone))).one()
    opened = select(func.count()).where(Case.cause == "selected", Case.verdict_at >= end)
    most = rules.selected_per_day - (session.scalar(opened) or 0)
    if most <= 0:
        return []
    passes = _passes(begin, end)
    streams = (_differing(session, passes, most), _drifted(session, passes, most), _doubtful(session, passes, most))
    return _open(session, in_turn(streams, most), rules, now)


def _passes(begin: datetime, end: datetime) -> Select[int, int, str]:
    """Passes of documents that were cleared then, that nobody is or was asked about, and whose answer teaches."""
    newest = select(Scan.id).order_by(Scan.id.desc()).limit(NEWEST)
    pool = (
        select(Scan.id)
        .join(Document, Document.scan_id == Scan.id)
        .where(
            Scan.id.in_(newest),
            Scan.finished_at >= begin,
            Scan.finished_at < end,
            Document.status == "clear",
            ~exists().where(Case.scan_id == Scan.id),
        )
        .order_by(Scan.document_id)
        .limit(POOL)
    )
    other = aliased(Finding)
    of_aadhaar = exists().where(
        other.scan_id == Finding.scan_id,
        other.page == Finding.page,
        other.field == Finding.field,
        other.check.startswith("aadhaar."),
    )
    return (
        select(Finding.id, Finding.scan_id, Scan.document_id)
        .join(Scan, Scan.id == Finding.scan_id)
        .where(
            Scan.id.in_(pool),
            Finding.outcome == "pass",
            Finding.check.in_(TEACHING),
            Finding.field.is_not(None),
            Finding.box.is_not(None),
            ~of_aadhaar,
        )
    )


def _doubtful(session: Session, passes: Select[int, int, str], most: int) -> list[Candidate]:
    """The least sure passes of each check, so that none that is always less sure takes all places."""
    return _ranked(session, passes, (Finding.confidence, Scan.document_id), Finding.confidence, most, "doubt")


def _drifted(session: Session, passes: Select[int, int, str], most: int) -> list[Candidate]:
    """Of checks whose confidences have moved, any: by the document's hash."""
    production = model_versions.standing(session).production
    if production is None:
        return []
    moved = [one.check for one in readings.last_drift(session, production.version) if one.drifted]
    if not moved:
        return []
    passes = passes.where(Scan.model_version == production.version, Finding.check.in_(moved))
    return _ranked(session, passes, (Scan.document_id,), Scan.document_id, most, "drift")


def _differing(session: Session, passes: Select[int, int, str], most: int) -> list[Candidate]:
    """Passes on which a version on trial, or an earlier scan by another version, did not pass: the surest first."""
    told = (
        func.jsonb_to_recordset(ShadowScan.findings)
        .table_valued(
            column("page", Integer),
            column("field", Text),
            column("check", Text),
            column("ordinal", Integer),
            column("outcome", Text),
            column("confidence", Float),
            name="told",
        )
        .render_derived(with_types=True)
    )
    of_trial = select(ModelVersion.version).where(ModelVersion.stage.in_(model_versions.TRIALS))
    by_trial = (
        passes.add_columns(told.c.confidence.label("against"))
        .join(ShadowScan, and_(ShadowScan.scan_id == Scan.id, ShadowScan.version.in_(of_trial)))
        .join(told, _same_place(told.c))
        .where(ShadowScan.verdict == "flagged", told.c.outcome != "pass")
    )
    before, said = aliased(Scan), aliased(Finding)
    by_another = (
        passes.add_columns(said.confidence.label("against"))
        .join(before, and_(before.document_id == Scan.document_id, before.id < Scan.id, before.verdict == "flagged"))
        .join(said, and_(said.scan_id == before.id, _same_place(said)))
        .where(before.model_version != Scan.model_version, said.outcome != "pass")
    )
    both = union_all(by_trial, by_another).subquery()
    # A document may hold many; one of them is asked about.
    best = (
        select(both.c.id, both.c.scan_id, both.c.document_id, both.c.against)
        .add_columns(func.row_number().over(partition_by=both.c.scan_id, order_by=both.c.against.desc()).label("place"))
        .subquery()
    )
    rows = session.execute(
        select(best).where(best.c.place == 1).order_by(best.c.against.desc(), best.c.document_id).limit(most)
    )
    return [Candidate(row.document_id, row.scan_id, row.id, "disagreement") for row in rows]


def _same_place(other: Any) -> ColumnElement[bool]:
    return and_(
        other.page == Finding.page,
        other.field == Finding.field,
        other.check == Finding.check,
        other.ordinal == Finding.ordinal,
    )


def _ranked(
    session: Session, passes: Select[int, int, str], order: Sequence[Any], then: Any, most: int, why: Why
) -> list[Candidate]:
    """The first of each check, then the second of each, and so on."""
    place = func.row_number().over(partition_by=Finding.check, order_by=order)
    every = passes.add_columns(place.label("place"), then.label("key")).subquery()
    # Some of a check's first passes may lie in the same document.
    least = every.c.place <= 2 * most
    rows = session.execute(select(every).where(least).order_by(every.c.place, every.c.key, every.c.id))
    return [Candidate(row.document_id, row.scan_id, row.id, why) for row in rows]


def _open(session: Session, chosen: Sequence[Candidate], rules: DeskRules, now: datetime) -> list[Candidate]:
    """Opens a case of each that is still clear and that nobody was asked about meanwhile."""
    ids = [one.document_id for one in chosen]
    locked = select(Document.id).where(Document.id.in_(ids)).order_by(Document.id).with_for_update(key_share=True)
    session.execute(locked)
    return [one for one in chosen if _opened(session, one, rules, now)]


def _opened(session: Session, one: Candidate, rules: DeskRules, now: datetime) -> bool:
    place = session.execute(
        select(Document.priority, Scan.document_types, Arrival.source_id, Source.location, Finding.check)
        .join(Scan, Scan.id == Document.scan_id)
        .join(Arrival, Arrival.id == Scan.arrival_id)
        .join(Source, Source.id == Arrival.source_id)
        .join(Finding, Finding.scan_id == Scan.id)
        .where(Scan.id == one.scan_id, Finding.id == one.finding_id, Document.status == "clear")
        .where(~exists().where(or_(Case.scan_id == Scan.id, and_(Case.document_id == Document.id, Case.waiting))))
    ).one_or_none()
    if place is None:
        return False
    session.execute(
        insert(Case).values(
            scan_id=one.scan_id,
            document_id=one.document_id,
            source_id=place.source_id,
            cause="selected",
            priority=place.priority,
            risk=shown_risk(one.document_id, one.scan_id),
            document_types=place.document_types,
            checks=[place.check],
            asked=[one.finding_id],
            undecided=[one.finding_id],
            verdict_at=now,
            due_at=rules.due_at(now, place.document_types, place.location),
        )
    )
    event(session, "case.opened", one.document_id, scan=one.scan_id, cause="selected", why=one.why)
    return True
