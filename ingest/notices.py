"""What the kernel says has happened beneath a folder. It may miss things (network shares, too many folders, names
that are no text): listings find those."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog
from watchfiles import Change, watch

from records.outages import Backoff

log = structlog.get_logger(__name__)

#: Paths remembered at a time; with more than these, listing the folder is the better way.
CAPACITY = 10_000
#: Changes that come close together are told together: gathered for so long at most, looked for so often.
GATHER_MS, STEP_MS = 400, 50
#: After an error of the system (too many folders to watch) it is asked again after so long.
AGAIN_SECONDS = 60.0


class Notices:
    """Listens in a thread of its own, from `with` to the end of its block."""

    def __init__(self, root: Path, wanted: Callable[[str], bool]) -> None:
        """`wanted` decides by the path relative to the root."""
        self._root = root
        self._wanted = wanted
        self._paths: set[str] = set()
        self._missed = False
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="notices", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def wait(self, seconds: float) -> None:
        """Until there is news, for so long at most."""
        with self._news:
            if not self._paths and not self._missed:
                self._news.wait(seconds)

    def take(self) -> tuple[set[str], bool]:
        """The paths since the last call, and whether there were others that can't be named."""
        with self._news:
            paths, missed = self._paths, self._missed
            self._paths, self._missed = set(), False
        return paths, missed

    def _listen(self) -> None:
        backoff = Backoff()
        while not self._stop.is_set():
            try:
                for changes in watch(
                    self._root,
                    watch_filter=self._filter,
                    debounce=GATHER_MS,
                    step=STEP_MS,
                    stop_event=self._stop,
                    raise_interrupt=False,
                    ignore_permission_denied=True,
                ):
                    self._add(path for _, path in changes)
                    backoff.reset()
            except OSError as error:
                log.warning("folder.no_notices", errno=error.errno, hint="the folder is listed instead")
                self._stop.wait(AGAIN_SECONDS)
            except RuntimeError:
                # A name that is no UTF-8 ends the library's watch; it is begun again, and a listing finds the name.
                self._stop.wait(backoff.next())
                self._miss()

    def _filter(self, change: Change, path: str) -> bool:
        return change is not Change.deleted and self._wanted(self._relative(path))

    def _add(self, paths: Iterable[str]) -> None:
        with self._news:
            for path in paths:
                if len(self._paths) < CAPACITY:
                    self._paths.add(self._relative(path))
                else:
                    self._missed = True
            self._news.notify_all()

    def _miss(self) -> None:
        with self._news:
            self._missed = True
            self._news.notify_all()

    def _relative(self, path: str) -> str:
        return path.removeprefix(str(self._root)).lstrip("/")
