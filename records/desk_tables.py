"""The tables of the reviewers' desk and of what goes out; those that scanning needs are in `records/tables.py`."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from records.privacy import AADHAAR
from records.tables import (
    BOX,
    CASE_CAUSES,
    CASE_STAGES,
    DELIVERY_STATUSES,
    WAITING_STAGES,
    Base,
    now_column,
    number_column,
    one_of,
)

_WAITING = text("waiting")


class Case(Base):
    """One scan's verdict put before people: why, how urgent, by when, in whose hands, and how far it has come.

    `cause` tells flagged documents from clear ones drawn at random or opened again; with `probability`, that of having
    been drawn, it is never shown to reviewers.
    """

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint(one_of("cause", CASE_CAUSES), "cause"),
        CheckConstraint(one_of("stage", CASE_STAGES), "stage"),
        CheckConstraint("probability > 0 AND probability <= 1", "probability"),
        CheckConstraint("risk BETWEEN 0 AND 1", "risk"),
        CheckConstraint("undecided <@ asked", "undecided_was_asked"),
        CheckConstraint("(claimed_by IS NULL) = (claim_expires_at IS NULL)", "claim_is_whole"),
        CheckConstraint("stage NOT IN ('second', 'disputed') OR first_reviewers <> '{}'", "second_had_a_first"),
        CheckConstraint("(stage = 'decided') <= (decided_at IS NOT NULL)", "decided_has_a_time"),
        Index("cases_one_waits", "document_id", unique=True, postgresql_where=_WAITING),
        Index("cases_by_risk", text("(- priority)"), text("(- risk)"), "scan_id", postgresql_where=_WAITING),
        Index("cases_by_age", text("(- priority)"), "verdict_at", "scan_id", postgresql_where=_WAITING),
        Index(
            "cases_of_assignee",
            "assignee",
            text("(- priority)"),
            text("(- risk)"),
            "scan_id",
            postgresql_where=_WAITING,
        ),
        Index(
            "cases_of_source",
            "source_id",
            text("(- priority)"),
            text("(- risk)"),
            "scan_id",
            postgresql_where=_WAITING,
        ),
        Index("cases_of_stage", "stage", text("(- priority)"), text("(- risk)"), "scan_id", postgresql_where=_WAITING),
        Index("cases_of_checks", "checks", postgresql_using="gin", postgresql_where=_WAITING),
        Index("cases_of_types", "document_types", postgresql_using="gin", postgresql_where=_WAITING),
        Index("cases_due", "due_at", postgresql_where=text("waiting AND due_at IS NOT NULL")),
        Index(
            "cases_never_due",
            text("(- priority)"),
            text("(- risk)"),
            "scan_id",
            postgresql_where=text("waiting AND due_at IS NULL"),
        ),
        Index("cases_claimed", "claimed_by", postgresql_where=text("claimed_by IS NOT NULL")),
        Index("cases_decided", "decided_at", "scan_id", postgresql_where=text("decided_at IS NOT NULL")),
        Index("cases_document", "document_id"),
    )

    scan_id: Mapped[int] = mapped_column(ForeignKey("scans.id"), primary_key=True, autoincrement=False)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    cause: Mapped[str]
    probability: Mapped[float] = mapped_column(server_default=text("1"))
    stage: Mapped[str] = mapped_column(server_default="open")
    waiting: Mapped[bool] = mapped_column(Computed(one_of("stage", WAITING_STAGES), persisted=True))
    priority: Mapped[int] = mapped_column(server_default=text("0"))
    #: The probability that a defect is there, of the findings together; of a drawn document a number by its hash.
    risk: Mapped[float]
    document_types: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    #: The checks of the findings asked about.
    checks: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    #: The findings put before people, and those of them that lack a decision in this round.
    asked: Mapped[list[int]]
    undecided: Mapped[list[int]]
    verdict_at: Mapped[datetime] = now_column()
    due_at: Mapped[datetime | None]
    assignee: Mapped[str | None]
    claimed_by: Mapped[str | None]
    claim_expires_at: Mapped[datetime | None]
    #: Who decided in the first round: a second opinion comes from somebody else.
    first_reviewers: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    decided_at: Mapped[datetime | None]


class Tally(Base):
    """How many cases wait, by what they can be filtered by; `tally_changes` is still to be added."""

    __tablename__ = "tallies"

    dimension: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    waiting: Mapped[int]


class TallyChange(Base):
    """Written by a trigger on `cases`, folded into `tallies`."""

    __tablename__ = "tally_changes"

    id: Mapped[int] = number_column()
    dimension: Mapped[str]
    key: Mapped[str]
    change: Mapped[int]


class Miss(Base):
    """A defect that the machine did not see and a person did. `probability` is that of its document having been looked
    at: 1 for a flagged one, the draw's for a drawn one, None where nobody can tell."""

    __tablename__ = "misses"
    __table_args__ = (
        CheckConstraint(r""""check" ~ '^[a-z]+\.[a-z]+$'""", "check"),
        CheckConstraint("page > 0", "page"),
        CheckConstraint("reporter <> ''", "reporter"),
        CheckConstraint("probability IS NULL OR probability > 0 AND probability <= 1", "probability"),
        CheckConstraint(BOX, "box"),
        CheckConstraint(f"coalesce(note, '') !~ '{AADHAAR}'", "no_aadhaar"),
        Index("misses_of_document", "document_id", "id"),
        Index("misses_of_check", "check", "reported_at", postgresql_where=text("withdrawn_at IS NULL")),
    )

    id: Mapped[int] = number_column()
    scan_id: Mapped[int] = mapped_column(ForeignKey("scans.id"))
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    page: Mapped[int]
    field: Mapped[str | None]
    check: Mapped[str]
    box: Mapped[list[float] | None]
    note: Mapped[str | None]
    #: The finding that passed wrongly, where one was asked about.
    finding_id: Mapped[int | None] = mapped_column(ForeignKey("findings.id"))
    probability: Mapped[float | None]
    reporter: Mapped[str]
    reported_at: Mapped[datetime] = now_column()
    withdrawn_at: Mapped[datetime | None]


class Webhook(Base):
    """An address that is told of verdicts and decisions, and the link of the audit chain up to which it was."""

    __tablename__ = "webhooks"
    __table_args__ = (UniqueConstraint("url"), CheckConstraint("sequence >= 0", "sequence"))

    id: Mapped[int] = number_column()
    url: Mapped[str]
    sequence: Mapped[int]
    created_at: Mapped[datetime] = now_column()


class Delivery(Base):
    """One message to one webhook: `waiting` (also between attempts), `delivered`, `dead` after too many, or `void`
    where what it tells was taken back before it went out."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("webhook_id", "event_id"),
        CheckConstraint(one_of("status", DELIVERY_STATUSES), "status"),
        CheckConstraint("(status = 'waiting') = (settled_at IS NULL)", "settled_has_a_time"),
        CheckConstraint("attempts >= 0", "attempts"),
        Index("deliveries_waiting", "not_before", "id", postgresql_where=text("status = 'waiting'")),
        Index("deliveries_dead", "settled_at", postgresql_where=text("status = 'dead'")),
    )

    id: Mapped[int] = number_column()
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    kind: Mapped[str]
    document_id: Mapped[str]
    body: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="waiting")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    not_before: Mapped[datetime] = now_column()
    error: Mapped[str | None]
    created_at: Mapped[datetime] = now_column()
    settled_at: Mapped[datetime | None]


class Digest(Base):
    """A day whose e-mail digest has gone out."""

    __tablename__ = "digests"

    day: Mapped[date] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(server_default=func.now())
