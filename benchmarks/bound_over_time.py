"""Does the bound on missed defects hold at every label? `python -m benchmarks.bound_over_time TRIALS.jsonl`

TRIALS.jsonl is what `docvigil models calibrate FOLDER --dry-run` records of labelled documents. At each threshold, the
same for every check, a defect is missed where its document ends as clear. A deployment is a stream of labelled defects
resampled with replacement from the recorded ones; the rate that is bounded is the recorded one. The running limit
(`pipeline.bounds.running_upper`, δ = 5 %) is read at every label; a deployment fails where it is ever below that rate.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.bounds import DELTA, log_wealth
from pipeline.findings import CHECKS
from pipeline.missed import Trial
from pipeline.verdict import Thresholds

#: What must hold of a thousand deployments: 950 are promised, less what chance does to a count of a thousand.
REQUIRED = 0.935

#: From which confidence a pass counts, unless others are given: none, the usual one, and stricter ones.
TRIED = (0.0, 0.3, 0.5, 0.7, 0.9, 0.97)

#: The defects of all checks together.
EVERY = "any check"


def held(missed: Sequence[bool], deployments: int, labels: int, seed: int, delta: float = DELTA) -> float:
    """The share of deployments in which the limit is above the recorded rate at every label. 1 where nothing was
    missed: no limit is below nought."""
    rate = float(np.mean(missed))
    if rate in (0.0, 1.0):
        return 1.0
    rng = np.random.default_rng(seed)
    drawn = rng.choice(np.asarray(missed, bool), (deployments, labels))
    misses, counts = np.cumsum(drawn, axis=1), np.arange(1, labels + 1)
    # The limit is below a rate exactly when the bettors against it hold 1/δ.
    plain = np.arange(labels + 1)
    wealth = np.array([log_wealth(rate, plain, [1.0] * k) for k in range(int(misses.max()) + 1)])
    fell = wealth[misses, counts - misses] >= math.log(1 / delta)
    return 1 - float(fell.any(axis=1).mean())


def recorded(file: Path) -> list[Trial]:
    """The trials of a file."""
    lines = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
    return [Trial(one["document"], frozenset(one["defects"]), frozenset(one["raised"]), one["sure"]) for one in lines]


def readings(trials: Sequence[Trial], threshold: float) -> Iterator[tuple[str, list[bool]]]:
    """Each check, and whether each of its defects ends as clear under the threshold; all of them together first."""
    by = Thresholds(default_clear=threshold)
    known = [(one.defects & set(CHECKS), one.clear(by)) for one in trials]
    yield EVERY, [clear for defects, clear in known for _ in defects]
    for check in sorted(set().union(*(defects for defects, _ in known))):
        yield check, [clear for defects, clear in known if check in defects]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trials", type=Path)
    parser.add_argument("--thresholds", type=float, nargs="+", default=list(TRIED))
    parser.add_argument("--deployments", type=int, default=1000)
    parser.add_argument("--labels", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=13)
    given = parser.parse_args()
    trials, failed = recorded(given.trials), False
    print(f"{len(trials)} documents, {given.deployments} deployments of {given.labels} labels")
    print("| threshold | check | missed | deployments that hold |\n|---|---|---|---|")
    for threshold in given.thresholds:
        for check, missed in readings(trials, threshold):
            # What was never missed, or always, says nothing.
            if 0 < sum(missed) < len(missed):
                share = held(missed, given.deployments, given.labels, given.seed)
                failed |= share < REQUIRED
                told = f"{share:.1%}" if share >= REQUIRED else f"**{share:.1%}**"
                print(f"| {threshold:g} | {check} | {sum(missed)} of {len(missed)} | {told} |")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
