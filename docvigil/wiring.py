"""Where settings become the parts that lower layers ask for: the one place where model, workers and records meet."""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from pydantic import ValidationError
from sqlalchemy.orm import Session, sessionmaker

from docvigil import judgement
from docvigil.instance import Instance
from docvigil.judgement import model_folder
from docvigil.settings import BadSettings, Settings, settings
from ingest.config import WatchConfig
from ingest.intake import Intake
from models.calibration import Calibration
from models.checkpoint import digest
from pipeline.desk import BadDeskFile, DeskRules
from pipeline.doctypes.load import known
from pipeline.doctypes.propose import PrintedWords
from pipeline.doctypes.schema import DocumentType
from pipeline.locate import Atlas
from pipeline.marks import Detector
from pipeline.pages import Limits
from pipeline.reading import Reader
from pipeline.verdict import Judgement
from records.model_archives import fetch
from records.model_versions import standing
from records.objects import ObjectStore, open_store
from web.config import OidcConfig, WebConfig
from workers.config import OutgoingConfig, TrainingConfig, WorkerConfig

if TYPE_CHECKING:
    from models.cells import CellReader

log = structlog.get_logger(__name__)


def document_types(chosen: Settings) -> list[DocumentType]:
    """The built-in types and those in the folder of the settings, which may replace a built-in one by its name."""
    return known(chosen.types_folder)


def limits(chosen: Settings) -> Limits:
    return Limits(
        max_bytes=chosen.max_file_bytes,
        max_pixels=chosen.max_pixels,
        max_pages=chosen.max_pages,
        render_seconds=chosen.render_seconds,
        dpi=chosen.render_dpi,
    )


def atlas(chosen: Settings) -> Atlas:
    """The document types, ready for pages to be matched with."""
    return Atlas(document_types(chosen))


def printed_words() -> PrintedWords:
    """Who reads the print of whole pages."""
    from models.ocr import PAGE_SIDE, PrintReader

    return PrintReader(side=PAGE_SIDE).words


def detector(chosen: Settings) -> Detector:
    """Who finds signatures on pages of free layout: the detector beside the model, else the one that ships. Imports
    torch."""
    from models.spotting import WEIGHTS, Spotter

    folder = Path(chosen.model_folder) if chosen.model_folder is not None else None
    return Spotter.from_folder(folder if folder is not None and (folder / WEIGHTS).is_file() else None)


def reader(chosen: Settings, folder: Path | None = None) -> Reader:
    """The model for ink (of that folder, else the one that the settings name), batched across callers by the engine,
    and OCR for print. Imports torch."""
    from models.reader import load_reader

    ink = load_reader(folder or chosen.model_folder, chosen.model_precision)
    return shared(chosen, ink, ink.calibration, ink.cells)


def shared(chosen: Settings, ink: Reader, calibration: Calibration, cells: CellReader | None = None) -> Reader:
    """A model for ink, batched across callers by the engine, and OCR for print. Comb boxes are read one by one too, and
    OCR checks what else the model is unsure of, where its calibration says what that is worth. Imports torch."""
    import torch

    from models.crosscheck import checked
    from models.engine import Engine
    from models.ocr import InkAndPrintReader, PrintReader
    from models.thrift import thrifty

    thrifty()
    torch.set_num_threads(chosen.model_threads or _threads(chosen, ink))
    engine = Engine(ink, max_batch=chosen.max_batch, max_wait_ms=chosen.max_wait_ms)
    engine.warm_up()
    return InkAndPrintReader(checked(engine, calibration, cells), PrintReader())


def _threads(chosen: Settings, ink: Reader) -> int:
    """How many threads a model is worth."""
    from models.reader import ModelReader

    # The products of a small model are done before a second thread has begun.
    if isinstance(ink, ModelReader):
        return 1
    # Threads that wait for each other's turn on a busy core take ten times as long as one alone.
    return max(1, (os.cpu_count() or 1) - chosen.prepare_processes)


def own_reader() -> Reader:
    """The reader of a process that has only its environment: a document that runs alone."""
    return reader(settings())


def registered_reader(version: str, key: str) -> tuple[Reader, Judgement]:
    """The reader of a version whose archive stands in the object store under `key`, kept in the instance's folder from
    then on; and by what its answers are judged."""
    chosen = settings()
    judged_by = judgement.judgement(chosen, _store(chosen), version)
    return reader(chosen, registered_folder(chosen, version, key)), judged_by


def registered_folder(chosen: Settings, version: str, key: str) -> Path:
    """The folder of a version that the registry knows. Raises what `records.model_archives.fetch` does."""
    return fetch(_store(chosen), key, version, chosen.home / "models", digest)


