"""The gate: whether a candidate may follow the model in production, by what both said of the same examples.

For each defect class the one-sided limit of the paired difference of errors must not exceed a margin, and over all
classes together the candidate must be better. The unit is the document: several examples of one count as their mean.

Limits are those of a bettor (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting",
JRSS B 2024): whoever bets against "the mean is m or more" and multiplies the stake by 1/(1 - level) has refuted m. They
hold for any number of documents, however few or rare the differences.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Shares of the greatest stake that a bettor may set, and how the money is parted among them: half on the greatest,
#: since differences between two versions are rare and the greatest stake then wins soonest.
STAKES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.98)
PARTS = (*(0.5 / (len(STAKES) - 1) for _ in STAKES[:-1]), 0.5)

#: Points by which a class may be worse, and how sure that must be.
MARGIN, LEVEL = 0.005, 0.95

#: More labels than this are not asked for by number.
MOST_LABELS = 10_000_000

#: The differences are known to so much.
STEP = 1e-4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What two versions made of one example of a defect class."""

    example: str
    document: str
    check: str
    candidate_right: bool
    production_right: bool


@dataclass(frozen=True, slots=True)
class ClassResult:
    """How a candidate compares in one class. `difference` and `upper` are the candidate's errors less production's, a
    document; `labels_missing` is how many documents that show no difference would still be needed, 0 where the limit
    holds, None where no such number would do."""

    examples: int
    documents: int
    candidate_errors: int
    production_errors: int
    difference: float
    upper: float
    labels_missing: int | None

    @property
    def holds(self) -> bool:
        return self.labels_missing == 0


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether the candidate passed, by class and over all, and why not: one sentence a reason."""

    passed: bool
    classes: Mapping[str, ClassResult]
    overall: ClassResult
    reasons: tuple[str, ...]


def decide(
    outcomes: Iterable[Outcome], margin: float = MARGIN, level: float = LEVEL, *, required: Collection[str] = ()
) -> GateResult:
    """The gate's decision. Without any outcome it refuses, and without any of a class that is `required`: one that was
    learned from can have become worse unseen."""
    every = list(outcomes)
    classes: dict[str, list[Outcome]] = defaultdict(list, {check: [] for check in required})
    for one in every:
        classes[one.check].append(one)
    results = {check: _compared(classes[check], margin, level) for check in sorted(classes)}
    overall = _compared(every, 0.0, level)
    reasons = [_reason(check, one, margin) for check, one in results.items() if not one.holds]
    if not overall.holds:
        reasons.append(_not_better(overall))
    return GateResult(not reasons, results, overall, tuple(reasons))


def upper(differences: Sequence[float] | Floats, level: float = LEVEL) -> float:
    """The one-sided limit of the mean of differences in -1 to 1: below it with the probability `level`."""
    values = np.asarray(differences, np.float64)
    low, high = -1.0, 1.0
    while high - low > STEP:
        middle = (low + high) / 2
        low, high = (low, middle) if _refuted(values, middle, level) else (middle, high)
    return high


def missing(differences: Sequence[float] | Floats, margin: float, level: float = LEVEL) -> int | None:
    """How many further documents without a difference bring the limit down to `margin`; None where none would."""
    values = np.asarray(differences, np.float64)
    if _refuted(values, margin, level):
        return 0
    # Documents without a difference only help against a margin above zero.
    if margin <= 0:
        return _scaled(values, margin, level)
    low, high = 0, 1
    while not _refuted(values, margin, level, ties=high):
        low, high = high, high * 2
        if high > MOST_LABELS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _refuted(values, margin, level, ties=middle) else (middle, high)
    return high


def _scaled(values: Floats, margin: float, level: float) -> int | None:
    """How many further documents like those at hand would show that the mean is below `margin`."""
    gain = float(_log_wealths(values, margin).max())
    if gain <= 0:
        return None
    wanted = len(values) * (-math.log(1 - level) - math.log(min(PARTS))) / gain
    return max(1, math.ceil(wanted - len(values)))


def _refuted(values: Floats, mean: float, level: float, ties: int = 0) -> bool:
    """Whether a bettor against "the mean is `mean` or more" has multiplied the stake by enough."""
    logs = _log_wealths(values, mean) + ties * np.log1p(_stakes(mean) * mean) + np.log(PARTS)
    most = float(logs.max())
    return most + math.log(float(np.exp(logs - most).sum())) >= -math.log(1 - level)


def _log_wealths(values: Floats, mean: float) -> Floats:
    return np.asarray(np.log1p(_stakes(mean)[:, None] * (mean - values)[None]).sum(axis=1), np.float64)


def _stakes(mean: float) -> Floats:
    # At a difference of 1 the greatest stake would lose everything.
    return np.asarray(STAKES, np.float64) / max(1.0 - mean, 1e-9)


def _compared(outcomes: Sequence[Outcome], margin: float, level: float) -> ClassResult:
    of_document: dict[str, list[int]] = defaultdict(list)
    for one in outcomes:
        of_document[one.document].append(int(one.production_right) - int(one.candidate_right))
    means = np.array([np.mean(each) for each in of_document.values()], np.float64)
    return ClassResult(
        examples=len(outcomes),
        documents=len(means),
        candidate_errors=sum(not one.candidate_right for one in outcomes),
        production_errors=sum(not one.production_right for one in outcomes),
        difference=float(means.mean()) if len(means) else 0.0,
        upper=upper(means, level),
        labels_missing=missing(means, margin, level),
    )


def _reason(check: str, one: ClassResult, margin: float) -> str:
    if one.difference > margin:
        return (
            f"{check}: the candidate is worse by {one.difference:.2%} of {one.documents} documents "
            f"({one.candidate_errors} errors against {one.production_errors}); {margin:.1%} at most would do."
        )
    if one.labels_missing is None:
        return f"{check}: {one.documents} documents do not show that the candidate is not worse."
    return (
        f"{check}: {one.documents} documents are too few to show that the candidate is not worse by more than "
        f"{margin:.1%}; about {one.labels_missing} more are needed."
    )


def _not_better(one: ClassResult) -> str:
    if one.labels_missing is None:
        return (
            f"overall: the candidate is not better ({one.candidate_errors} errors against {one.production_errors} "
            f"in {one.examples} examples)."
        )
    return (
        f"overall: it is not sure that the candidate is better ({one.candidate_errors} errors against "
        f"{one.production_errors} in {one.examples} examples); about {one.labels_missing} more documents are needed."
    )
