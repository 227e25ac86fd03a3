"""The tables of what is learned: examples, the golden set, trainings, what versions were measured at and promise.

Model versions themselves stand in `records/tables.py`, since scans name them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from records.privacy import AADHAAR
from records.tables import Base, now_column, number_column, one_of

TRAINING_CAUSES = ("scheduled", "asked", "drift")
TRAINING_STAGES = (
    "waiting",
    "gathering",
    "training",
    "evaluating",
    "passed",
    "refused",
    "failed",
    "cancelled",
)
#: A training at one of these stages is under way: one at a time.
RUNNING_STAGES = ("gathering", "training", "evaluating")
FINISHED_STAGES = ("passed", "refused", "failed", "cancelled")
#: Why a document was looked at by the person whose decision an example is.
CHOSEN = ("flagged", "drawn", "selected", "reopened", "labelled")
EVALUATION_SETS = ("golden", "fresh", "shadow", "canary")


class LearningExample(Base):
    """One evidence with the answer that a person says is right (`pipeline.feedback.Example`), and where it comes from.

    A picture is kept once a question; a later decision about it replaces the answer. `set_aside` says why it is not
    learned from although it is kept.
    """

    __tablename__ = "examples"
    __table_args__ = (
        UniqueConstraint("picture", "kind"),
        CheckConstraint("picture ~ '^[0-9a-f]{64}$'", "picture"),
        CheckConstraint(one_of("chosen", CHOSEN), "chosen"),
        CheckConstraint(r""""check" ~ '^[a-z]+\.[a-z]+$'""", "check"),
        CheckConstraint(f"coalesce(value, '') !~ '{AADHAAR}'", "no_aadhaar"),
        CheckConstraint("coalesce(identifier, '') !~ '^aadhaar'", "no_aadhaar_field"),
        CheckConstraint("golden_set_id IS NULL OR held_out", "golden_is_held_out"),
        CheckConstraint("num_nonnulls(review_id, label_id) < 2", "one_origin"),
        Index("examples_document", "document_id"),
        Index("examples_review", "review_id"),
        Index("examples_label", "label_id", postgresql_where=text("label_id IS NOT NULL")),
        Index("examples_golden", "golden_set_id", postgresql_where=text("golden_set_id IS NOT NULL")),
        Index("examples_expiring", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    )

    id: Mapped[int] = number_column()
    #: SHA-256 of the PNG, which stands in the object store under `key`.
    picture: Mapped[str]
    key: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    value: Mapped[str | None]
    label: Mapped[str | None]
    cells: Mapped[int | None]
    identifier: Mapped[str | None]
    #: The defect class that the answer decides.
    check: Mapped[str]
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"))
    #: The decision or the label that it comes from; the label's sets stand in `label_tasks`.
    review_id: Mapped[int | None] = mapped_column(ForeignKey("reviews.id"))
    label_id: Mapped[int | None] = mapped_column(ForeignKey("labels.id"))
    reviewer: Mapped[str]
    #: Another person said the same, blind.
    confirmed: Mapped[bool] = mapped_column(server_default=text("false"))
    model_version: Mapped[str]
    #: Whether that version was right.
    right: Mapped[bool]
    chosen: Mapped[str]
    held_out: Mapped[bool]
    set_aside: Mapped[str | None]
    golden_set_id: Mapped[int | None] = mapped_column(ForeignKey("golden_sets.id"))
    #: Crops of identifiers are kept no longer than this.
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = now_column()


class GoldenSet(Base):
    """Examples by which versions are compared; frozen, and added to by a later set, which holds the former's too."""

    __tablename__ = "golden_sets"
    __table_args__ = (CheckConstraint("digest ~ '^[0-9a-f]{64}$'", "digest"),)

    id: Mapped[int] = number_column()
    digest: Mapped[str] = mapped_column(unique=True)
    examples: Mapped[int]
    frozen_by: Mapped[str]
    frozen_at: Mapped[datetime] = now_column()


