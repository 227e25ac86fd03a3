"""Does the bound on missed defects hold at every label? `python -m benchmarks.bound_over_time [--deployments 1000]`

A deployment is a stream of labelled defects resampled with replacement from recorded ones, each missed or not; the
rate that is bounded is the recorded one. The running limit (`pipeline.bounds.running_upper`, δ = 5 %) is read at every
label; a deployment fails where it is ever below that rate. `--trials FILE` takes the record from a `trials.jsonl` of
`docvigil models calibrate`: a defect is missed where its document ends as clear. Without it rates are made up.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.bounds import DELTA, log_wealth
from pipeline.findings import CHECKS
from pipeline.missed import Trial
from pipeline.verdict import usual

#: What must hold of a thousand deployments: 950 are promised, less what chance does to a count of a thousand.
REQUIRED = 0.935


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
    fell = np.zeros(drawn.shape, bool)
    for k in range(int(misses.max()) + 1):
        here = misses == k
        fell[here] = log_wealth(rate, (counts - misses)[here], [1.0] * k) >= math.log(1 / delta)
    return 1 - float(fell.any(axis=1).mean())


def recorded(file: Path) -> dict[str, list[bool]]:
    """A check: whether each of its defects ended as clear under the usual thresholds."""
    trials = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    thresholds = usual()
    found: dict[str, list[bool]] = {}
    for one in trials:
        trial = Trial(one["document"], frozenset(one["defects"]), frozenset(one["raised"]), one["sure"])
        for check in trial.defects & set(CHECKS):
            found.setdefault(check, []).append(trial.clear(thresholds))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=Path)
    parser.add_argument("--deployments", type=int, default=1000)
    parser.add_argument("--labels", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=13)
    given = parser.parse_args()
    made_up = {f"made up, {rate:.1%}": [i < 1000 * rate for i in range(1000)] for rate in (0.005, 0.01, 0.03, 0.1)}
    for name, missed in sorted((recorded(given.trials) if given.trials else made_up).items()):
        share = held(missed, given.deployments, given.labels, given.seed)
        told = "holds" if share >= REQUIRED else "FAILS"
        print(f"{name}: {sum(missed)} of {len(missed)} missed; held in {share:.1%} of {given.deployments}: {told}")


if __name__ == "__main__":
    main()
