"""Whose fault is it? What a service that is away raises, apart from what a document raises."""

from __future__ import annotations

import random

from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from pipeline.reading import ReaderUnavailable
from records.database import transient
from records.objects import StoreUnavailable


class TypesUnavailable(RuntimeError):
    """The document types can't be read; the message says which file is wrong."""


class FailedAlone(RuntimeError):
    """The process of a document that ran alone died or took too long; the text is for a person."""


#: Seconds: waiting starts here and doubles up to the limit.
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0


def outage(error: BaseException) -> bool:
    """Whether the database, the broker, the object store or the model is away: work waits, nothing is charged."""
    if isinstance(error, ReaderUnavailable | StoreUnavailable | TypesUnavailable | BrokerError | RedisError):
        return True
    # What the operating system says (disk full, folder gone) has a number; decoders raise OSError without one.
    return (isinstance(error, OSError) and error.errno is not None) or transient(error)


class Backoff:
    """Waits that grow while nothing works, with some chance in them so that processes don't knock together."""

    def __init__(self) -> None:
        self._wait = FIRST_WAIT

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        wait, self._wait = self._wait, min(LONGEST_WAIT, self._wait * 2)
        return wait * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        self._wait = FIRST_WAIT
