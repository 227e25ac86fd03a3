"""A watcher process of a test: `python -m tests.integration.ingest.process CONFIG SOURCE…`."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from ingest.config import WatchConfig
from ingest.watch import run


def main() -> None:
    values = json.loads(Path(sys.argv[1]).read_text())
    run(sys.argv[2:], WatchConfig(**{**values, "sqs_queue_urls": tuple(values["sqs_queue_urls"])}), threading.Event())


if __name__ == "__main__":
    main()
