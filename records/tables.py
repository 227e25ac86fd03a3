"""The tables. Each constraint here makes one wrong state impossible; `records/__init__.py` tells the states themselves.

Two of them carry most of the weight. `documents (id, scan_id, status)` refers to `scans (document_id, id, state)`: a
document's status is always that of its newest scan. `outbox (scan_id, queue, alone)` refers to `scans (id, stage,
alone)`: only a scan in flight can stand in a queue, and only in that of its stage. Both are checked at commit.

Times are the database's clock. Strings stand for enumerations, so that a new word is a new CHECK and not a new type.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Sequence,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from records.privacy import AADHAAR

SOURCE_KINDS = ("folder", "s3", "upload")
ARRIVAL_STATUSES = ("refused", "duplicate", "document")
DOCUMENT_STATUSES = ("in_flight", "clear", "flagged", "quarantined")
STAGES = ("prepare", "infer", "done")
QUEUES = ("prepare", "infer")
VERDICTS = ("clear", "flagged", "quarantined")
CAUSES = ("arrival", "again", "retry", "rescan")
OUTCOMES = ("pass", "anomaly", "uncertain")
DECISIONS = ("confirmed", "dismissed", "corrected")
CASE_CAUSES = ("flagged", "drawn", "selected", "reopened")
CASE_STAGES = ("open", "second", "disputed", "decided", "superseded")
#: A case at one of these stages waits for a person.
WAITING_STAGES = ("open", "second", "disputed")
DELIVERY_STATUSES = ("waiting", "delivered", "dead", "void")
MODEL_STAGES = ("candidate", "shadow", "canary", "production", "retired")

#: Tables that only ever grow: the application may read and insert, nobody may change or remove.
APPEND_ONLY = ("events", "chain")

#: The condition that a box is None or a rectangle.
BOX = "box IS NULL OR cardinality(box) = 4 AND box[1] <= box[3] AND box[2] <= box[4]"

_metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)
scan_ids = Sequence("scan_ids", metadata=_metadata)


def one_of(column: str, words: tuple[str, ...]) -> str:
    """The condition that a column holds one of these words."""
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


class Base(DeclarativeBase):
    metadata = _metadata
    type_annotation_map = {  # noqa: RUF012
        int: BigInteger,
        str: Text,
        float: Float(53),
        bytes: LargeBinary,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
        list[str]: ARRAY(Text),
        list[float]: ARRAY(Float(53)),
        list[int]: ARRAY(BigInteger),
    }


def now_column() -> Mapped[datetime]:
    return mapped_column(server_default=func.now())


def number_column() -> Mapped[int]:
    return mapped_column(Identity(always=True), primary_key=True)


class Source(Base):
    """Where documents come from. A higher priority is taken up first."""

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("kind", "location"), CheckConstraint(one_of("kind", SOURCE_KINDS), "kind"))

    id: Mapped[int] = number_column()
    kind: Mapped[str]
    location: Mapped[str]
    priority: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = now_column()


class Listing(Base):
    """What a source's last complete listing counted; the balance compares."""

    __tablename__ = "listings"
    __table_args__ = (CheckConstraint("files >= 0 AND arrived >= 0 AND waiting >= 0", "counts"),)

    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"), primary_key=True, autoincrement=False)
    files: Mapped[int]
    arrived: Mapped[int]
    waiting: Mapped[int]
    listed_at: Mapped[datetime] = now_column()


class Arrival(Base):
    """One file turning up at one source, once: `identity` tells it from every other of that source."""

    __tablename__ = "arrivals"
    __table_args__ = (
        UniqueConstraint("source_id", "identity"),
        CheckConstraint(one_of("status", ARRIVAL_STATUSES), "status"),
        CheckConstraint("(status = 'refused') = (reason IS NOT NULL)", "refused_says_why"),
        CheckConstraint("(status = 'refused') = (document_id IS NULL)", "refused_has_no_document"),
        # Arrivals that brought a document are as many as documents.
        Index("arrivals_first", "document_id", unique=True, postgresql_where=text("status = 'document'")),
        Index("arrivals_document", "document_id", "id"),
        Index("arrivals_status", "status"),
    )

    id: Mapped[int] = number_column()
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    identity: Mapped[str]
    #: For people to read: bytes that are no UTF-8 stand as \xNN.
    path: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    document_id: Mapped[str | None] = mapped_column(ForeignKey("documents.id"))
    arrived_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = now_column()


