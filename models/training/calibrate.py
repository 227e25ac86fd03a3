"""Fits a checkpoint's calibration: `python -m models.training.calibrate CHECKPOINT`.

For each question kind one curve on the confidence that the answer is right, and one on the probability that anything
stands there at all. The evidence is drawn with the calibration half of the test split: a model is surer of hands it
was trained on than it has a right to be.
"""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from models.calibration import Calibration, fit
from models.nanovlm.tokens import ASKED
from models.reader import ModelReader
from models.training.evaluate import answered, drawn_for, right


def calibrate(folder: Path, count: int, processes: int = 1) -> Calibration:
    """Fits the curves on `count` evidences a kind and writes them into the checkpoint's folder."""
    # What the folder says already must not be fitted on top of.
    reader = ModelReader.from_folder(folder).uncalibrated()
    curves = {}
    for kind in (one.value for one in ASKED):
        drawn = drawn_for("calibration", kind, None, count, processes)
        answers = answered(reader, drawn)
        hits = [right(one, answer) for one, answer in zip(drawn, answers, strict=True)]
        there = [one.answer != ("<empty>",) for one in drawn]
        curves[kind] = fit([answer.confidence for answer in answers], hits)
        curves[f"{kind}.present"] = fit([answer.present for answer in answers], there)
    calibration = Calibration(curves)
    about = "synthesised evidence, calibration half of the test split"
    calibration.save(folder, data=about, evidences=count, date=datetime.now(UTC).date().isoformat())
    return calibration


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--count", type=int, default=2000, help="evidences a kind")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="that draw")
    given = parser.parse_args()
    calibrate(given.checkpoint, given.count, given.processes)


if __name__ == "__main__":
    main()
