"""A simulated year of learning: a stamp that the model was never shown, reviewers, the quarter's training, the gate,
shadow, canary and production; then a year whose labels are poisoned, and a canary that is bad on purpose.

    python -m benchmarks.year [learn] [poisoned] [bad] [--golden 2000 --learned 1000] [--fonts DIR --digits FILE]

Everything is what `docvigil up` runs, on Postgres and Redis of its own; only the reviewers and the forms are made up
(`benchmarks.panel`, `benchmarks.branch`), and the calendar's quarter comes within minutes. Settings other than the
defaults are in `benchmarks.season`. With `--json` each story ends with one object.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from safetensors.numpy import load_file, save_file
from sqlalchemy import text

from benchmarks import branch
from benchmarks.panel import Reviewer
from benchmarks.season import ZONE, Year, errors, number, registered, report, say, stages, trained, until
from docvigil.bench.plant import Plant
from models.checkpoint import WEIGHTS, bundled
from models.nanovlm.tokens import ID
from records import gathering, golden, model_trials, model_versions

STORIES = ("learn", "poisoned", "bad")

HONEST = (Reviewer("asha"), Reviewer("bharat"))
#: Whose labels of one class are wrong a fifth of the time.
CARELESS = Reviewer("chitra", {"signature.missing": 0.2})

#: Documents dropped at once on a version on trial, and how often at most.
BATCH, BATCHES = 200, 12

#: The guard looks every half minute.
GUARD_SECONDS = 45.0

TWO_DECIDE = {"DOCVIGIL_FOUR_EYES": json.dumps(sorted(branch.FIELDS.values()))}

#: What a canary is tried under that is bad on purpose: what ships.
SHIPPED = {
    "DOCVIGIL_CANARY_AUDIT_RATE": "0.2",
    "DOCVIGIL_CANARY_SHARE": "0.2",
    "DOCVIGIL_CANARY_MISSES": "0.01",
    "DOCVIGIL_AUDIT_RATE": "0.01",
}

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


def learn(year: Year, golden_documents: int, learned: int, reviewers: Sequence[Reviewer] = HONEST) -> dict[str, Any]:
    """The year up to what the training gave: documents that two people decide on become the golden set, later ones are
    learned from, and the calendar has the quarter's training due."""
    told: dict[str, Any] = {}
    with year.running(**TWO_DECIDE) as running:
        new = year.drop(running, golden_documents)
        say(f"{golden_documents} documents have verdicts; two people decide on each")
        everybody = [*HONEST, *(one for one in reviewers if one not in HONEST)]
        say(f"{year.decide(running, everybody, two=True)} decisions")
        told["before"] = errors(running, new)
        say(f"production: {told['before']}")
        with running.desk.sessions.begin() as session:
            gathering.gather(session, running.desk.store)
            told["golden"] = golden.freeze(session, by="model owner").examples
        say(f"golden set frozen: {told['golden']} examples")
    with year.running() as running:
        year.drop(running, learned)
        say(f"{learned} documents to learn from; {year.decide(running, reviewers)} decisions of one person each")
    due = datetime.now(ZoneInfo(ZONE)) + timedelta(minutes=1.5)
    with year.running(DOCVIGIL_RETRAIN_AT=f"{due.minute} {due.hour} * * *") as running:
        say(f"the calendar has a training due at {due:%H:%M}")
        done = until(partial(trained, running), 3600)
        shown = {name: done.progress.get(name) for name in ("examples", "set_aside", "gate")}
        told["training"] = {"cause": done.cause, "stage": done.stage, "error": done.error, **shown}
        say(f"training {done.id} ({done.cause}): {done.stage}. {done.error or ''}")
        for check, one in ((shown["gate"] or {}).get("golden") or {}).get("classes", {}).items():
            say(f"  {check}: {one}")
        told["stages"] = sorted(stages(running).values())
        report(running, year.folder / "report.html")
    return told


def trial(year: Year) -> dict[str, Any]:
    """Shadow and canary until the version is in production or back; then fresh documents, which it judges. Two decide:
    one reviewer's errors would count as the version's misses."""
    told: dict[str, Any] = {"moves": []}
    with year.running(**TWO_DECIDE) as running:
        before = stages(running)
        for _ in range(BATCHES):
            year.drop(running, BATCH)
            year.decide(running, HONEST, two=True)
            now = until(partial(_moved, running, before), GUARD_SECONDS, patient=True) or before
            if now != before:
                told["moves"].append({"documents": len(year.truths), "stages": sorted(now.values())})
                say(f"after {len(year.truths)} documents: {now}")
                before = now
            if not {"shadow", "canary"} & set(now.values()):
                break
        new = year.drop(running, 2 * BATCH)
        told["after"] = errors(running, new)
        say(f"now: {told['after']}")
        report(running, year.folder / "report.html")
    return told


def _moved(running: Plant, before: Mapping[str, str]) -> dict[str, str] | None:
    """The stages, where they are no longer those."""
    now = stages(running)
    return now if now != before else None


def bad(year: Year, checkpoint: Path) -> dict[str, Any]:
    """A canary that never says a place is empty: until it goes back, and what became of what it had cleared."""
    with year.running(**SHIPPED) as running:
        year.drop(running, BATCH)
        year.decide(running, HONEST)
        version, first = registered(running, checkpoint), len(year.truths)
        with running.desk.sessions.begin() as session:
            model_versions.stage(session, version, "canary", by="model owner")
        for _ in range(BATCHES):
            year.drop(running, BATCH // 3)
            year.decide(running, HONEST)
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


def told(story: str, year: Year, golden_documents: int, learned: int) -> dict[str, Any]:
    """What came of a story."""
    if story == "poisoned":
        return learn(year, golden_documents, learned, [CARELESS])
    if story == "bad":
        return bad(year, spoiled(bundled(), year.folder / "spoiled"))
    result = learn(year, golden_documents, learned)
    return {**result, "trial": trial(year)} if result["training"]["stage"] == "passed" else result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stories", nargs="*", default=list(STORIES), help=f"of {', '.join(STORIES)}; all if none")
    parser.add_argument("--golden", type=int, default=2000, help="documents that the golden set is made from")
    parser.add_argument("--learned", type=int, default=1000, help="documents that are learned from")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--fonts", type=Path)
    parser.add_argument("--digits", type=Path)
    parser.add_argument("--reports", type=Path, help="a folder for the reports in HTML")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    # Lines of the log would stand among what is measured.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for story in given.stories:
        say(f"story: {story}")
        with tempfile.TemporaryDirectory(prefix="dv") as work:
            folder = Path(work)
            # Embedded Postgres may run as another user, who must be able to reach its data.
            folder.chmod(0o755)
            year = Year(folder, given.fonts, given.digits, given.seed)
            result = told(story, year, given.golden, given.learned)
            if given.reports and (folder / "report.html").is_file():
                given.reports.mkdir(parents=True, exist_ok=True)
                shutil.copy(folder / "report.html", given.reports / f"{story}.html")
        if given.json:
            sys.stdout.write(json.dumps({"story": story, **result}) + "\n")


if __name__ == "__main__":
    main()
