"""The version in shadow: it reads what was just judged, and what it would have said is written down beside it."""

from __future__ import annotations

import structlog

from records import shadow_scans
from records.traces import where
from records.words import Lease
from workers import observe
from workers.heartbeat import Work
from workers.infer import reconsider
from workers.station import Station

log = structlog.get_logger(__name__)


def shadowed(station: Station, lease: Lease) -> None:
    """Does nothing while no version is in shadow. The verdict is committed and the lease is over: whatever goes wrong
    here is counted, and the scan is one that the shadow hasn't seen."""
    if station.fleet is None:
        return
    try:
        with station.fleet.shadow() as reader:
            if reader is None:
                return
            verdict, findings = reconsider(station, reader, lease, Work((lease.scan_id, lease.token)))
            version = reader.version
        with station.sessions.begin() as session:
            shadow_scans.add(session, lease.scan_id, version, verdict, findings)
        observe.SHADOWED.labels("written").inc()
    except Exception as error:  # noqa: BLE001 — nobody waits for what a shadow says.
        observe.SHADOWED.labels("failed").inc()
        log.warning("shadow.failed", scan=lease.scan_id, error=type(error).__name__, where=where(error))
