"""One watcher a source, each in a thread, for as long as the process runs."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ingest.config import WatchConfig


def run(sources: Sequence[str], config: WatchConfig, stop: threading.Event) -> None:
    """Watches folders and buckets (`s3://BUCKET/PREFIX`) until `stop` is set. Raises BadSource before it starts."""
    raise NotImplementedError


class BadSource(ValueError):
    """A source can't be watched; the message says which and what to do."""