class Document(Base):
    """Distinct content, named by its SHA-256."""

    __tablename__ = "documents"
    __table_args__ = (
        ForeignKeyConstraint(
            ["id", "scan_id", "status"],
            ["scans.document_id", "scans.id", "scans.state"],
            name="documents_status_is_that_of_the_scan",
            use_alter=True,
            deferrable=True,
            initially="DEFERRED",
        ),
        CheckConstraint("id ~ '^[0-9a-f]{64}$'", "id"),
        CheckConstraint("size >= 0", "size"),
        CheckConstraint(one_of("status", DOCUMENT_STATUSES), "status"),
        CheckConstraint("(status = 'quarantined') = (reason IS NOT NULL)", "quarantined_says_why"),
        CheckConstraint("(status = 'in_flight') = (verdict_at IS NULL)", "verdict_has_a_time"),
        CheckConstraint("reviewed_at IS NULL OR status = 'flagged'", "reviewed_was_flagged"),
        Index("documents_status", "status"),
        Index("documents_in_flight", "created_at", postgresql_where=text("status = 'in_flight'")),
        Index(
            "documents_to_review",
            text("(- priority)"),
            "verdict_at",
            "id",
            postgresql_where=text("status = 'flagged' AND reviewed_at IS NULL"),
        ),
        Index(
            "documents_flagged",
            text("(- priority)"),
            "verdict_at",
            "id",
            postgresql_where=text("status = 'flagged'"),
        ),
        Index("documents_created", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    media_type: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="in_flight")
    reason: Mapped[str | None]
    #: The newest scan, the one whose verdict counts.
    scan_id: Mapped[int] = mapped_column(unique=True)
    priority: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = now_column()
    updated_at: Mapped[datetime] = now_column()
    verdict_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]


