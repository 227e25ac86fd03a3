"""Whose fault is it? What a service that is away raises, apart from what a document raises."""

from __future__ import annotations

from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from pipeline.reading import ReaderUnavailable
from records import outages
from records.outages import FIRST_WAIT, LONGEST_WAIT, Backoff

__all__ = ["FIRST_WAIT", "LONGEST_WAIT", "Backoff", "FailedAlone", "TypesUnavailable", "outage"]


class TypesUnavailable(RuntimeError):
    """The document types can't be read; the message says which file is wrong."""


class FailedAlone(RuntimeError):
    """The process of a document that ran alone died or took too long; the text is for a person."""


def outage(error: BaseException) -> bool:
    """Whether the database, the broker, the object store or the model is away: work waits, nothing is charged."""
    return isinstance(error, ReaderUnavailable | TypesUnavailable | BrokerError | RedisError) or outages.outage(error)
