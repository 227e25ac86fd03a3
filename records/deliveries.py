"""What webhooks are told: messages made from the audit chain, each tried until it is taken or given up.

A webhook follows the chain, whose order is that of being chained: nothing that commits late is passed over, and a
message is one row for each webhook and event, however often it is made. Bodies hold ids and words, never what was read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Interval, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from records.audit import event, head
from records.desk_tables import Case, Delivery, Webhook
from records.tables import Event, Finding, Link, Review, Scan

#: The events that webhooks are told of.
KINDS = ("verdict", "decision")

#: Seconds after the first attempt; doubled each time, up to the longest.
FIRST_WAIT, LONGEST_WAIT = 30.0, 12 * 3600.0
#: A message in the hands of a sender that says nothing is tried again after so long.
SENDING_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Due:
    """A message to be sent now, about a document; `attempts` counts this one."""

    id: int
    url: str
    document_id: str
    body: str
    attempts: int


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A message as people look at it."""

    id: int
    url: str
    kind: str
    document_id: str
    status: str
    attempts: int
    error: str | None
    created_at: datetime
    not_before: datetime
    settled_at: datetime | None


def subscribe(session: Session, urls: Collection[str]) -> None:
    """Know these webhooks; a new one is told of what happens from now on."""
    for url in sorted(set(urls)):
        session.execute(upsert(Webhook).values(url=url, sequence=head(session).sequence).on_conflict_do_nothing())


def spread(session: Session, urls: Collection[str], *, decision_seconds: float = 0.0, limit: int = 1000) -> int:
    """Make the messages of what was chained since the last time; how many. Decisions wait for `decision_seconds`, in
    which they may be taken back."""
    webhooks = session.scalars(
        select(Webhook).where(Webhook.url.in_(list(urls))).order_by(Webhook.id).with_for_update(skip_locked=True)
    ).all()
    made = 0
    for webhook in webhooks:
        rows = session.execute(
            select(Link.sequence, Event.id, Event.at, Event.kind, Event.subject, Event.body)
            .join(Event, Event.id == Link.event_id)
            .where(Link.sequence > webhook.sequence)
            .order_by(Link.sequence)
            .limit(limit)
        ).all()
        told = [row for row in rows if row.kind in KINDS and row.subject]
        if told:
            values = [_message(session, webhook.id, row, decision_seconds) for row in told]
            session.execute(upsert(Delivery).on_conflict_do_nothing(), values)
            made += len(values)
        if rows:
            session.execute(update(Webhook).where(Webhook.id == webhook.id).values(sequence=rows[-1].sequence))
    return made


def take_due(session: Session, urls: Collection[str], limit: int = 50) -> list[Due]:
    """Messages whose time has come, in the order to be sent, in this sender's hands for a while. A decision that was
    taken back is void."""
    rows = session.execute(
        select(Delivery, Webhook.url, Event.at, Event.subject, Event.body.label("event"))
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .join(Event, Event.id == Delivery.event_id)
        .where(Delivery.status == "waiting", Delivery.not_before <= func.now(), Webhook.url.in_(list(urls)))
        .order_by(Delivery.not_before, Delivery.id)
        .limit(limit)
        .with_for_update(of=Delivery, skip_locked=True)
    ).all()
    due = []
    for row in rows:
        one = row.Delivery
        if one.kind == "decision" and not _stands(session, json.loads(row.event)["scan"], row.at):
            _set(session, one.id, status="void", settled_at=func.now())
            continue
        _set(session, one.id, attempts=one.attempts + 1, not_before=_from_now(SENDING_SECONDS))
        due.append(Due(one.id, row.url, row.subject, one.body, one.attempts + 1))
    return due


def delivered(session: Session, delivery_id: int) -> None:
    """The webhook took the message."""
    _set(session, delivery_id, status="delivered", settled_at=func.now(), error=None)


def failed(session: Session, one: Due, error: str, *, max_attempts: int) -> bool:
    """The webhook didn't; True when the message is given up, which is an event."""
    if one.attempts < max_attempts:
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(one.attempts - 1, 30))
        _set(session, one.id, error=error, not_before=_from_now(wait))
        return False
    _set(session, one.id, status="dead", settled_at=func.now(), error=error)
    event(session, "webhook.dead", None, delivery=one.id, attempts=one.attempts)
    return True