def _store(chosen: Settings) -> ObjectStore:
    return open_store(chosen.objects, endpoint_url=chosen.s3_endpoint_url)


def registered(chosen: Settings, session: Session) -> tuple[str, str] | None:
    """The version in production and the key of its archive, where the records name one and the settings no folder."""
    found = standing(session).production
    if chosen.model_folder is not None or found is None or found.key is None:
        return None
    return found.version, found.key


def present_model(chosen: Settings, session: Session) -> str:
    """The version that documents are judged by today."""
    found = registered(chosen, session)
    return digest(model_folder(chosen)) if found is None else found[0]


def worker_config(chosen: Settings, instance: Instance) -> WorkerConfig:
    """What worker processes are told."""
    judged_by = judgement.usual_judgement(chosen)
    return WorkerConfig(
        database_url=instance.database_url,
        redis_url=instance.redis_url,
        object_store=instance.object_store,
        object_store_endpoint=chosen.s3_endpoint_url,
        reader="docvigil.wiring:own_reader",
        # Who names a folder wants that model and no other.
        registered=None if chosen.model_folder is not None else "docvigil.wiring:registered_reader",
        start_up="docvigil.logging:set_up",
        doctypes_folder=str(chosen.types_folder),
        rules=judged_by.rules,
        audit_key=chosen.audit_key_bytes,
        lease_seconds=chosen.lease_seconds,
        heartbeat_seconds=chosen.heartbeat_seconds,
        reconcile_seconds=chosen.reconcile_seconds,
        window=chosen.relay_window,
        prepare_processes=chosen.prepare_processes,
        infer_threads=chosen.infer_threads,
        max_attempts=chosen.max_attempts,
        limits=limits(chosen),
        clear=judged_by.thresholds.clear,
        default_clear=judged_by.thresholds.default_clear,
        skip_blank_pages=chosen.blank_pages == "skip",
        identifier_example_days=chosen.identifier_example_days,
        desk=desk_rules(chosen).model_dump(mode="json"),
        guard=chosen.guard,
        shadow_documents=chosen.shadow_documents,
        canary_documents=chosen.canary_documents,
        canary_misses=chosen.canary_misses,
        canary_false_alarms=chosen.canary_false_alarms,
        canary_share=chosen.canary_share,
        timezone=chosen.timezone,
        retrain_at=None if chosen.retrain_at == "never" else chosen.retrain_at,
    )


