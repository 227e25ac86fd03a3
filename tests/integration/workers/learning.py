"""The process that trains, in a test: `python -m tests.integration.workers.learning FOLDER`.

It trains with the real program and a tiny recipe. `FOLDER/config.json` is the workers' configuration, `FOLDER/start` a
tiny checkpoint, `FOLDER/tiny.yaml` the recipe.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docvigil import logging
from models.checkpoint import digest
from tests.integration.workers import schooling
from workers.config import TrainingConfig, WorkerConfig
from workers.run import run_train


def training_config(folder: Path) -> TrainingConfig:
    python = (sys.executable, "-m")
    return TrainingConfig(
        folder=folder / "trainings",
        recipe=folder / "tiny.yaml",
        train=(*python, "docvigil", "train"),
        calibrate=(*python, "models.training.calibrate"),
        judge=(*python, "models.training.judged"),
        production=lambda: (digest(folder / "start"), folder / "start"),
        version=digest,
        code="of the test",
        least_examples=20,
        calibration_documents=0,
        drawers=0,
        nice=3,
        memory_bytes=2**36,
    )


def main() -> None:
    folder = Path(sys.argv[1])
    logging.set_up()
    schooling.install()
    run_train(WorkerConfig.from_json((folder / "config.json").read_text()), training_config(folder))


if __name__ == "__main__":
    main()
