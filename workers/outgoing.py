"""What leaves the system by itself: webhooks are told of verdicts and decisions, and once a day an e-mail goes out.

A loop of its own, and no Celery task: a webhook that answers slowly keeps nothing else waiting, and Redis may be
away. Several may run: a message, and a day's digest, is in one's hands at a time.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session, sessionmaker

from records import database, deliveries, digest
from records.deliveries import Due
from workers import mail, observe, webhooks
from workers.config import OutgoingConfig
from workers.outages import Backoff, outage
from workers.webhooks import BadWebhook, NotTaken

log = structlog.get_logger(__name__)

#: Seconds between two looks for messages, and for a digest that is due.
LOOK_SECONDS, DIGEST_SECONDS = 1.0, 60.0
#: Messages sent at the same time.
AT_ONCE = 8


def tell_once(config: OutgoingConfig, sessions: sessionmaker[Session]) -> int:
    """Make and send the messages that are due; how many were tried. Raises BadWebhook."""
    if not config.webhook_urls:
        return 0
    key = webhooks.key_of(config.webhook_secret or "")
    for url in config.webhook_urls:
        webhooks.check_url(url)
    with sessions.begin() as session:
        deliveries.subscribe(session, config.webhook_urls)
    with sessions.begin() as session:
        deliveries.spread(session, config.webhook_urls, decision_seconds=config.undo_seconds)
    with sessions.begin() as session:
        due = deliveries.take_due(session, config.webhook_urls)
    if due:
        # What a webhook is told of one document goes one after another: a verdict before the decision on it.
        about: dict[tuple[str, str], list[Due]] = defaultdict(list)
        for one in due:
            about[one.url, one.document_id].append(one)

        def tell(some: list[Due]) -> None:
            for one in some:
                _tell(config, sessions, key, one)

        with ThreadPoolExecutor(min(AT_ONCE, len(about))) as pool:
            list(pool.map(tell, about.values()))
    return len(due)


def _tell(config: OutgoingConfig, sessions: sessionmaker[Session], key: bytes, one: Due) -> None:
    try:
        webhooks.send(one.url, key, f"docvigil_{one.id}", one.body, private=config.webhook_private)
    except NotTaken as wrong:
        with sessions.begin() as session:
            dead = deliveries.failed(session, one, str(wrong), max_attempts=config.webhook_attempts)
        outcome = "dead" if dead else "again"
        log.warning("webhook.not_taken", delivery=one.id, attempts=one.attempts, outcome=outcome, error=str(wrong))
    else:
        with sessions.begin() as session:
            deliveries.delivered(session, one.id)
        outcome = "delivered"
        log.info("webhook.delivered", delivery=one.id, attempts=one.attempts)
    observe.MESSAGES.labels(outcome).inc()


def digest_once(config: OutgoingConfig, sessions: sessionmaker[Session], now: datetime) -> bool:
    """Send the digest of the day where its hour has come and it hasn't been sent; whether it was.

    It is noted in the transaction that sends it: a server that is away leaves the day open for the next look.
    """
    zone = ZoneInfo(config.timezone)
    here = now.astimezone(zone)
    if not config.mails or config.smtp_host is None or here.hour < config.digest_hour:
        return False
    with sessions.begin() as session:
        if not digest.first_today(session, here.date()):
            return False
        midnight = datetime.combine(here.date(), time_of_day.min, zone)
        yesterday = datetime.combine(here.date() - timedelta(days=1), time_of_day.min, zone)
        counts = digest.counted(session, yesterday, midnight)
        mail.send(
            mail.compose(counts, here.date(), config.link, config.digest_from, config.digest_to),
            config.smtp_host,
            config.smtp_port,
            security=config.smtp_security,
            user=config.smtp_user,
            password=config.smtp_password,
        )
    log.info("digest.sent", recipients=len(config.digest_to))
    return True


def run(config: OutgoingConfig, stop: threading.Event) -> None:
    """Sends until `stop` is set. Neither the database nor the mail server being away ends it."""
    engine = database.engine(config.database_url, pool_size=2)
    sessions, backoff = database.sessions(engine), Backoff()
    digest_at = 0.0
    log.info("outgoing.started", webhooks=len(config.webhook_urls), digest=config.mails)
    try:
        while not stop.is_set():
            wait = LOOK_SECONDS
            try:
                tell_once(config, sessions)
                if time.monotonic() >= digest_at:
                    digest_at = time.monotonic() + DIGEST_SECONDS
                    _try_digest(config, sessions)
                backoff.reset()
            except BadWebhook:
                raise
            except Exception as error:
                if not outage(error):
                    raise
                wait = backoff.next()
                log.warning("outgoing.waiting", error=type(error).__name__, seconds=round(wait, 1))
            stop.wait(wait)
    finally:
        engine.dispose()
    log.info("outgoing.stopped")


def _try_digest(config: OutgoingConfig, sessions: sessionmaker[Session]) -> None:
    try:
        digest_once(config, sessions, datetime.now(ZoneInfo(config.timezone)))
    except OSError as error:
        # What the server says may name people.
        log.warning("digest.not_sent", error=type(error).__name__)
