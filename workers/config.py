"""What a worker process must be told. Plain values: `docvigil.settings` fills them in, and they travel as JSON to the
process of a document that runs alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from pipeline.pages import Limits


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """One object for all processes, so that they agree on leases and windows."""

    database_url: str
    redis_url: str
    object_store: str
    #: Where the reader comes from, as `package.module:function`. Only the processes that ask the model call it.
    reader: str
    #: What makes a reader of a version and the key of its archive, and says by what its answers are judged, likewise;
    #: None where the settings pin the model.
    registered: str | None = None
    #: A folder of the user's own document types, beside the built-in ones.
    doctypes_folder: str | None = None
    #: Version of checks, rules and thresholds, written with every verdict of a version that has none of its own.
    rules: str = "1"
    object_store_endpoint: str | None = None
    #: What a process that the workers start themselves calls first (logging), as `package.module:function`.
    start_up: str | None = None
    #: Signs the heads of the audit chain: an Ed25519 private key of 32 bytes. It stays in the process that was told it.
    audit_key: bytes | None = field(default=None, repr=False)

    #: How long work belongs to a worker that says nothing.
    lease_seconds: float = 60.0
    #: How often a worker says that it is still at work.
    heartbeat_seconds: float = 10.0
    #: Work without a step forward for so long is no longer reported as alive.
    stall_seconds: float = 180.0
    #: A process in which nothing has moved for so long ends itself.
    hang_seconds: float = 300.0

    #: Ids a queue that are published and not yet taken up, at most.
    window: int = 32
    #: How long the relay waits for a ring before it looks for work, after it has sent some.
    relay_seconds: float = 0.25
    #: After so long without being taken up, an id that the broker no longer holds is published again.
    publish_seconds: float = 5.0
    #: How often expired leases are given back.
    reconcile_seconds: float = 5.0
    #: Whether versions on trial move by themselves, and how often they are looked at.
    guard: bool = True
    guard_seconds: float = 30.0
    #: Documents in shadow and as a canary before a version may go on, and the shares of misses and of false alarms
    #: above which it goes back; None: by what production raises.
    shadow_documents: int = 500
    canary_documents: int = 500
    canary_misses: float = 0.01
    canary_false_alarms: float | None = None
    #: The share of the documents that a canary judges.
    canary_share: float = 0.2
    #: How often bounds and drift are read anew.
    watch_seconds: float = 3600.0
    #: How often events are appended to the audit chain.
    chain_seconds: float = 0.5

    #: Processes that prepare, and threads that wait for the model.
    prepare_processes: int = 2
    infer_threads: int = 32
    #: A process that prepares makes room for a new one after so many documents.
    prepare_tasks_per_process: int = 500
    #: A document may take so long to prepare; then its process is killed.
    prepare_seconds: float = 1800.0
    #: The same for a document that runs alone, in either stage.
    alone_seconds: float = 3600.0
    #: Address space of a process that prepares, and of one that runs a document alone (which may hold the model).
    prepare_memory_bytes: int = 6 * 2**30
    alone_memory_bytes: int = 24 * 2**30
    #: Errors of its own that a document may raise before it is put in quarantine.
    max_attempts: int = 3
    #: After the first of them it waits so long; twice as long after each further one.
    retry_seconds: float = 5.0
    #: Work that could not be done through no fault of the document waits so long.
    outage_seconds: float = 2.0

    #: Register and document types are read again after so long.
    refresh_seconds: float = 5.0
    #: Questions asked of the reader at once, at most, by one document.
    questions_at_once: int = 256

    limits: Limits = field(default_factory=Limits)
    #: The probability from which an outcome counts as sure, a check; `default_clear` for those not named.
    clear: Mapping[str, float] = field(default_factory=dict)
    default_clear: float = 0.5
    #: The calendar's time zone, and when it has a training due there, as cron writes it; None: never.
    timezone: str = "Asia/Kolkata"
    retrain_at: str | None = None
    #: Days that crops of identifiers are kept as examples.
    identifier_example_days: int = 365
    #: Rules of the reviewers' desk, as the JSON of `pipeline.desk.DeskRules`.
    desk: Mapping[str, Any] = field(default_factory=dict)
    #: Whether pages without ink are passed over, and not a reason to flag a document.
    skip_blank_pages: bool = False

    def to_json(self) -> str:
        """For a process that scans one document; it has no business with the audit key."""
        return json.dumps({**asdict(self), "audit_key": None})

    @classmethod
    def from_json(cls, text: str) -> Self:
        values = json.loads(text)
        return cls(**{**values, "limits": Limits(**values["limits"])})


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What the process that trains is told besides; `docvigil.settings` explains each."""

    #: Where trainings keep their data and states, a folder each, and drawn evidence.
    folder: Path
    #: The file of the recipe.
    recipe: Path
    #: The commands that train, calibrate and compare, without what is theirs to work on.
    train: tuple[str, ...]
    calibrate: tuple[str, ...]
    judge: tuple[str, ...]
    #: The version in production, and a folder that holds it.
    production: Callable[[], tuple[str, Path]]
    #: The version that a folder holds.
    version: Callable[[Path], str]
    #: Digest of the code that trains, for the lineage.
    code: str = ""
    least_examples: int = 200
    identifier_example_days: int = 365
    calibration_documents: int = 80
    threads: int = 1
    drawers: int = 1
    nice: int = 10
    memory_bytes: int = 0
    hours: float = 72.0
    report_to: str = "none"
    #: A training in which nothing moves for so long is given up by its worker; drawing evidence takes its time.
    stall_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class OutgoingConfig:
    """What the process that sends webhooks and e-mail is told; `docvigil.settings` explains each."""

    database_url: str
    webhook_urls: tuple[str, ...] = ()
    webhook_secret: str | None = field(default=None, repr=False)
    webhook_private: bool = False
    webhook_attempts: int = 14
    undo_seconds: float = 60.0
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_user: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    smtp_security: str = "starttls"
    digest_from: str = "docvigil@localhost"
    digest_to: tuple[str, ...] = ()
    digest_hour: int = 8
    timezone: str = "Asia/Kolkata"
    link: str = "http://127.0.0.1:8321"

    @property
    def anything(self) -> bool:
        """Whether there is anything to send at all."""
        return bool(self.webhook_urls) or self.mails

    @property
    def mails(self) -> bool:
        return self.smtp_host is not None and bool(self.digest_to)
