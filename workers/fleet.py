"""The versions of the model that answer in this process, and which of them answers for a document.

What the records say is looked at every few seconds. A version that is new is loaded beside those at work, and takes
over when it is ready; one that nobody asks any more is closed when its last question is answered. So no document waits
for a change, and each is judged by one version from beginning to end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from pipeline.canary import judged_by_canary
from pipeline.reading import Reader
from records.model_versions import Staged, Standing
from workers.outages import outage

log = structlog.get_logger(__name__)

#: A version that could not be loaded is tried again after so long.
AGAIN_SECONDS = 60.0


@dataclass(slots=True)
class _Loaded:
    reader: Reader
    users: int = 0
    wanted: bool = True


class Fleet:
    """Hands out readers. `default` is the reader that came with the installation, in production where the records name
    no other; `load` makes one from a version and the key of its archive, None where the settings pin the default."""

    def __init__(
        self,
        default: Reader,
        standing: Callable[[], Standing],
        load: Callable[[str, str], Reader] | None = None,
        refresh_seconds: float = 5.0,
    ) -> None:
        self._default, self._standing, self._load = default, standing, load
        self._refresh = refresh_seconds
        self._lock = threading.Lock()
        self._loaded = {default.version: _Loaded(default)}
        self._failed: dict[str, float] = {}
        self._loading: threading.Thread | None = None
        self._looked_at = -1e9
        self._now = Standing()
        self._production = default.version

    @property
    def moved_at(self) -> float:
        """On the monotonic clock: when a reader last finished a batch, of those that tell."""
        with self._lock:
            return max(float(getattr(one.reader, "moved_at", 0.0)) for one in self._loaded.values())

    @contextmanager
    def judging(self, document_id: str) -> Iterator[Reader]:
        """The reader that judges a document: the canary's for its share, else the one in production."""
        self.look()
        with self._using(self.version_for(document_id)) as reader:
            yield reader

    def version_for(self, document_id: str) -> str:
        """The version that judges a document, as things stand."""
        with self._lock:
            trial = self._now.trial
            if (
                trial is not None
                and trial.stage == "canary"
                and trial.version in self._loaded
                and judged_by_canary(document_id, trial.version, trial.share or 0)
            ):
                return trial.version
            return self._production

    @contextmanager
    def shadow(self) -> Iterator[Reader | None]:
        """The reader in shadow, None while there is none."""
        with self._lock:
            trial = self._now.trial
            version = trial.version if trial is not None and trial.stage == "shadow" else None
            if version not in self._loaded:
                version = None
        if version is None:
            yield None
            return
        with self._using(version) as reader:
            yield reader

    def look(self, *, wait: bool = False) -> None:
        """Looks at the records if it is time; `wait` until what they name is loaded. While they can't be had, what is
        known stays."""
        with self._lock:
            due = self._load is not None and (wait or time.monotonic() - self._looked_at >= self._refresh)
            if not due or (self._loading is not None and self._loading.is_alive() and not wait):
                return
            self._looked_at = time.monotonic()
        try:
            now = self._standing()
        except Exception as error:
            if not outage(error):
                raise
            log.warning("fleet.not_looked", error=type(error).__name__)
            return
        with self._lock:
            self._now = now
            missing = [one for one in _named(now) if one.version not in self._loaded and self._may_load(one.version)]
            self._settle()
        if not missing:
            return
        thread = threading.Thread(target=self._fetch, args=(missing,), name="fleet", daemon=True)
        self._loading = thread
        thread.start()
        if wait:
            thread.join()

    def close(self) -> None:
        for one in self._loaded.values():
            _close(one.reader)

    def _fetch(self, missing: list[Staged]) -> None:
        for one in missing:
            try:
                reader = self._load(one.version, one.key or "") if self._load is not None else None
            except Exception as error:  # noqa: BLE001 — the versions at work go on, whatever is wrong with this one.
                log.error("fleet.not_loaded", version=one.version, error=type(error).__name__)
                with self._lock:
                    self._failed[one.version] = time.monotonic()
                continue
            if reader is None:
                continue
            log.info("fleet.loaded", version=one.version, stage=one.stage)
            with self._lock:
                self._loaded[one.version] = _Loaded(reader)
                self._settle()

    def _may_load(self, version: str) -> bool:
        return time.monotonic() - self._failed.get(version, -1e9) >= AGAIN_SECONDS

    def _settle(self) -> None:
        """Who is in production here, and who is wanted no more."""
        production = self._now.production
        if production is None or production.key is None:
            self._production = self._default.version
        elif production.version in self._loaded:
            self._production = production.version
        wanted = {self._production, self._default.version, *(one.version for one in _named(self._now))}
        for version, one in list(self._loaded.items()):
            one.wanted = version in wanted
            self._let_go(version)

    @contextmanager
    def _using(self, version: str) -> Iterator[Reader]:
        with self._lock:
            # It may have been let go since it was chosen.
            one = self._loaded.get(version) or self._loaded[self._production]
            one.users += 1
        try:
            yield one.reader
        finally:
            with self._lock:
                one.users -= 1
                self._let_go(one.reader.version)

    def _let_go(self, version: str) -> None:
        one = self._loaded.get(version)
        if one is not None and not one.wanted and not one.users:
            del self._loaded[version]
            _close(one.reader)
            log.info("fleet.let_go", version=version)


def _named(standing: Standing) -> list[Staged]:
    """The versions with an archive that the records name."""
    return [one for one in (standing.production, standing.trial) if one is not None and one.key is not None]


def _close(reader: Reader) -> None:
    close = getattr(reader, "close", None)
    if close is not None:
        close()