def listed(session: Session, status: str | None = None, limit: int = 100) -> list[DeliveryView]:
    """Messages, newest first."""
    query = select(Delivery, Webhook.url).join(Webhook, Webhook.id == Delivery.webhook_id)
    if status is not None:
        query = query.where(Delivery.status == status)
    rows = session.execute(query.order_by(Delivery.id.desc()).limit(limit))
    return [_view(row.Delivery, row.url) for row in rows]


def replay(session: Session, delivery_ids: Sequence[int] | None = None, *, actor: str) -> int:
    """Send messages once more: those given, or all that were given up; how many."""
    query = update(Delivery).values(status="waiting", attempts=0, not_before=func.now(), settled_at=None)
    if delivery_ids is None:
        query = query.where(Delivery.status == "dead")
    else:
        query = query.where(Delivery.id.in_(list(delivery_ids)), Delivery.status.in_(["dead", "delivered"]))
    done = len(session.scalars(query.returning(Delivery.id).execution_options(synchronize_session=False)).all())
    if done:
        event(session, "webhook.replayed", None, actor=actor, count=done)
    return done


def statuses(session: Session) -> dict[str, int]:
    """How many messages stand at each status."""
    rows = session.execute(select(Delivery.status, func.count()).group_by(Delivery.status))
    return {row[0]: row[1] for row in rows}


def _message(session: Session, webhook_id: int, row: Any, decision_seconds: float) -> dict[str, Any]:
    body = json.loads(row.body)
    scan = session.execute(select(Scan.verdict, Scan.document_types).where(Scan.id == body["scan"])).one()
    data = {
        "document_id": row.subject,
        "scan": body["scan"],
        "verdict": scan.verdict,
        "document_types": list(scan.document_types),
        "findings": _findings(session, body["scan"], decided=row.kind == "decision"),
    }
    told = {"type": row.kind, "timestamp": row.at.isoformat(), "data": data}
    wait = decision_seconds if row.kind == "decision" else 0.0
    return {
        "webhook_id": webhook_id,
        "event_id": row.id,
        "kind": row.kind,
        "document_id": row.subject,
        "body": json.dumps(told, separators=(",", ":")),
        "not_before": row.at + timedelta(seconds=wait),
    }


def _findings(session: Session, scan_id: int, *, decided: bool) -> list[dict[str, Any]]:
    """What didn't pass, or what people decided on."""
    query = select(Finding.id, Finding.page, Finding.field, Finding.check, Finding.outcome, Finding.rule)
    query = query.where(Finding.scan_id == scan_id).order_by(Finding.id)
    if not decided:
        return [dict(row._mapping) for row in session.execute(query.where(Finding.outcome != "pass"))]
    # The highest round counts, and overwrites those before it.
    query = query.add_columns(Review.decision).join(Review, Review.finding_id == Finding.id)
    query = query.where(Review.withdrawn_at.is_(None)).order_by(Review.round)
    return list({row.id: dict(row._mapping) for row in session.execute(query)}.values())


def _stands(session: Session, scan_id: int, at: datetime) -> bool:
    """Whether the decision of that moment has not been taken back."""
    case = session.execute(select(Case.stage, Case.decided_at).where(Case.scan_id == scan_id)).one_or_none()
    return case is not None and (case.stage, case.decided_at) == ("decided", at)


def _set(session: Session, delivery_id: int, **values: Any) -> None:
    session.execute(
        update(Delivery).where(Delivery.id == delivery_id).values(**values).execution_options(synchronize_session=False)
    )


def _from_now(seconds: float) -> Any:
    return func.now() + cast(literal(f"{seconds:.3f} seconds"), Interval)


def _view(row: Delivery, url: str) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        url=url,
        kind=row.kind,
        document_id=row.document_id,
        status=row.status,
        attempts=row.attempts,
        error=row.error,
        created_at=row.created_at,
        not_before=row.not_before,
        settled_at=row.settled_at,
    )