def training_config(chosen: Settings, sessions: sessionmaker[Session], store: ObjectStore) -> TrainingConfig:
    """What the process that trains is told. Raises BadSettings for a recipe that isn't there."""

    def in_production() -> tuple[str, Path]:
        with sessions.begin() as session:
            found = registered(chosen, session)
        if found is None:
            folder = model_folder(chosen)
            return digest(folder), folder
        return found[0], fetch(store, found[1], found[0], chosen.trainings_folder / "versions", digest)

    recipe = Path(chosen.retrain_recipe)
    if recipe.suffix not in (".yaml", ".yml"):
        recipe = Path(str(files("models.training") / f"{chosen.retrain_recipe}.yaml"))
    if not recipe.is_file():
        raise BadSettings(f"DOCVIGIL_RETRAIN_RECIPE: there is no recipe {chosen.retrain_recipe}")
    python = (sys.executable, "-m")
    return TrainingConfig(
        folder=chosen.trainings_folder,
        recipe=recipe.resolve(),
        train=(*python, "docvigil", "train"),
        calibrate=(*python, "models.training.calibrate"),
        judge=(*python, "models.training.judged"),
        production=in_production,
        version=digest,
        code=code_digest(),
        least_examples=chosen.retrain_examples,
        identifier_example_days=chosen.identifier_example_days,
        calibration_documents=chosen.retrain_calibration,
        threads=chosen.retrain_threads or max(1, (os.cpu_count() or 1) // 2),
        drawers=chosen.retrain_drawers,
        nice=chosen.retrain_nice,
        memory_bytes=chosen.retrain_memory_bytes,
        hours=chosen.retrain_hours,
        report_to=chosen.retrain_report_to,
    )


def code_digest() -> str:
    """Sixteen hexadecimal digits that change with the code of the model and the domain: with what a training does."""
    sha = hashlib.sha256()
    for package in ("models", "pipeline"):
        root = Path(str(files(package)))
        for path in sorted(root.rglob("*.py")):
            sha.update(f"{package}/{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return sha.hexdigest()[:16]


def desk_rules(chosen: Settings) -> DeskRules:
    """The rules of the reviewers' desk. Raises BadDeskFile."""
    values: dict[str, Any] = {
        "audit_rate": chosen.audit_rate,
        "canary_audit_rate": chosen.canary_audit_rate,
        "selected_per_day": chosen.selected_per_day,
        "claim_seconds": chosen.claim_seconds,
        "undo_seconds": chosen.undo_seconds,
        "four_eyes": chosen.four_eyes,
        "dismissals": chosen.dismissals,
        "dismissal_days": chosen.dismissal_days,
        "calendar": {"timezone": chosen.timezone},
    }
    usual = chosen.home / "desk.yaml"
    file = chosen.desk_file or (usual if usual.is_file() else None)
    try:
        return DeskRules.model_validate(values) if file is None else DeskRules.load(file, **values)
    except ValidationError as wrong:
        raise BadDeskFile(f"DOCVIGIL_FOUR_EYES: {wrong.errors()[0]['msg']}") from None


def outgoing_config(chosen: Settings, instance: Instance) -> OutgoingConfig:
    """What the process that sends webhooks and e-mail is told."""
    secret, password = chosen.webhook_secret, chosen.smtp_password
    return OutgoingConfig(
        database_url=instance.database_url,
        webhook_urls=chosen.webhook_urls,
        webhook_secret=None if secret is None else secret.get_secret_value(),
        webhook_private=chosen.webhook_private,
        webhook_attempts=chosen.webhook_attempts,
        undo_seconds=chosen.undo_seconds,
        smtp_host=chosen.smtp_host,
        smtp_port=chosen.smtp_port,
        smtp_user=chosen.smtp_user,
        smtp_password=None if password is None else password.get_secret_value(),
        smtp_security=chosen.smtp_security,
        digest_from=chosen.digest_from,
        digest_to=chosen.digest_to,
        digest_hour=chosen.digest_hour,
        timezone=chosen.timezone,
        link=chosen.public_url or f"http://{chosen.web_host}:{chosen.web_port}",
    )


def watch_config(chosen: Settings, instance: Instance) -> WatchConfig:
    """What watchers are told."""
    return WatchConfig(
        database_url=instance.database_url,
        object_store=instance.object_store,
        s3_endpoint_url=chosen.s3_endpoint_url,
        sqs_queue_urls=chosen.sqs_queue_urls,
        timezone=chosen.timezone,
        max_file_bytes=chosen.max_file_bytes,
        stable_seconds=chosen.stable_seconds,
        rescan_seconds=chosen.rescan_seconds,
        in_place=chosen.in_place,
        priorities=chosen.source_priorities,
        parallel=chosen.intake_parallel,
    )


def intake(chosen: Settings, sessions: sessionmaker[Session], store: ObjectStore) -> Intake:
    """The way in for files that a person or a program hands over."""
    return Intake(sessions, store, timezone=chosen.timezone, max_bytes=chosen.max_file_bytes)


def web_config(chosen: Settings, instance: Instance) -> WebConfig:
    """What the desk and the API are told."""
    # Under another name a page of somebody else could reach a desk that listens on this machine only.
    named = chosen.public_url is not None or chosen.web_host in ("127.0.0.1", "::1", "localhost")
    hosts = {urlsplit(chosen.web_url).hostname or "", "localhost", "127.0.0.1", "[::1]"}
    return WebConfig(
        database_url=instance.database_url,
        redis_url=instance.redis_url,
        object_store=instance.object_store,
        object_store_endpoint=chosen.s3_endpoint_url,
        public_url=chosen.web_url,
        timezone=chosen.timezone,
        max_file_bytes=chosen.max_file_bytes,
        doctypes_folder=chosen.types_folder,
        oidc=_oidc(chosen),
        rules=desk_rules(chosen),
        promises=judgement.promises(chosen, open_store(instance.object_store, endpoint_url=chosen.s3_endpoint_url)),
        hosts=tuple(sorted(hosts)) if named else (),
        session=timedelta(hours=chosen.session_hours),
        idle=timedelta(minutes=chosen.idle_minutes),
        token=timedelta(minutes=chosen.token_minutes),
        invitation=timedelta(hours=chosen.invitation_hours),
        lockout_failures=chosen.lockout_failures,
        lockout=timedelta(minutes=chosen.lockout_minutes),
        signin_rate=chosen.signin_rate,
        api_rate=chosen.api_rate,
    )


def _oidc(chosen: Settings) -> OidcConfig | None:
    if chosen.oidc_issuer is None or chosen.oidc_client_id is None:
        return None
    secret = chosen.oidc_client_secret
    return OidcConfig(
        issuer=chosen.oidc_issuer,
        client_id=chosen.oidc_client_id,
        client_secret=None if secret is None else secret.get_secret_value(),
        audience=chosen.oidc_audience,
        roles_claim=chosen.oidc_roles_claim,
        role_names=chosen.oidc_role_names,
        scopes=chosen.oidc_scopes,
        algorithms=chosen.oidc_algorithms,
    )
