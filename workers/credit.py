"""A worker's credit with the broker: how many messages it may hold, some of them urgent ones only.

A worker whose slots are all taken by documents that can wait would let an urgent one wait until one of those is done.
So it may hold a few messages more, and those must be urgent: while it has no other credit left it looks into the lists
of higher priorities alone.

And kombu loses credit when Redis dies under it. A worker that holds as many messages as it may doesn't listen to Redis
until it has acknowledged one. Where Redis is killed meanwhile, the acknowledgement fails, and kombu counts that message
as held for good: after as many as there are slots the worker never listens again, and never notices that Redis is back.
Here the message is given up all the same. Nothing is lost by that: what a message stands for is a row in Postgres.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import virtual
from kombu.transport.redis import Channel, QoS, Transport
from redis.exceptions import RedisError

#: While a worker looks for urgent messages alone it looks so often (seconds) whether it may take others again.
LOOK_SECONDS = 0.1


class ForgivingQoS(QoS):
    """Gives credit back also where Redis could not be told."""

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except (RedisError, OSError):
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue=requeue)
        except (RedisError, OSError):
            virtual.QoS.ack(self, delivery_tag)
            raise


class UrgentChannel(Channel):
    """Keeps the last `kept` messages of its credit for urgent ones."""

    QoS = ForgivingQoS
    kept = 0

    def _brpop_start(self, timeout: float | None = None) -> None:
        most = self.qos.prefetch_count
        held = len(self.qos._delivered or ()) - len(self.qos._dirty or ())
        if not self.kept or not most or held < most - self.kept:
            super()._brpop_start(timeout)  # type: ignore[misc]
            return
        steps: Any = self.priority_steps
        self.priority_steps = steps[:-1]
        try:
            super()._brpop_start(LOOK_SECONDS)  # type: ignore[misc]
        finally:
            self.priority_steps = steps


def install(kept: int = 0) -> None:
    """Makes every connection of this process count its credit so, and keep so much of each for urgent messages."""
    UrgentChannel.kept = kept
    Transport.Channel = UrgentChannel
