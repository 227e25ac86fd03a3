"""A worker's credit with the broker: how many messages it may hold. kombu loses some when Redis dies under it.

A worker that holds as many messages as it may doesn't listen to Redis until it has acknowledged one. Where Redis is
killed meanwhile, the acknowledgement fails, and kombu counts that message as held for good: after as many as there are
slots the worker never listens again, and never notices that Redis is back. Here the message is given up all the same.
Nothing is lost by that: what a message stands for is a row in Postgres.
"""

from __future__ import annotations

from kombu.transport import virtual
from kombu.transport.redis import Channel, QoS
from redis.exceptions import RedisError


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


def install() -> None:
    """Makes every connection of this process count its credit so."""
    Channel.QoS = ForgivingQoS
