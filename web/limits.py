"""How often somebody may ask: counted in Redis, a window of a minute at a time.

Without Redis nothing is limited, and the log says so: the lock on a name after wrong secrets is kept in Postgres.
"""

from __future__ import annotations

import hashlib

import structlog
from redis import Redis, RedisError

from web.problems import TooMany

log = structlog.get_logger(__name__)

#: KEYS[1] the counter of one caller and purpose; ARGV[1] the length of a window in seconds. Returns the count.
COUNT = """
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return n
"""
WINDOW_SECONDS = 60


class Limits:
    """May be shared by threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._count = redis.register_script(COUNT)

    def spend(self, purpose: str, who: str, most: int) -> None:
        """Counts one request. Raises TooMany from the one after `most` a minute on."""
        key = f"docvigil:rate:{purpose}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"
        try:
            count = int(self._count(keys=[key], args=[WINDOW_SECONDS]))
        except RedisError as error:
            log.warning("limits.off", error=type(error).__name__)
            return
        if count > most:
            raise TooMany("That was too often. Wait a minute, then go on.", WINDOW_SECONDS)
