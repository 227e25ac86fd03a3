"""When is a file finished? When two looks `seconds` apart see the same thing, also at start-up."""

from collections.abc import Callable
from dataclasses import dataclass

from ingest.tree import Entry

#: An empty file is often one that somebody has only just begun: it must stay as it is this many times longer.
EMPTY_PATIENCE = 5


@dataclass(slots=True)
class _Seen:
    entry: Entry
    since: float
    due: float


class Settling:
    """The files seen but not yet known to be finished. Times are seconds of any steady clock."""

    def __init__(self, seconds: float, capacity: int) -> None:
        self.seconds = seconds
        self.capacity = capacity
        # Every due time is the time of insertion plus the same wait, so the order of insertion is the order of dues.
        self._seen: dict[str, _Seen] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def note(self, entry: Entry, now: float) -> bool:
        """Remember what was seen; False when there is no room for it."""
        seen = self._seen.get(entry.path)
        if seen is not None and seen.entry == entry:
            return True
        if seen is None and len(self._seen) >= self.capacity:
            return False
        self._put(entry, now, now)
        return True

    @property
    def due(self) -> float | None:
        """When the next file is to be looked at again; None when there is none."""
        return next((seen.due for seen in self._seen.values()), None)

    def ready(self, look: Callable[[str], Entry | None], now: float, limit: int) -> list[Entry]:
        """Up to `limit` finished files, no longer remembered; each is looked at once more."""
        finished: list[Entry] = []
        while self._seen and len(finished) < limit:
            path, seen = next(iter(self._seen.items()))
            if seen.due > now:
                break
            del self._seen[path]
            entry = look(path)
            if entry is None or entry.is_folder:
                continue
            if entry != seen.entry:
                self._put(entry, now, now)
            elif entry.size == 0 and entry.is_file and now - seen.since < EMPTY_PATIENCE * self.seconds:
                self._put(entry, seen.since, now)
            else:
                finished.append(entry)
        return finished

    def _put(self, entry: Entry, since: float, now: float) -> None:
        self._seen.pop(entry.path, None)
        self._seen[entry.path] = _Seen(entry, since, now + self.seconds)