class Training(Base):
    """One attempt at a better version, from the examples to what the gate said."""

    __tablename__ = "trainings"
    __table_args__ = (
        CheckConstraint(one_of("cause", TRAINING_CAUSES), "cause"),
        CheckConstraint(one_of("stage", TRAINING_STAGES), "stage"),
        CheckConstraint("(lease_owner IS NULL) = (lease_expires_at IS NULL)", "lease_is_whole"),
        CheckConstraint(f"({one_of('stage', FINISHED_STAGES)}) = (finished_at IS NOT NULL)", "finished_has_a_time"),
        CheckConstraint("stage <> 'passed' OR candidate IS NOT NULL", "passed_has_a_candidate"),
        CheckConstraint("stage <> 'failed' OR error IS NOT NULL", "failed_says_why"),
        Index(
            "trainings_one_runs", text("(true)"), unique=True, postgresql_where=text(one_of("stage", RUNNING_STAGES))
        ),
        # A quarter's training is asked for once, however often the calendar rings.
        Index("trainings_once_a_quarter", "due_on", unique=True, postgresql_where=text("due_on IS NOT NULL")),
    )

    id: Mapped[int] = number_column()
    cause: Mapped[str]
    asked_by: Mapped[str]
    due_on: Mapped[date | None]
    stage: Mapped[str] = mapped_column(server_default="waiting")
    #: The version it goes on from, and the one it gave.
    parent: Mapped[str | None] = mapped_column(ForeignKey("model_versions.version"))
    candidate: Mapped[str | None] = mapped_column(ForeignKey("model_versions.version"))
    golden_set_id: Mapped[int | None] = mapped_column(ForeignKey("golden_sets.id"))
    #: Steps done and to do, loss, counts of examples: what a person watching wants to know.
    progress: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    error: Mapped[str | None]
    lease_owner: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]
    token: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = now_column()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Evaluation(Base):
    """How a version did on a set beside the one in production then: `classes` by check, with what the gate said."""

    __tablename__ = "evaluations"
    __table_args__ = (
        CheckConstraint(one_of('"set"', EVALUATION_SETS), "set"),
        CheckConstraint("(\"set\" = 'golden') = (golden_set_id IS NOT NULL)", "golden_names_its_set"),
        Index("evaluations_of_version", "version", "at"),
    )

    id: Mapped[int] = number_column()
    version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    baseline: Mapped[str | None] = mapped_column(ForeignKey("model_versions.version"))
    training_id: Mapped[int | None] = mapped_column(ForeignKey("trainings.id"))
    set: Mapped[str]
    golden_set_id: Mapped[int | None] = mapped_column(ForeignKey("golden_sets.id"))
    classes: Mapped[dict[str, Any]]
    passed: Mapped[bool | None]
    reasons: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    at: Mapped[datetime] = now_column()


class ShadowScan(Base):
    """What a version in shadow would have said of a scan; nothing follows from it."""

    __tablename__ = "shadow_scans"
    __table_args__ = (
        CheckConstraint("verdict IN ('clear', 'flagged')", "verdict"),
        Index("shadow_scans_of", "version"),
    )

    scan_id: Mapped[int] = mapped_column(ForeignKey("scans.id"), primary_key=True, autoincrement=False)
    version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"), primary_key=True)
    verdict: Mapped[str]
    #: One finding an entry: page, field, check, ordinal, outcome, confidence. No values.
    findings: Mapped[list[dict[str, Any]]]
    at: Mapped[datetime] = now_column()


class BoundReading(Base):
    """The miss bound of a defect class as it stood when labels had arrived. `upper` holds at every reading at once."""

    __tablename__ = "bound_readings"
    __table_args__ = (
        CheckConstraint("missed >= 0 AND labels >= 0", "counts"),
        CheckConstraint("upper BETWEEN 0 AND 1", "upper"),
        UniqueConstraint("version", "check", "labels", "missed"),
        Index("bound_readings_at", "version", "check", "at"),
    )

    id: Mapped[int] = number_column()
    version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    check: Mapped[str]
    #: Defects that people have labelled, and those of them that ended as clear, both weighted by how they were found.
    labels: Mapped[float]
    missed: Mapped[float]
    upper: Mapped[float]
    at: Mapped[datetime] = now_column()


class DriftReading(Base):
    """How far a check's confidences have moved since the version was staged (population stability index)."""

    __tablename__ = "drift_readings"
    __table_args__ = (Index("drift_readings_at", "version", "check", "at"),)

    id: Mapped[int] = number_column()
    version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    check: Mapped[str]
    findings: Mapped[int]
    index: Mapped[float]
    drifted: Mapped[bool]
    at: Mapped[datetime] = now_column()
