"""What is read of the version in production from time to time: the bound on what it misses, and how far its confidences
have moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from pipeline.bounds import running_upper
from pipeline.drift import drift
from records.desk_tables import Case, Miss
from records.learning_tables import BoundReading, DriftReading
from records.tables import Finding, Scan

#: Scans whose confidences are compared: the first of a version, and the newest.
SCANS = 2000
#: Scans of the window are no older than this.
WINDOW = timedelta(days=30)


def read_bounds(session: Session, version: str, least: float) -> list[BoundReading]:
    """The share of the documents cleared by a version that hide a defect of each class, at most: read anew, and written
    down where labels have arrived.

    Every cleared document was drawn with a probability of `least` or more, or of the least one used before; those not
    yet decided, and what was cleared after the oldest of them, wait. So the bound holds at every reading at once.
    """
    drawn = select(func.min(Case.probability)).join(Scan, Scan.id == Case.scan_id)
    least = min(least, session.scalar(drawn.where(Scan.model_version == version, Case.cause == "drawn")) or least)
    waiting = select(func.min(Case.verdict_at)).join(Scan, Scan.id == Case.scan_id)
    until = session.scalar(waiting.where(Scan.model_version == version, Case.cause == "drawn", Case.waiting))
    cleared_by = select(Scan.id).where(Scan.model_version == version, Scan.verdict == "clear")
    if until is not None:
        cleared_by = cleared_by.where(Scan.finished_at < until)
    cleared = session.scalar(select(func.count()).select_from(cleared_by.subquery())) or 0
    if not cleared or not 0 < least <= 1:
        return []
    looked_at = session.scalars(
        select(Finding.check)
        .join(Case, Case.scan_id == Finding.scan_id)
        .where(Case.cause == "drawn", Case.stage == "decided", Case.scan_id.in_(cleared_by))
        .distinct()
    ).all()
    found: dict[str, list[float]] = {check: [] for check in looked_at}
    misses = select(Miss.check, Miss.scan_id, func.coalesce(func.max(Miss.probability), least)).where(
        Miss.withdrawn_at.is_(None), Miss.probability.is_not(None), Miss.scan_id.in_(cleared_by)
    )
    for check, _, probability in session.execute(misses.group_by(Miss.check, Miss.scan_id)):
        found.setdefault(check, []).append(probability or least)
    readings = [
        BoundReading(
            version=version,
            check=check,
            labels=float(cleared),
            missed=sum(1 / one for one in chances),
            upper=running_upper(chances, cleared, least=least),
        )
        for check, chances in sorted(found.items())
    ]
    for one in readings:
        values = {name: getattr(one, name) for name in ("version", "check", "labels", "missed", "upper")}
        session.execute(upsert(BoundReading).values(**values).on_conflict_do_nothing())
    return readings


def read_drift(session: Session, version: str) -> list[DriftReading]:
    """How far the confidences of each check have moved between a version's first scans and its newest."""
    of_version = select(Scan.id).where(Scan.model_version == version, Scan.stage == "done")
    first = session.scalars(of_version.order_by(Scan.id).limit(SCANS)).all()
    newest = session.scalars(
        of_version.where(Scan.finished_at > func.now() - WINDOW).order_by(Scan.id.desc()).limit(SCANS)
    ).all()
    # A scan is on one side only.
    newest = [one for one in newest if not first or one > first[-1]]
    before, now = _confidences(session, first), _confidences(session, newest)
    readings = []
    for check in sorted(before.keys() & now.keys()):
        moved = drift(before[check], now[check])
        one = DriftReading(
            version=version, check=check, findings=moved.findings, index=moved.index, drifted=moved.drifted
        )
        session.add(one)
        readings.append(one)
    session.flush()
    return readings


def bounds(session: Session, version: str) -> list[BoundReading]:
    """Every reading of a version's bounds, by check and time."""
    query = select(BoundReading).where(BoundReading.version == version)
    return list(session.scalars(query.order_by(BoundReading.check, BoundReading.at, BoundReading.id)))


def daily_bounds(session: Session, version: str, timezone: str) -> dict[str, list[BoundReading]]:
    """The last reading of each check and day, by check; times rise."""
    day = func.date_trunc("day", BoundReading.at, timezone)
    query = select(BoundReading).ext(distinct_on(BoundReading.check, day)).where(BoundReading.version == version)
    found: dict[str, list[BoundReading]] = {}
    for one in session.scalars(query.order_by(BoundReading.check, day, BoundReading.at.desc(), BoundReading.id.desc())):
        found.setdefault(one.check, []).append(one)
    return found


def last_drift(session: Session, version: str) -> list[DriftReading]:
    """The newest reading of each check's drift."""
    query = select(DriftReading).ext(distinct_on(DriftReading.check)).where(DriftReading.version == version)
    return list(session.scalars(query.order_by(DriftReading.check, DriftReading.at.desc(), DriftReading.id.desc())))


def _confidences(session: Session, scan_ids: Sequence[int]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    rows = session.execute(select(Finding.check, Finding.confidence).where(Finding.scan_id.in_(list(scan_ids))))
    for check, confidence in rows:
        found.setdefault(check, []).append(confidence)
    return found
