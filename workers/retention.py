"""Retention: examples whose time is over, or that were taken back, are removed once a day."""

from __future__ import annotations

import structlog

from records import examples
from workers.outages import outage
from workers.station import Station

log = structlog.get_logger(__name__)


def expire_examples(station: Station) -> int | None:
    """How many examples were removed with their pictures; None where a service was away: the next day does it."""
    try:
        with station.sessions.begin() as session:
            gone = examples.expire(session, station.store, keep_days=station.config.identifier_example_days)
    except Exception as error:
        if not outage(error):
            raise
        log.warning("examples.not_expired", error=type(error).__name__)
        return None
    if gone:
        log.info("examples.expired", examples=gone)
    return gone
