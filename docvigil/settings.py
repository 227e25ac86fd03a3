"""Every setting, in one place. Each is an environment variable `DOCVIGIL_<NAME>`; README lists them.

Secrets (passwords in URLs, the audit key) come from the environment only and are never logged.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.calendar import Timezone

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Port = Annotated[int, Field(ge=0, le=65535)]
Probability = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseSettings):
    """Unset, everything works on one machine with embedded services under `home`."""

    model_config = SettingsConfigDict(env_prefix="DOCVIGIL_", frozen=True)

    #: Folder of the embedded instance: its data, logs and the user's document types.
    home: Path = Path("~/.docvigil")
    #: Postgres 17 or newer, as the application's role: `postgresql://USER:PASSWORD@HOST/DATABASE`.
    database_url: SecretStr | None = None
    #: The same database as the role that owns the tables, for `migrate`; the application's role if unset.
    owner_database_url: SecretStr | None = None
    #: Redis 7 or newer (or Valkey), `redis://`, `rediss://` or `unix://`.
    redis_url: SecretStr | None = None
    #: Where originals, pages and evidence are kept: a folder or `s3://BUCKET/PREFIX`; `home/objects` if unset.
    object_store: str | None = None
    #: S3-compatible servers other than AWS.
    s3_endpoint_url: str | None = None
    #: Signs the head of the audit chain: 32 bytes as 64 hexadecimal digits. Unset, heads are anchored unsigned.
    audit_key: SecretStr | None = None

    #: Dates on documents are judged against the day of arrival here.
    timezone: Timezone = "Asia/Kolkata"
    #: Folder of the user's document types; `home/doctypes` if unset.
    doctypes_folder: Path | None = None
    #: Folder of a checkpoint; the bundled one if unset.
    model_folder: Path | None = None

    #: A larger file is refused.
    max_file_bytes: Count = 200 * 2**20
    #: A file that has a page, or a picture on one, of more pixels is put in quarantine.
    max_pixels: Count = 100_000_000
    #: A file of more pages is put in quarantine.
    max_pages: Count = 500
    #: A file whose pages take longer to render is put in quarantine.
    render_seconds: Seconds = 60.0
    #: Pages are brought to this resolution, finer ones made coarser.
    render_dpi: Annotated[float, Field(ge=72, le=600)] = 200.0

    #: A file is whole when neither size nor time has changed for so long.
    stable_seconds: Seconds = 2.0
    #: Folders and buckets are listed again after so long, whatever notifications said.
    rescan_seconds: Seconds = 30.0
    #: Leave files of watched folders where they are.
    in_place: bool = False
    #: SQS queues that tell of new objects in watched buckets (JSON list of URLs).
    sqs_queue_urls: tuple[str, ...] = ()
    #: Documents of a source with a higher number are scanned first; by the source as it is given (JSON object).
    source_priorities: dict[str, int] = {}
    #: Files of one source that are taken in at the same time.
    intake_parallel: Count = 8

    #: Work belongs to a silent worker for so long; then another may take it up.
    lease_seconds: Seconds = 60.0
    #: How often a worker says that it is at work; at most a third of the lease.
    heartbeat_seconds: Seconds = 10.0
    #: How often the work of lost workers is looked for.
    reconcile_seconds: Seconds = 5.0
    #: Ids a queue that are in Redis and not yet taken up.
    relay_window: Count = 32
    #: Errors of its own that a document may raise before it is put in quarantine.
    max_attempts: Count = 3

    #: Documents prepared at the same time: pages rendered, forms recognised, fields cut out.
    prepare_processes: Count = 2
    #: Documents that wait for the model at the same time, and four more that are urgent; more than `max_batch` fills
    #: its batches.
    infer_threads: Count = 32
    #: Evidences a batch of the model, at most.
    max_batch: Count = 64
    #: How long a question may wait for company in a batch, in milliseconds.
    max_wait_ms: Annotated[float, Field(ge=0)] = 15.0
    #: Numbers that the model computes in. In `fp32` it reads alike on every machine. In `bf16` the products of the
    #: bundled kind, or all of a published nanoVLM, are quicker on processors that have it; few of the bundled kind's
    #: answers change (`docvigil bench agreement` counts them), of others more. `int8` is quicker still for a published
    #: nanoVLM on a processor, and changes more: measure it on your own documents. `auto` is `bf16` for the bundled kind
    #: where the processor has it, else `fp32`.
    model_precision: Literal["auto", "fp32", "bf16", "int8"] = "auto"
    #: Threads of the model; unset, one for the bundled kind, which gains nothing by more, and for others the cores that
    #: the processes of `prepare` leave.
    model_threads: Count | None = None

    #: Below this probability a pass is uncertain, hence flagged, where neither `clear` nor the model's bound names the
    #: check.
    default_clear: Probability = 0.5
    #: The same for single checks, by their names (JSON object), for example `{"date.missing": 0.9}`. It goes before the
    #: thresholds of the model's bound (`bound.json` in its folder); lower ones end the bound, higher ones don't.
    clear: dict[str, Probability] = {}
    #: What pages without any ink do in a document that has others: `flag` it, or `skip`: they are only counted. A form
    #: fed the wrong way round looks like a blank backside, so skip only where the scanner takes both sides.
    blank_pages: Literal["flag", "skip"] = "flag"

    #: Relay, reconciler, workers and beat offer metrics for Prometheus at this port, on all interfaces; `docvigil up`
    #: those of all its processes, to this machine only. 0: nowhere.
    metrics_port: Port = 0

    #: Where the desk and the API listen; `0.0.0.0` is every address of this machine.
    web_host: str = "127.0.0.1"
    #: Its port; `docvigil up` takes a free one where the usual one is taken and none is set.
    web_port: Annotated[int, Field(ge=1, le=65535)] = 8321
    #: Where browsers find the desk, for example `https://docvigil.example.org`; host and port if unset.
    public_url: str | None = None
    #: TLS certificate (with its chain) and key, as PEM files; both or neither. A proxy may do TLS instead.
    tls_certificate: Path | None = None
    #: The certificate's private key.
    tls_key: Path | None = None
    #: Addresses or networks of proxies whose `X-Forwarded-For` is believed (JSON list).
    trusted_proxies: tuple[str, ...] = ()
    #: A sign-in ends after so long.
    session_hours: Annotated[float, Field(gt=0)] = 12.0
    #: A sign-in ends when its owner wasn't there for so long.
    idle_minutes: Annotated[float, Field(gt=0)] = 60.0
    #: A token of the built-in issuer is valid for so long.
    token_minutes: Annotated[float, Field(gt=0)] = 60.0
    #: A link by which a user chooses a password is valid for so long.
    invitation_hours: Annotated[float, Field(gt=0)] = 168.0
    #: So many wrong passwords in a row lock a name for a while.
    lockout_failures: Count = 5
    #: A name is locked for so long.
    lockout_minutes: Annotated[float, Field(gt=0)] = 15.0
    #: Attempts to sign in from one address, a minute.
    signin_rate: Count = 20
    #: Requests of one person or program, a minute.
    api_rate: Count = 1200

    #: An OpenID Connect issuer that signs people and programs in, as it names itself; unset, docvigil does it.
    oidc_issuer: str | None = None
    #: What the issuer calls docvigil; its redirect URI there is the public URL with `/sign-in/callback`.
    oidc_client_id: str | None = None
    #: The secret of a confidential client; also needed to ask about tokens that are not signed.
    oidc_client_secret: SecretStr | None = None
    #: What access tokens of programs must be meant for (`aud`); unset, the issuer's tokens are not accepted.
    oidc_audience: str | None = None
    #: The claim that has the roles; dots lead into objects, as in `realm_access.roles`.
    oidc_roles_claim: str = "roles"
    #: Our roles by the issuer's names for them (JSON object), for example `{"ops-l2": "supervisor"}`.
    oidc_role_names: dict[str, str] = {}
    #: Scopes to ask for (JSON list); with `offline_access` the issuer is asked again while somebody works.
    oidc_scopes: tuple[str, ...] = ("openid", "profile")
    #: Signature algorithms that are accepted (JSON list).
    oidc_algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "EdDSA")

    #: A YAML file with the working calendar and the hours within which documents must be decided (`calendar:`, `due:`,
    #: docs/desk.md); `home/desk.yaml` if unset and there.
    desk_file: Path | None = None
    #: This share of the clear documents is looked at by reviewers all the same, drawn at random and unmarked.
    audit_rate: Probability = 0.01
    #: The same of documents that a canary (a new model on trial) cleared.
    canary_audit_rate: Probability = 0.2
    #: At most so many clear documents of a day are looked at afterwards because their answers teach the model most:
    #: the least certain, those on which versions of the model differ, those of checks whose confidences drift. Unmarked
    #: as the audit's are, and counted in no bound; 0: none.
    selected_per_day: Annotated[int, Field(ge=0)] = 5
    #: A document is in a reviewer's hands for so long after the last sign of life.
    claim_seconds: Seconds = 900.0
    #: A decision may be taken back for so long; webhooks are told of it afterwards.
    undo_seconds: Annotated[float, Field(ge=0)] = 60.0
    #: Checks whose findings need the opinion of a second reviewer, who doesn't see the first's (JSON list).
    four_eyes: tuple[str, ...] = ()
    #: So many dismissals of one check on one field of a type suggest that its threshold or template is wrong.
    dismissals: Count = 5
    #: They are counted over so many days.
    dismissal_days: Count = 30

    #: When a better model is trained from what reviewers decided, in `timezone`, as cron writes it (minute, hour, day,
    #: month, weekday), or `never`; the default is 02:00 on the first day of each quarter.
    retrain_at: str = "0 2 1 1,4,7,10 *"
    #: Whether a new model that the gate let pass goes on by itself from shadow to canary and into production, and back
    #: where it errs; otherwise people move it (`docvigil models promote`, `rollback`).
    guard: bool = True
    #: Documents that a new model reads in shadow before it may become a canary.
    shadow_documents: Count = 500
    #: Documents that a canary judges before it may come into production.
    canary_documents: Count = 500
    #: The share of the documents that a canary judges, where the guard makes it one.
    canary_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    #: Of the documents that a new model cleared, the share with a defect above which it goes back.
    canary_misses: Annotated[float, Field(gt=0, lt=1)] = 0.01
    #: Of the documents that a new model flagged, the share without a defect above which it goes back; unset, five
    #: points more than production is shown to raise at most, and a half while too few of its documents were decided.
    canary_false_alarms: Annotated[float, Field(gt=0, lt=1)] | None = None
    #: A training that has fewer examples from reviewers to learn from is refused.
    retrain_examples: Count = 200
    #: Crops of identifiers that reviewers decided on are kept as examples for so many days after the decision.
    identifier_example_days: Count = 365
    #: The recipe of trainings: a YAML file, or one that ships by its name.
    retrain_recipe: str = "feedback"
    #: Where trainings keep their states and drawn evidence; `home/trainings` if unset.
    retrain_folder: Path | None = None
    #: Forms that are drawn to calibrate a trained model's confidence on; 0: not at all.
    retrain_calibration: Annotated[int, Field(ge=0)] = 80
    #: Threads of a training; unset, half of the cores.
    retrain_threads: Count | None = None
    #: Processes that draw evidence for a training.
    retrain_drawers: Count = 1
    #: How far a training stands behind everything else on the machine, 19 the farthest.
    retrain_nice: Annotated[int, Field(ge=0, le=19)] = 10
    #: Address space of each process of a training; 0: no limit, which CUDA needs.
    retrain_memory_bytes: Annotated[int, Field(ge=0)] = 32 * 2**30
    #: A training whose steps take longer, all together, has failed.
    retrain_hours: Annotated[float, Field(gt=0)] = 72.0
    #: Where trainings send their numbers besides the records; the package must be installed.
    retrain_report_to: Literal["none", "tensorboard", "wandb", "mlflow"] = "none"

    #: Addresses that are told of every verdict and decision, signed (JSON list of URLs; docs/webhooks.md).
    webhook_urls: tuple[str, ...] = ()
    #: Signs what webhooks are told: `whsec_` and 24 to 64 bytes in base64.
    webhook_secret: SecretStr | None = None
    #: Let webhooks be addresses of private networks.
    webhook_private: bool = False
    #: A message that a webhook doesn't take is given up after so many attempts, which take about two days.
    webhook_attempts: Count = 14

    #: The server that takes e-mail; unset, no digest is sent.
    smtp_host: str | None = None
    #: Its port.
    smtp_port: Port = 587
    #: Whom the server lets send, where it asks.
    smtp_user: str | None = None
    #: That user's password.
    smtp_password: SecretStr | None = None
    #: `starttls` or `tls`; `none` for a server on this machine.
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    #: Whom the daily digest comes from.
    digest_from: str = "docvigil@localhost"
    #: Who gets the daily digest (JSON list of addresses).
    digest_to: tuple[str, ...] = ()
    #: The hour of the day, in `timezone`, from which it is sent.
    digest_hour: Annotated[int, Field(ge=0, le=23)] = 8

    #: `auto` is readable in a terminal and JSON everywhere else.
    log_format: Literal["auto", "json", "console"] = "auto"
    #: Lines of lower levels are left out.
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    #: Write the log to this file instead of standard error.
    log_file: Path | None = None

    # Children of `docvigil up` stand in another folder, and must find the same places.
    @field_validator(
        "home",
        "doctypes_folder",
        "model_folder",
        "log_file",
        "tls_certificate",
        "tls_key",
        "desk_file",
        "retrain_folder",
    )
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().resolve()

    @field_validator("object_store")
    @classmethod
    def _absolute_store(cls, store: str | None) -> str | None:
        return store if store is None or "://" in store else str(Path(store).expanduser().resolve())

    @field_validator("retrain_at")
    @classmethod
    def _is_a_schedule(cls, at: str) -> str:
        if at != cls.model_fields["retrain_at"].default and at != "never":
            # Celery takes a while to import, and only who sets this needs it.
            from celery.schedules import crontab

            try:
                crontab.from_string(at)
            except ValueError as wrong:
                raise ValueError(f"{at!r} is no time as cron writes it, such as '0 2 1 1,4,7,10 *'") from wrong
        return at

    @field_validator("public_url")
    @classmethod
    def _is_a_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(f"{url!r} is no address of a host, such as https://docvigil.example.org")
        return url.rstrip("/")

    @field_validator("oidc_algorithms")
    @classmethod
    def _are_of_keys(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        # With a shared secret, or none, whoever checks a token could also make one.
        if wrong := [name for name in names if name.lower() == "none" or name.startswith("HS")]:
            raise ValueError(f"{', '.join(wrong)} can't be accepted; name algorithms of public keys, such as RS256")
        return names

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if (self.database_url is None) != (self.redis_url is None):
            raise ValueError("DOCVIGIL_DATABASE_URL and DOCVIGIL_REDIS_URL belong together: set both or neither")
        if self.lease_seconds < 3 * self.heartbeat_seconds:
            raise ValueError("DOCVIGIL_LEASE_SECONDS must be at least three times DOCVIGIL_HEARTBEAT_SECONDS")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("DOCVIGIL_TLS_CERTIFICATE and DOCVIGIL_TLS_KEY belong together: set both or neither")
        if self.oidc_issuer is not None and self.oidc_client_id is None:
            raise ValueError("DOCVIGIL_OIDC_ISSUER needs DOCVIGIL_OIDC_CLIENT_ID, docvigil's name at the issuer")
        if self.oidc_audience is not None and self.oidc_audience == self.oidc_client_id:
            raise ValueError("DOCVIGIL_OIDC_AUDIENCE must differ from the client id: ID tokens are no access tokens")
        if self.audit_key is not None and len(_hex(self.audit_key)) != 32:
            raise ValueError("DOCVIGIL_AUDIT_KEY must be 64 hexadecimal digits, for example of `openssl rand -hex 32`")
        if self.webhook_urls and self.webhook_secret is None:
            raise ValueError("DOCVIGIL_WEBHOOK_URLS needs DOCVIGIL_WEBHOOK_SECRET: nothing goes out unsigned")
        return self

    @property
    def external(self) -> bool:
        """Whether Postgres and Redis are somebody else's and only used here."""
        return self.database_url is not None

    @property
    def web_url(self) -> str:
        """Where browsers find the desk."""
        if self.public_url is not None:
            return self.public_url
        host = "localhost" if self.web_host in ("0.0.0.0", "::", "127.0.0.1", "::1") else self.web_host  # noqa: S104
        return f"{'https' if self.tls_certificate else 'http'}://{host}:{self.web_port}"

    @property
    def types_folder(self) -> Path:
        return self.doctypes_folder or self.home / "doctypes"

    @property
    def trainings_folder(self) -> Path:
        return self.retrain_folder or self.home / "trainings"

    @property
    def objects(self) -> str:
        return self.object_store or str(self.home / "objects")

    @property
    def audit_key_bytes(self) -> bytes | None:
        return None if self.audit_key is None else _hex(self.audit_key)


def _hex(key: SecretStr) -> bytes:
    try:
        return bytes.fromhex(key.get_secret_value())
    except ValueError:
        return b""


class BadSettings(ValueError):
    """A setting is wrong; the message names each."""


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process. Raises BadSettings."""
    try:
        return Settings()
    except ValidationError as wrong:
        lines = []
        for error in wrong.errors(include_input=False, include_url=False):
            name = "DOCVIGIL_" + "_".join(str(part) for part in error["loc"]).upper() if error["loc"] else "settings"
            lines.append(f"{name}: {error['msg'].removeprefix('Value error, ')}")
        raise BadSettings("; ".join(lines)) from None
