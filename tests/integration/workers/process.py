"""A worker process of a test: `python -m tests.integration.workers.process prepare|infer CONFIG`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.integration.workers.scripted import install, reader
from workers.config import WorkerConfig
from workers.run import run_infer, run_prepare


def main() -> None:
    name, path = sys.argv[1:]
    config = WorkerConfig.from_json(Path(path).read_text())
    install()
    if name == "prepare":
        run_prepare(config)
    else:
        run_infer(config, reader)


if __name__ == "__main__":
    main()
