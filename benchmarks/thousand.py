"""A thousand scans dropped at once: does everything reach a verdict, do the sums come out, what is found?

    python -m benchmarks.thousand [--count 1000 --seed 7] [--fonts DIR --digits FILE --writers FILE] [--json]

Synthesised forms of both built-in types with fonts, digits and signers of the test split, half of them with one
planted defect. The sums are looked at every two seconds; at the end every log and table is searched for complete
Aadhaar numbers.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text
from stdnum.in_ import aadhaar

from docvigil.bench.plant import Plant, plant
from models.scores import wilson
from models.synthesis.documents import ENDORSERS, LABELS, synthesise
from models.synthesis.faces import Found
from pipeline.register import read_csv
from records import endorsers as register_of
from records.balance import Balance

#: Twelve digits, in one piece or in fours, that are no part of a longer number and no decimals.
TWELVE = re.compile(r"(?<![0-9A-Fa-f.])[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9A-Fa-f])")

#: Ids of tasks, whose groups may all be decimal.
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")

#: Characters on each side that are shown of where a number stands.
AROUND = 40


@dataclass
class Outcome:
    """What came of the run. `flagged` and `named` count planted defects: the document was flagged, and the finding
    named the defect's check or its field."""

    documents: int = 0
    seconds: float = 0.0
    first_verdict_seconds: float = 0.0
    looks: int = 0
    differences: list[str] = field(default_factory=list)
    quarantined: int = 0
    planted: int = 0
    flagged: int = 0
    named: int = 0
    clean: int = 0
    clean_flagged: int = 0
    by_check: dict[str, list[int]] = field(default_factory=dict)
    false_alarms: dict[str, int] = field(default_factory=dict)
    aadhaar_numbers: int = 0
    aadhaar_places: list[str] = field(default_factory=list)


def run(documents: Path, home: Path) -> Outcome:
    outcome = Outcome()
    labels = [json.loads(line) for line in (documents / LABELS).read_text(encoding="utf-8").splitlines()]
    outcome.documents = len(labels)
    with plant(home) as running:
        with running.desk.sessions.begin() as session:
            register_of.import_all(session, read_csv(documents / ENDORSERS), actor="benchmark")
        started = time.monotonic()

        def watch(now: Balance) -> None:
            outcome.looks += 1
            outcome.differences += now.differences
            if not outcome.first_verdict_seconds and now.clear + now.flagged + now.quarantined:
                outcome.first_verdict_seconds = time.monotonic() - started
            sys.stderr.write(
                f"\r{time.monotonic() - started:6.0f} s  {now.in_flight} in flight, {now.flagged} flagged "
            )

        for label in labels:
            shutil.copy(documents / label["path"], running.drop / f".{label['path']}")
            (running.drop / f".{label['path']}").rename(running.drop / label["path"])
        running.settle(len(labels), 4 * 3600, watch=watch)
        outcome.seconds = time.monotonic() - started
        settled = running.balance()
        watch(settled)
        outcome.quarantined = settled.quarantined
        judge(running, labels, outcome)
        outcome.aadhaar_places = list(numbers_in(running, home))
        outcome.aadhaar_numbers = len(outcome.aadhaar_places)
    sys.stderr.write("\n")
    return outcome


def judge(running: Plant, labels: list[dict[str, Any]], outcome: Outcome) -> None:
    """Compares verdicts and findings with the labels."""
    by_check: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    alarms: Counter[str] = Counter()
    with running.desk.sessions.begin() as session:
        for label in labels:
            status, findings = _verdict(session, label["path"])
            flagged = status != "clear"
            if not label["defects"]:
                outcome.clean += 1
                outcome.clean_flagged += flagged
                alarms.update({f"{one.check} {one.outcome}" for one in findings})
                continue
            for defect in label["defects"]:
                named = any(
                    one.check == defect["check"] or (one.field is not None and one.field == defect["field"])
                    for one in findings
                )
                outcome.planted += 1
                outcome.flagged += flagged
                outcome.named += named
                for place, hit in enumerate((True, flagged, named)):
                    by_check[defect["check"]][place] += hit
    outcome.by_check, outcome.false_alarms = dict(sorted(by_check.items())), dict(alarms.most_common())


