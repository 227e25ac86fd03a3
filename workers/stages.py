"""The two stages of a scan under a lease, and what an error in them means for the document."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from pipeline.pages import BadFile
from pipeline.reading import ReaderUnavailable
from records import database, handing, leases, model_versions
from records.traces import where
from records.words import Lease
from workers.heartbeat import LeaseLost, Work
from workers.infer import infer
from workers.outages import FailedAlone, outage
from workers.prepare import prepare
from workers.shadow import shadowed
from workers.station import Station

log = structlog.get_logger(__name__)

#: What becomes of a stage: committed; the lease was lost; a service is away; an error was charged; in quarantine.
DONE, LOST, WAITING, RETRIED, QUARANTINED = "done", "lost", "waiting", "retried", "quarantined"

Stage = Callable[[Station, Lease, Work], str]
"""Does the work, commits it under the lease, and returns what became of it. May raise anything."""


def do_prepare(station: Station, lease: Lease, work: Work) -> str:
    manifest = prepare(station, lease, work)
    with database.at_once(station.sessions) as session:
        return DONE if handing.prepared(session, lease, manifest.to_json()) else LOST


def do_infer(station: Station, lease: Lease, work: Work) -> str:
    judged = infer(station, lease, work)
    with station.sessions.begin() as session:
        if not model_versions.judges(session, judged.versions.model):
            raise ReaderUnavailable("the version that judged was rolled back meanwhile; another judges again")
        written = handing.judged(
            session,
            lease,
            judged.verdict,
            judged.findings,
            evidence_keys=judged.evidence_keys,
            versions=judged.versions,
            document_types=judged.document_types,
            timings=judged.timings,
            rules=station.rules,
        )
    if not written:
        return LOST
    shadowed(station, lease)
    return DONE


STAGES: dict[str, Stage] = {"prepare": do_prepare, "infer": do_infer}


def carry_out(station: Station, lease: Lease, work: Work, stage: Stage) -> str:
    """Does a stage, and writes what became of it; never raises for what a document or an outage does."""
    try:
        return stage(station, lease, work)
    except LeaseLost:
        return LOST
    except Exception as error:  # noqa: BLE001 — whatever it is, the scan goes somewhere.
        return give_back(station, lease, error)


def give_back(station: Station, lease: Lease, error: Exception) -> str:
    """Writes what an error means for the scan.

    A bad file goes into quarantine with its reason; an outage costs nothing; anything else is charged to the
    document, which is put in quarantine when it happens too often, or alone.
    """
    config = station.config
    try:
        with station.sessions.begin() as session:
            if isinstance(error, BadFile):
                log.warning("scan.bad_file", reason=error.reason)
                return QUARANTINED if leases.quarantine(session, lease, str(error)) else LOST
            charge = not outage(error)
            if charge:
                log.error("scan.error", error=type(error).__name__, where=where(error))
            else:
                log.warning("scan.waits", error=type(error).__name__)
            given = leases.failed(
                session,
                lease,
                _sentence(error),
                charge=charge,
                max_attempts=config.max_attempts,
                retry_seconds=config.retry_seconds if charge else config.outage_seconds,
            )
    except Exception as second:
        if not outage(second):
            raise
        # The lease runs out, and the reconciler gives the work back.
        log.warning("scan.not_given_back", error=type(second).__name__)
        return WAITING
    if given is None:
        return LOST
    return QUARANTINED if given == "quarantined" else RETRIED if charge else WAITING


def _sentence(error: Exception) -> str:
    """What a person is told. Only errors written for people speak for themselves; others may quote what they read."""
    if isinstance(error, FailedAlone | LookupError) and error.args:
        return str(error.args[0])
    return f"Scanning stopped at an error of kind {type(error).__name__}; the worker's log has the rest."
