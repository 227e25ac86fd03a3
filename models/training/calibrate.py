"""Fits a checkpoint's calibration: `python -m models.training.calibrate CHECKPOINT [--feedback FOLDER]`.

For each question kind one curve on the confidence that the answer is right, and one on the probability that anything
stands there at all. Strings in comb boxes are read box by box too (`models.boxes`), with a curve for what comes of it;
those still in doubt are read by the recogniser of print, and what it makes of them has a curve each
(`models.crosscheck`). A model is surer of hands it was trained on than it has a right to be, so fonts, digits and
signers are those of the test split. Evidence is what the pipeline cuts from whole forms, as it is in use; marks, which
stand in no field, are drawn singly.

With feedback the curves are fitted on what reviewers said, where there is enough of a kind: what paper has come to look
like since, drawn evidence doesn't know. The weights stay as they are.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

from models import boxes
from models.calibration import Calibration, Curve, fit
from models.cells import CellReader
from models.crosscheck import CrossCheck
from models.ocr import LineReader
from models.reader import ModelReader
from models.synthesis.evidence import Drawn
from models.training.evaluate import answered, cut_from_forms, drawn_for, question, right
from models.training.feedback import shown
from pipeline.reading import Answer, Reader

log = structlog.get_logger(__name__)

#: Forms for calibration have numbers from here on, far from those of training.
FIRST_DOCUMENT = 5_000_000

#: Of fewer examples nothing is fitted.
LEAST_EXAMPLES = 50


def calibrate(folder: Path, documents: int, marks: int, processes: int = 1) -> Calibration:
    """Fits the curves on the evidence of so many forms, and so many marks, and writes them into the checkpoint's
    folder."""
    # What the folder says already must not be fitted on top of.
    reader = ModelReader.from_folder(folder).uncalibrated()
    cut = cut_from_forms(documents, FIRST_DOCUMENT, processes)
    drawn = cut + drawn_for("calibration", "mark", None, marks, processes)
    curves: dict[str, Curve] = {}
    for kind in sorted({one.kind for one in drawn}):
        curves |= curves_of(reader, kind, [one for one in drawn if one.kind == kind], reader.cells)
    calibration = Calibration(curves)
    about = f"evidence of {documents} synthesised forms and {marks} marks, test split"
    calibration.save(folder, data=about, evidences=len(drawn), date=datetime.now(UTC).date().isoformat())
    return calibration


def refit(folder: Path, taught: Path, least: int = LEAST_EXAMPLES) -> Calibration:
    """Fits the curves of each kind of which reviewers gave at least so many examples, leaves the others as they are,
    and writes them into the checkpoint's folder. Raises ValueError where there is enough of no kind."""
    reader = ModelReader.from_folder(folder).uncalibrated()
    examples = [one for _, one in shown(taught)]
    curves = dict(Calibration.load(folder).curves)
    fitted = {kind: count for kind, count in Counter(one.kind for one in examples).items() if count >= least}
    if not fitted:
        raise ValueError(f"{taught} holds {least} examples of no kind, which a calibration needs")
    for kind in fitted:
        # What is worth something beside another curve of this kind goes with it.
        curves = {name: curve for name, curve in curves.items() if name.split(".")[0] != kind}
        curves |= curves_of(reader, kind, [one for one in examples if one.kind == kind], reader.cells)
    calibration = Calibration(curves)
    about = "reviewers' examples: " + ", ".join(f"{count} {kind}" for kind, count in sorted(fitted.items()))
    calibration.save(folder, data=about, evidences=sum(fitted.values()), date=datetime.now(UTC).date().isoformat())
    return calibration


def curves_of(reader: Reader, kind: str, drawn: Sequence[Drawn], cells: CellReader | None = None) -> dict[str, Curve]:
    """The curve of a kind's answers being right, that of anything being there, that of what was read in boxes, and
    those of the check."""
    answers = answered(reader, drawn)
    hits = [right(one, answer) for one, answer in zip(drawn, answers, strict=True)]
    there = [one.answer != ("<empty>",) for one in drawn]
    own = fit([answer.confidence for answer in answers], hits)
    told = [replace(answer, confidence=own(answer.confidence)) for answer in answers]
    return {
        kind: own,
        f"{kind}.present": fit([answer.present for answer in answers], there),
        **_witness_curves(drawn, told, own, cells),
    }


def _witness_curves(
    drawn: Sequence[Drawn], answers: Sequence[Answer], own: Curve, cells: CellReader | None
) -> dict[str, Curve]:
    """A curve for what was read in boxes and for each outcome of the check, on confidences that are calibrated but for
    it: with few examples it stays near them."""
    asked = [question(one) for one in drawn]
    again = [boxes.read_again(cells, *both) for both in zip(asked, answers, strict=True)]
    found: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for one, what, answer in zip(drawn, asked, again, strict=True):
        if answer is not None:
            found[boxes.curve(what.kind)].append((answer.confidence, right(one, answer)))
    curves = _fitted(found)
    check = CrossCheck(LineReader())
    found.clear()
    for one, what, before, boxed in zip(drawn, asked, answers, again, strict=True):
        usual = own if boxed is None else curves[boxes.curve(what.kind)]
        answer = before if boxed is None else replace(boxed, confidence=usual(boxed.confidence))
        if (after := check(what, answer, usual)) is not None:
            outcome, stands = after
            found[outcome.of(what.kind)].append((stands.confidence, right(one, stands)))
    return curves | _fitted(found)


def _fitted(found: Mapping[str, Sequence[tuple[float, bool]]]) -> dict[str, Curve]:
    return {name: fit(*zip(*pairs, strict=True)) for name, pairs in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--documents", type=int, default=80, help="forms")
    parser.add_argument("--marks", type=int, default=300)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="that draw")
    parser.add_argument("--feedback", type=Path, help="a folder of reviewers' examples to fit on instead")
    given = parser.parse_args()
    if given.feedback:
        try:
            refit(given.checkpoint, given.feedback)
        except ValueError as wrong:
            sys.exit(f"{wrong}.")
        return
    calibrate(given.checkpoint, given.documents, given.marks, given.processes)


if __name__ == "__main__":
    main()
