"""How many planted defects are flagged, and how many clean documents are flagged with them.

    python benchmarks/detection.py --count 1000 [--seed 7] [--json FILE]

Synthesises labelled scans of the test split (fonts, digits and signers never trained on), starts `docvigil up` on an
empty home, drops them all at once, polls `docvigil balance` until everything has a verdict, and compares the flagged
queue with the labels. Every document goes the whole way: watcher, Postgres, Redis, registration, model, checks.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from models.scores import wilson

DOCVIGIL = Path(sys.executable).parent / "docvigil"


def command(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DOCVIGIL_HOME": str(home)}
    return subprocess.run([str(DOCVIGIL), *arguments], env=environment, capture_output=True, text=True, check=False)


def balance(home: Path) -> dict[str, Any]:
    done = command("balance", "--json", home=home)
    if done.returncode not in (0, 1) or not done.stdout.strip():
        raise SystemExit(f"`docvigil balance` failed: {done.stderr.strip()}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def wait_for_verdicts(home: Path, expected: int, limit_seconds: float) -> list[dict[str, Any]]:
    """Polls the balance until `expected` arrivals have a verdict; every poll must add up."""
    polls: list[dict[str, Any]] = []
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline:
        now = balance(home)
        polls.append(now)
        if not now["adds_up"]:
            raise SystemExit(f"the balance does not add up: {json.dumps(now)}")
        if now["arrivals"] >= expected and now["in_flight"] == 0:
            return polls
        time.sleep(2)
    raise SystemExit(f"not all documents had a verdict after {limit_seconds:.0f} s: {json.dumps(polls[-1])}")


def compare(labels: list[dict[str, Any]], flagged: dict[str, dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Counts by planted check: flagged at all, and flagged by that very check; false alarms by check."""
    planted: collections.Counter[str] = collections.Counter()
    caught: collections.Counter[str] = collections.Counter()
    named: collections.Counter[str] = collections.Counter()
    false_alarms: collections.Counter[str] = collections.Counter()
    missed: list[dict[str, Any]] = []
    clean = clean_flagged = 0
    for label in labels:
        digest = hashlib.sha256((folder / label["path"]).read_bytes()).hexdigest()
        document = flagged.get(digest)
        raised = {finding["check"] for finding in document["findings"]} if document else set()
        if not label["defects"]:
            clean += 1
            clean_flagged += document is not None
            false_alarms.update(raised)
            continue
        for defect in label["defects"]:
            planted[defect["check"]] += 1
            caught[defect["check"]] += document is not None
            named[defect["check"]] += defect["check"] in raised
            if document is None:
                missed.append({"path": label["path"], **defect})
    defects, found = sum(planted.values()), sum(caught.values())
    return {
        "documents": len(labels),
        "defects": defects,
        "defects_flagged": found,
        "defects_flagged_share": found / defects if defects else None,
        "defects_flagged_interval": wilson(found, defects),
        "clean": clean,
        "clean_flagged": clean_flagged,
        "clean_flagged_share": clean_flagged / clean if clean else None,
        "clean_flagged_interval": wilson(clean_flagged, clean),
        "by_check": {
            check: {"planted": planted[check], "flagged": caught[check], "named": named[check]}
            for check in sorted(planted)
        },
        "false_alarms": dict(false_alarms.most_common()),
        "missed": missed,
    }


def report(result: dict[str, Any]) -> None:
    low, high = result["defects_flagged_interval"]
    print(f"defects flagged   {result['defects_flagged']}/{result['defects']}  [{low:.1%}, {high:.1%}]")
    low, high = result["clean_flagged_interval"]
    print(f"clean flagged     {result['clean_flagged']}/{result['clean']}  [{low:.1%}, {high:.1%}]")
    print(f"documents/s       {result['documents_per_second']:.2f} on {result['hardware']}")
    print(f"\n{'check':28} planted flagged named")
    for check, row in result["by_check"].items():
        print(f"{check:28} {row['planted']:7} {row['flagged']:7} {row['named']:5}")
    print("\nfindings on clean documents:", result["false_alarms"] or "none")
    for miss in result["missed"][:20]:
        print("missed:", miss)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--limit-seconds", type=float, default=3600)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="work in this folder and leave everything there")
    options = parser.parse_args()

    work = options.keep or Path(tempfile.mkdtemp(prefix="docvigil-detection-"))
    samples, drop, home = work / "samples", work / "drop", work / "home"
    for folder in (samples, drop, home):
        folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [str(DOCVIGIL), "synthesise", str(samples), "--count", str(options.count), "--seed", str(options.seed)],
        check=True,
    )
    labels = [json.loads(line) for line in (samples / "labels.jsonl").read_text().splitlines()]

    environment = {**os.environ, "DOCVIGIL_HOME": str(home)}
    with (work / "up.log").open("wb") as log:
        up = subprocess.Popen([str(DOCVIGIL), "up", "--drop", str(drop)], env=environment, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 120
            while command("balance", "--json", "--running", home=home).returncode != 0:
                if up.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"`docvigil up` did not start; its log is {work / 'up.log'}")
                time.sleep(1)
            done = command("endorsers", "import", str(samples / "endorsers.csv"), home=home)
            if done.returncode != 0:
                raise SystemExit(done.stderr)
            for label in labels:
                shutil.copyfile(samples / label["path"], drop / Path(label["path"]).name)
            started = time.monotonic()
            polls = wait_for_verdicts(home, len(labels), options.limit_seconds)
            seconds = time.monotonic() - started
            listed = command("queue", "--json", "--limit", "0", home=home).stdout.splitlines()
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(60)
    flagged = {document["document_id"]: document for document in map(json.loads, listed)}
    result = compare(labels, flagged, samples)
    result |= {
        "seconds": seconds,
        "documents_per_second": len(labels) / seconds,
        "balance": polls[-1],
        "balance_polls": len(polls),
        "hardware": f"{os.cpu_count()} cores, {platform.machine()}",
        "command": " ".join(["python", "benchmarks/detection.py", *sys.argv[1:]]),
    }
    report(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))
    if not options.keep:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
