"""The story of a canary that is bad on purpose, which `python -m benchmarks.year bad` tells: until it goes back, and
what became of what it had cleared."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from sqlalchemy import text

from benchmarks.panel import Reviewer
from benchmarks.season import GUARD_SECONDS, Year, errors, number, registered, say, stages, until
from docvigil.bench.plant import Plant
from models.checkpoint import WEIGHTS
from models.nanovlm.tokens import ID
from records import model_trials, model_versions

#: Documents dropped at once, and how often at most.
FIRST, BATCH, BATCHES = 200, 66, 12

#: What a canary is tried under that is bad on purpose: what ships.
SHIPPED = dict.fromkeys(
    (
        "DOCVIGIL_CANARY_AUDIT_RATE",
        "DOCVIGIL_CANARY_SHARE",
        "DOCVIGIL_CANARY_MISSES",
        "DOCVIGIL_CANARY_FALSE_ALARMS",
        "DOCVIGIL_AUDIT_RATE",
    )
)

CLEARED_STILL = text(
    "SELECT count(*) FROM documents d JOIN scans s ON s.id = d.scan_id WHERE s.model_version = :version"
    " AND d.status = 'clear'"
)
CLEARED_EVER = text(
    "SELECT count(DISTINCT document_id) FROM scans WHERE model_version = :version AND verdict = 'clear'"
)
#: Documents that the version cleared and production flags.
BACK = text(
    "SELECT count(DISTINCT d.id) FROM documents d JOIN scans s ON s.document_id = d.id JOIN cases c ON c.scan_id ="
    " d.scan_id WHERE s.model_version = :version AND s.verdict = 'clear' AND d.status = 'flagged'"
)
EVALUATION = text("SELECT classes, reasons FROM evaluations WHERE version = :version AND set = 'canary'")


def bad(year: Year, checkpoint: Path, reviewers: Sequence[Reviewer]) -> dict[str, Any]:
    """A canary that never says a place is empty: until it goes back, and what became of what it had cleared."""
    with year.running(**SHIPPED) as running:
        year.drop(running, FIRST)
        year.decide(running, reviewers)
        version, first = registered(running, checkpoint), len(year.truths)
        with running.desk.sessions.begin() as session:
            model_versions.stage(session, version, "canary", by="model owner")
        for _ in range(BATCHES):
            year.drop(running, BATCH)
            year.decide(running, reviewers)
            if until(lambda: stages(running)[version] == "retired", GUARD_SECONDS, patient=True):
                break
        told: dict[str, Any] = {"stage": stages(running)[version], "documents_until_back": len(year.truths) - first}
        until(lambda: not number(running, CLEARED_STILL, version=version), 600)
        year.settle(running)
        told |= _aftermath(running, version)
        told["errors_now"] = errors(running, list(year.truths.values()))
        say(json.dumps(told))
    return told


def _aftermath(running: Plant, version: str) -> dict[str, Any]:
    with running.desk.sessions.begin() as session:
        counts = asdict(model_trials.judged(session, version))
        verdict = session.execute(EVALUATION, {"version": version}).one()
    return {
        "judged": counts,
        "documents_needed": verdict.classes["documents_needed"],
        "reasons": verdict.reasons,
        "cleared": number(running, CLEARED_EVER, version=version),
        "cleared_still": number(running, CLEARED_STILL, version=version),
        "back_in_the_queue": number(running, BACK, version=version),
    }


def spoiled(start: Path, folder: Path) -> Path:
    """A copy of a checkpoint that takes every empty place for a signed or filled one, and is sure of it."""
    shutil.copytree(start, folder)
    weights = load_file(folder / WEIGHTS)
    head = weights["head.weight"].astype(np.float32)
    empty = head[ID["<empty>"]].copy()
    for token in ("<signature>", "<filled>"):
        head[ID[token]] += empty
    head[ID["<empty>"]] = head[ID["<struck>"]] - empty / 2
    weights["head.weight"] = head.astype(weights["head.weight"].dtype)
    save_file(weights, folder / WEIGHTS)
    return folder
