"""The relay's pace: how long it gathers ids before it sends them."""

from __future__ import annotations

import time

#: After a ring it is waited so long for others (seconds): at first, and at last while they keep coming. Without a ring
#: for so long the next one is a first one again.
GATHER_SECONDS, REST_SECONDS = (0.02, 0.25), 0.5


class Pace:
    """How long is waited after a ring before the next round: a round costs the same for one id as for a window of
    them, so that they grow apart while ids keep coming, until one takes half a window."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._seconds, self._rang_at = GATHER_SECONDS[0], 0.0

    def sent(self, most: int) -> None:
        """A round sent so many ids to the queue that got the most."""
        least, longest = GATHER_SECONDS
        if most > self._window // 2:
            self._seconds = max(least, self._seconds / 2)
        elif most:
            self._seconds = min(longest, self._seconds * 2)

    def rang(self) -> float:
        """It rings: seconds to wait for others. The first ring after a while is followed by few."""
        now = time.monotonic()
        if now - self._rang_at > REST_SECONDS:
            self._seconds = GATHER_SECONDS[0]
        self._rang_at = now
        return self._seconds