def _verdict(session: Any, path: str) -> tuple[str, list[Any]]:
    row = session.execute(
        text(
            "SELECT d.id, d.status FROM arrivals a JOIN documents d ON d.id = a.document_id"
            " WHERE a.path = :path OR a.path LIKE '%/' || :path"
        ),
        {"path": path},
    ).one()
    findings = session.execute(
        text(
            'SELECT f."check", f.field, f.outcome FROM findings f JOIN documents d ON d.scan_id = f.scan_id'
            " WHERE d.id = :id AND f.outcome <> 'pass'"
        ),
        {"id": row.id},
    ).all()
    return row.status, list(findings)


def numbers_in(running: Plant, home: Path) -> Iterator[str]:
    """Where complete Aadhaar numbers stand, by shape and check digit: the log or the table of each, and what is around
    it with every digit told as 9."""
    for file in sorted((home / "logs").rglob("*")):
        if file.is_file():
            words = file.read_text(encoding="utf-8", errors="replace")
            yield from (f"{file.name} ({around})" for around in _numbers(words))
    with running.desk.sessions.begin() as session:
        tables = session.scalars(
            text("SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema = 'public'")
        ).all()
        for table in tables:
            for row in session.scalars(text(f"SELECT t::text FROM {table} t")):  # noqa: S608 — names of the catalogue.
                yield from (f"{table} ({around})" for around in _numbers(row))


def _numbers(words: str) -> Iterator[str]:
    words = UUID.sub("(id)", words)
    for found in TWELVE.finditer(words):
        if aadhaar.is_valid(re.sub("[ -]", "", found[0])):
            yield re.sub("[0-9]", "9", words[max(0, found.start() - AROUND) : found.end() + AROUND])


def report(outcome: Outcome) -> str:
    low, high = wilson(outcome.flagged, max(1, outcome.planted))
    few, many = wilson(outcome.clean_flagged, max(1, outcome.clean))
    lines = [
        f"{outcome.documents} documents in {outcome.seconds:.0f} s; first verdict after"
        f" {outcome.first_verdict_seconds:.0f} s; {outcome.quarantined} quarantined",
        f"the sums were looked at {outcome.looks} times and differed {len(outcome.differences)} times",
        f"planted defects flagged: {outcome.flagged} of {outcome.planted}"
        f" ({outcome.flagged / max(1, outcome.planted):.1%}, 95 % interval {low:.1%} to {high:.1%}),"
        f" named by check or field: {outcome.named}",
        f"clean documents flagged: {outcome.clean_flagged} of {outcome.clean}"
        f" ({outcome.clean_flagged / max(1, outcome.clean):.1%}, 95 % interval {few:.1%} to {many:.1%})",
        " ".join(
            ["complete Aadhaar numbers in logs and tables:", str(outcome.aadhaar_numbers), *outcome.aadhaar_places]
        ),
        "",
        "| defect | planted | flagged | named |",
        "|---|---|---|---|",
        *(f"| {check} | {a} | {b} | {c} |" for check, (a, b, c) in outcome.by_check.items()),
        "",
        "| finding on clean documents | documents |",
        "|---|---|",
        *(f"| {check} | {count} |" for check, count in outcome.false_alarms.items()),
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--fonts", type=Path)
    parser.add_argument("--digits", type=Path)
    parser.add_argument("--writers", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dv") as work:
        folder = Path(work)
        # Embedded Postgres may run as another user, who must be able to reach its data.
        folder.chmod(0o755)
        documents = folder / "documents"
        for _ in synthesise(
            documents, given.count, seed=given.seed, split="test", using=Found(given.fonts, given.digits, given.writers)
        ):
            pass
        outcome = run(documents, folder / "home")
    sys.stdout.write(json.dumps(asdict(outcome)) if given.json else report(outcome))
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
