"""What comes out of a training: what the gate says of the candidate, and the candidate in the records."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from pipeline import feedback, gate
from pipeline.gate import GateResult, Outcome
from records import examples, model_versions
from records.learning_tables import Evaluation
from records.trainings import TrainingLease
from records.words import Refused
from workers.files import Files

#: The sides that examples are written down by, and those that versions are compared on.
SIDES: tuple[examples.Side, ...] = ("train", "golden", "fresh")
COMPARED: tuple[examples.Side, ...] = ("golden", "fresh")

#: Who stages what a training gave.
TRAINER = "trainer"

#: Confidences are kept this far from 0 and 1 where their loss is taken.
LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Decided:
    """What the gate said by the golden set, and how the versions compare on fresh reviews."""

    passed: bool
    reasons: tuple[str, ...]
    golden: GateResult
    fresh: GateResult

    @property
    def told(self) -> dict[str, Any]:
        """In full, as JSON."""
        compared = {"golden": self.golden, "fresh": self.fresh}
        return {
            "passed": self.passed,
            "reasons": list(self.reasons),
            **{side: {"classes": _classes(one), "overall": asdict(one.overall)} for side, one in compared.items()},
        }


def decide(files: Files, cause: str) -> Decided:
    """What the gate says of the candidate, by what both versions said."""
    lines = {side: _lines(files.judged(side)) for side in COMPARED}
    golden = gate.decide(_outcomes(lines["golden"]), required=_learned(files))
    fresh = gate.decide(_outcomes(lines["fresh"]))
    if cause == "drift":
        reasons = _of_calibration([*lines["golden"], *lines["fresh"]])
    elif not lines["golden"]:
        reasons = ("There is no golden set to compare on yet: docvigil golden freeze.",)
    else:
        reasons = golden.reasons
    return Decided(not reasons, reasons, golden, fresh)


def record(
    session: Session, lease: TrainingLease, version: str, *, key: str, lineage: dict[str, Any], result: Decided
) -> str | None:
    """The candidate stands in the registry, with its evaluations, and in shadow where the gate let it pass; why it is
    not in shadow although it passed, where another is on trial."""
    model_versions.register(
        session, version, key=key, by=TRAINER, parent=lease.parent, lineage=lineage, metrics=_metrics(result)
    )
    for side, one in (("golden", result.golden), ("fresh", result.fresh)):
        if one.overall.examples and (side != "golden" or lease.golden_set_id is not None):
            values = {
                "version": version,
                "baseline": lease.parent,
                "training_id": lease.id,
                "set": side,
                "golden_set_id": lease.golden_set_id if side == "golden" else None,
                "classes": _classes(one),
                "passed": result.passed if side == "golden" else None,
                "reasons": list(result.reasons if side == "golden" else one.reasons),
            }
            session.execute(insert(Evaluation).values(**values))
    if not result.passed:
        return None
    try:
        model_versions.stage(session, version, "shadow", by=TRAINER, why=f"training {lease.id} passed the gate")
    except Refused as no:
        return f"It passed, and waits as a candidate: {no}."
    return None


def _lines(path: Path) -> list[dict[str, Any]]:
    """What `models.training.judged` wrote; `right` and `confidence` are the candidate's and production's."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _learned(files: Files) -> set[str]:
    """The defect classes that were learned from."""
    if not (files.learned / feedback.LIST).is_file():
        return set()
    every = (one for one in feedback.examples(files.learned) if not feedback.held_out(one.document))
    return {one.check for one in every if one.check is not None}


def _outcomes(lines: Iterable[dict[str, Any]]) -> list[Outcome]:
    return [Outcome(one["file_name"], one["document"], one["check"], *one["right"]) for one in lines]


def _of_calibration(lines: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Why new curves on the same weights are no better: they must not change what is right, and be nearer to it."""
    if not lines:
        return ("There is nothing to compare the calibration on yet.",)
    mine, theirs = (sum(not one["right"][which] for one in lines) for which in (0, 1))
    if mine > theirs:
        return (f"The calibration makes more errors: {mine} against {theirs} in {len(lines)} examples.",)
    new, old = (sum(_loss(one["confidence"][which], one["right"][which]) for one in lines) for which in (0, 1))
    if new >= old:
        return (
            f"The new calibration is no nearer to the truth: a log loss of {new / len(lines):.4f} against "
            f"{old / len(lines):.4f} on {len(lines)} examples.",
        )
    return ()


def _loss(confidence: float, right: bool) -> float:
    sure = min(1 - LEAST, max(LEAST, confidence))
    return -math.log(sure if right else 1 - sure)


def _classes(result: GateResult) -> dict[str, Any]:
    return {check: asdict(one) for check, one in result.classes.items()}


def _metrics(result: Decided) -> dict[str, Any]:
    """What a list of versions shows of it."""
    overall = result.golden.overall
    return {
        "golden examples": overall.examples,
        "golden errors": overall.candidate_errors,
        "golden errors before": overall.production_errors,
    }
