"""Anchoring the audit chain: its head, signed, into the object store."""

from __future__ import annotations

import structlog

from records.anchors import Anchor, Forged, anchor
from workers.outages import outage
from workers.station import Station

log = structlog.get_logger(__name__)


def anchor_head(station: Station) -> Anchor | None:
    """Anchors the head where it has moved. A service that is away is no harm: the next hour's anchor covers it."""
    try:
        with station.sessions.begin() as session:
            done = anchor(session, station.store, station.config.audit_key)
    except Forged as error:
        log.error("audit.forged", error=str(error))
        return None
    except Exception as error:
        if not outage(error):
            raise
        log.warning("audit.not_anchored", error=type(error).__name__)
        return None
    if done is not None:
        log.info("audit.anchored", number=done.number, sequence=done.head.sequence, signed=bool(done.signature))
    return done
