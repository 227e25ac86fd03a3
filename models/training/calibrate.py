"""Fits a checkpoint's calibration: `python -m models.training.calibrate CHECKPOINT`.

For each question kind one curve on the confidence that the answer is right, and one on the probability that anything
stands there at all. A model is surer of hands it was trained on than it has a right to be, so fonts, digits and signers
are those of the test split. Evidence is what the pipeline cuts from whole forms, as it is in use; marks, which stand in
no field, are drawn singly.
"""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from models.calibration import Calibration, fit
from models.reader import ModelReader
from models.training.evaluate import answered, cut_from_forms, drawn_for, right

#: Forms for calibration have numbers from here on, far from those of training.
FIRST_DOCUMENT = 5_000_000


def calibrate(folder: Path, documents: int, marks: int, processes: int = 1) -> Calibration:
    """Fits the curves on the evidence of so many forms, and so many marks, and writes them into the checkpoint's
    folder."""
    # What the folder says already must not be fitted on top of.
    reader = ModelReader.from_folder(folder).uncalibrated()
    cut = cut_from_forms(documents, FIRST_DOCUMENT, processes)
    drawn = cut + drawn_for("calibration", "mark", None, marks, processes)
    curves = {}
    for kind in sorted({one.kind for one in drawn}):
        own = [one for one in drawn if one.kind == kind]
        answers = answered(reader, own)
        hits = [right(one, answer) for one, answer in zip(own, answers, strict=True)]
        there = [one.answer != ("<empty>",) for one in own]
        curves[kind] = fit([answer.confidence for answer in answers], hits)
        curves[f"{kind}.present"] = fit([answer.present for answer in answers], there)
    calibration = Calibration(curves)
    about = f"evidence of {documents} synthesised forms and {marks} marks, test split"
    calibration.save(folder, data=about, evidences=len(drawn), date=datetime.now(UTC).date().isoformat())
    return calibration


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--documents", type=int, default=80, help="forms")
    parser.add_argument("--marks", type=int, default=300)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="that draw")
    given = parser.parse_args()
    calibrate(given.checkpoint, given.documents, given.marks, given.processes)


if __name__ == "__main__":
    main()
