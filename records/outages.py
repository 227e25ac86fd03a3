"""Is it the document's fault? What a database or object store that is away raises, and how long to wait."""

from __future__ import annotations

import random

from records.database import transient
from records.objects import StoreUnavailable

#: Seconds: waiting starts here and doubles up to the limit.
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0


def outage(error: BaseException) -> bool:
    """Whether the database or the object store is away: work waits, nothing is charged."""
    # What the operating system says (disk full, folder gone) has a number; decoders raise OSError without one.
    return (
        isinstance(error, StoreUnavailable)
        or (isinstance(error, OSError) and error.errno is not None)
        or transient(error)
    )


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