class Scan(Base):
    """One pass over a document. `state` is what its document's status must be while it is the newest."""

    __tablename__ = "scans"
    __table_args__ = (
        UniqueConstraint("document_id", "number"),
        UniqueConstraint("document_id", "id", "state", name="scans_state_key"),
        UniqueConstraint("id", "stage", "alone", name="scans_stage_key"),
        CheckConstraint(one_of("stage", STAGES), "stage"),
        CheckConstraint(one_of("cause", CAUSES), "cause"),
        CheckConstraint(f"verdict IS NULL OR {one_of('verdict', VERDICTS)}", "verdict"),
        CheckConstraint("(stage = 'done') = (verdict IS NOT NULL)", "done_has_a_verdict"),
        CheckConstraint("(stage = 'done') = (finished_at IS NOT NULL)", "done_has_a_time"),
        CheckConstraint("(lease_owner IS NULL) = (lease_expires_at IS NULL)", "lease_is_whole"),
        CheckConstraint("stage <> 'done' OR lease_owner IS NULL", "done_is_not_leased"),
        CheckConstraint("lease_owner IS NULL OR token > 0", "leased_has_a_token"),
        CheckConstraint("verdict <> 'quarantined' OR error IS NOT NULL", "quarantined_says_why"),
        CheckConstraint("stage <> 'prepare' OR manifest IS NULL", "manifest_comes_of_preparing"),
        CheckConstraint(
            "stage = 'prepare' OR verdict IS NOT DISTINCT FROM 'quarantined' OR manifest IS NOT NULL",
            "model_needs_a_manifest",
        ),
        CheckConstraint(
            "verdict IS NOT DISTINCT FROM 'quarantined' OR (verdict IS NULL) = (model_version IS NULL)",
            "versions_come_with_the_verdict",
        ),
        CheckConstraint("num_nulls(model_version, rules_version, doctypes_version) IN (0, 3)", "versions_are_whole"),
        CheckConstraint("NOT repeated OR cause <> 'arrival'", "first_is_not_repeated"),
        CheckConstraint("number > 0 AND token >= 0 AND attempts >= 0 AND deaths >= 0", "counts"),
        # A document is scanned by one scan at a time, and not twice by the same versions unless somebody wants it.
        Index("scans_in_flight", "document_id", unique=True, postgresql_where=text("stage <> 'done'")),
        Index(
            "scans_once_by_versions",
            "document_id",
            "model_version",
            "rules_version",
            "doctypes_version",
            unique=True,
            postgresql_where=text("model_version IS NOT NULL AND NOT repeated"),
        ),
        Index("scans_judged_by", "model_version", "document_id", postgresql_where=text("model_version IS NOT NULL")),
        Index("scans_leased", "lease_expires_at", postgresql_where=text("lease_owner IS NOT NULL")),
        Index(
            "scans_flagged_types",
            "document_types",
            postgresql_using="gin",
            postgresql_where=text("verdict = 'flagged'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, server_default=text("nextval('scan_ids')"))
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    number: Mapped[int]
    arrival_id: Mapped[int] = mapped_column(ForeignKey("arrivals.id"))
    cause: Mapped[str]
    #: The day that dates are judged against: the arrival's, in the configured time zone.
    judged_on: Mapped[date]
    stage: Mapped[str] = mapped_column(server_default="prepare")
    verdict: Mapped[str | None]
    state: Mapped[str] = mapped_column(
        Computed("CASE WHEN stage = 'done' THEN verdict ELSE 'in_flight' END", persisted=True)
    )
    model_version: Mapped[str | None]
    rules_version: Mapped[str | None]
    doctypes_version: Mapped[str | None]
    #: The same versions had judged this content before: a retry, or a rescan by workers not yet upgraded.
    repeated: Mapped[bool] = mapped_column(server_default=text("false"))
    document_types: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    lease_owner: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]
    #: Rises with every lease; a write under an older one is refused.
    token: Mapped[int] = mapped_column(server_default=text("0"))
    #: Errors that the document itself raised, and workers that died with it in their hands.
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    deaths: Mapped[int] = mapped_column(server_default=text("0"))
    alone: Mapped[bool] = mapped_column(server_default=text("false"))
    error: Mapped[str | None]
    manifest: Mapped[dict[str, Any] | None]
    timings: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = now_column()
    finished_at: Mapped[datetime | None]


class Outbox(Base):
    """What must be done next, one row a scan in flight: waiting, then published, then taken up."""

    __tablename__ = "outbox"
    __table_args__ = (
        ForeignKeyConstraint(
            ["scan_id", "queue", "alone"],
            ["scans.id", "scans.stage", "scans.alone"],
            name="outbox_queue_is_the_stage",
            deferrable=True,
            initially="DEFERRED",
        ),
        CheckConstraint(one_of("queue", QUEUES), "queue"),
        CheckConstraint("taken_at IS NULL OR published_at IS NOT NULL", "taken_was_published"),
        Index(
            "outbox_waiting",
            "queue",
            "alone",
            text("priority DESC"),
            "created_at",
            "scan_id",
            postgresql_where=text("published_at IS NULL"),
        ),
        Index(
            "outbox_published",
            "queue",
            "alone",
            "published_at",
            postgresql_where=text("published_at IS NOT NULL AND taken_at IS NULL"),
        ),
    )

    scan_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    queue: Mapped[str]
    alone: Mapped[bool] = mapped_column(server_default=text("false"))
    priority: Mapped[int]
    created_at: Mapped[datetime] = now_column()
    not_before: Mapped[datetime] = now_column()
    published_at: Mapped[datetime | None]
    taken_at: Mapped[datetime | None]


class Finding(Base):
    """The outcome of one check on one field of one scan; running twice changes nothing."""

    __tablename__ = "findings"
    __table_args__ = (
        UniqueConstraint("scan_id", "page", "field", "check", "ordinal", postgresql_nulls_not_distinct=True),
        # The names themselves are the code's and change with it; history keeps those of its time.
        CheckConstraint(r""""check" ~ '^[a-z]+\.[a-z]+$'""", "check"),
        CheckConstraint(one_of("outcome", OUTCOMES), "outcome"),
        CheckConstraint("confidence BETWEEN 0 AND 1", "confidence"),
        CheckConstraint("page > 0 AND ordinal >= 0", "place"),
        CheckConstraint(BOX, "box"),
        CheckConstraint(f"coalesce(value, '') || '|' || message !~ '{AADHAAR}'", "no_aadhaar"),
        Index("findings_to_review", "check", "scan_id", postgresql_where=text("outcome <> 'pass'")),
    )

    id: Mapped[int] = number_column()
    scan_id: Mapped[int] = mapped_column(ForeignKey("scans.id"))
    page: Mapped[int]
    field: Mapped[str | None]
    check: Mapped[str]
    ordinal: Mapped[int] = mapped_column(server_default=text("0"))
    outcome: Mapped[str]
    confidence: Mapped[float]
    value: Mapped[str | None]
    box: Mapped[list[float] | None]
    rule: Mapped[str | None]
    message: Mapped[str]
    evidence_key: Mapped[str | None]


class Review(Base):
    """A person's decision on a finding: one stands a round, none is ever changed, and one taken back stays as such.

    Round 1 is the first reviewer's, 2 the second opinion, 3 the supervisor's; the highest counts.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint(one_of("decision", DECISIONS), "decision"),
        CheckConstraint("(decision = 'corrected') = (num_nonnulls(value, box) > 0)", "corrected_says_what"),
        CheckConstraint("round BETWEEN 1 AND 3", "round"),
        CheckConstraint(BOX, "box"),
        CheckConstraint("reviewer <> ''", "reviewer"),
        CheckConstraint(f"coalesce(value, '') || '|' || coalesce(note, '') !~ '{AADHAAR}'", "no_aadhaar"),
        Index("reviews_latest", "finding_id", text("id DESC")),
        Index("reviews_standing", "finding_id", "round", unique=True, postgresql_where=text("withdrawn_at IS NULL")),
        Index("reviews_decided", "decided_at", "id"),
    )

    id: Mapped[int] = number_column()
    finding_id: Mapped[int] = mapped_column(ForeignKey("findings.id"))
    reviewer: Mapped[str]
    decision: Mapped[str]
    value: Mapped[str | None]
    note: Mapped[str | None]
    decided_at: Mapped[datetime] = now_column()
    round: Mapped[int] = mapped_column(server_default=text("1"))
    box: Mapped[list[float] | None]
    withdrawn_at: Mapped[datetime | None]


class Endorser(Base):
    """Somebody allowed to endorse. Retired ones stay: endorsements of their time are still judged by them."""

    __tablename__ = "endorsers"
    __table_args__ = (
        CheckConstraint("name <> ''", "name"),
        CheckConstraint("valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to", "validity"),
        CheckConstraint("retired_at IS NULL OR valid_to IS NOT NULL", "retired_has_a_last_day"),
        Index(
            "endorsers_by_code",
            "employee_code",
            unique=True,
            postgresql_where=text("retired_at IS NULL AND employee_code IS NOT NULL"),
        ),
        Index(
            "endorsers_by_name",
            "name",
            "participant",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("retired_at IS NULL AND employee_code IS NULL"),
        ),
        Index("endorsers_by_place", "name", "id"),
    )

    id: Mapped[int] = number_column()
    name: Mapped[str]
    designation: Mapped[str | None]
    employee_code: Mapped[str | None]
    participant: Mapped[str | None]
    stamp_text: Mapped[str | None]
    document_types: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    created_at: Mapped[datetime] = now_column()
    updated_at: Mapped[datetime] = now_column()
    retired_at: Mapped[datetime | None]


class DoctypeVersion(Base):
    """Every content that a document type ever had here, by its digest."""

    __tablename__ = "doctype_versions"
    __table_args__ = (CheckConstraint("digest ~ '^[0-9a-f]{64}$'", "digest"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]
    registered_at: Mapped[datetime] = now_column()


class DoctypeSet(Base):
    """The types that were known together: what a scan's `doctypes_version` stands for."""

    __tablename__ = "doctype_sets"
    __table_args__ = (
        ForeignKeyConstraint(["key", "digest"], ["doctype_versions.key", "doctype_versions.digest"]),
        CheckConstraint("version <> ''", "version"),
    )

    version: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]


class ModelVersion(Base):
    """Weights with their calibration and metrics, immutable; only the stage moves. The folder of a version that was
    trained or imported here stands as an archive in the object store."""

    __tablename__ = "model_versions"
    __table_args__ = (
        CheckConstraint(one_of("stage", MODEL_STAGES), "stage"),
        CheckConstraint("(stage = 'canary') = (share IS NOT NULL)", "canary_has_a_share"),
        CheckConstraint("NOT taken_back OR stage = 'retired'", "taken_back_is_retired"),
        CheckConstraint("share > 0 AND share <= 1", "share"),
        Index("model_versions_production", "stage", unique=True, postgresql_where=text("stage = 'production'")),
        Index(
            "model_versions_trial", text("(true)"), unique=True, postgresql_where=text("stage IN ('shadow', 'canary')")
        ),
    )

    version: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(server_default="candidate")
    metrics: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    #: The version it was trained from, and what with: digests of data, recipe and code, counts of examples.
    parent: Mapped[str | None] = mapped_column(ForeignKey("model_versions.version"))
    lineage: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    #: The archive of its folder in the object store; None for one that came with the installation.
    key: Mapped[str | None]
    #: The share of documents that a canary judges.
    share: Mapped[float | None]
    #: It was in production once; and it was taken back, so that nothing stays cleared by it.
    was_production: Mapped[bool] = mapped_column(server_default=text("false"))
    taken_back: Mapped[bool] = mapped_column(server_default=text("false"))
    staged_by: Mapped[str] = mapped_column(server_default=text("''"))
    registered_at: Mapped[datetime] = now_column()
    staged_at: Mapped[datetime] = now_column()


class Event(Base):
    """A change of state as canonical JSON of ids and digests (`records/canonical.py`)."""

    __tablename__ = "events"
    __table_args__ = (Index("events_subject", "subject", "id", postgresql_where=text("subject IS NOT NULL")),)

    id: Mapped[int] = number_column()
    at: Mapped[datetime] = now_column()
    body: Mapped[str]
    kind: Mapped[str] = mapped_column(Computed("(body::jsonb) ->> 'kind'", persisted=True))
    subject: Mapped[str | None] = mapped_column(Computed("(body::jsonb) ->> 'subject'", persisted=True))


class Unchained(Base):
    """Events not yet in the chain, filled by a trigger on `events` and emptied by the chainer."""

    __tablename__ = "unchained"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True, autoincrement=False)


class Link(Base):
    """The chain: each link's hash covers the one before, so nothing in the middle can be changed unseen."""

    __tablename__ = "chain"
    __table_args__ = (
        CheckConstraint("sequence > 0", "sequence"),
        CheckConstraint("octet_length(previous_hash) = 32 AND octet_length(hash) = 32", "hashes"),
    )

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), unique=True)
    previous_hash: Mapped[bytes] = mapped_column(unique=True)
    hash: Mapped[bytes] = mapped_column(unique=True)
    linked_at: Mapped[datetime] = now_column()
