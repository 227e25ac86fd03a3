"""What share of true anomalies ends as clear, and the thresholds that keep it small.

Labelled documents go the whole way once (`Trial`); what they would come to under any thresholds is counted afterwards.
For each defect class, which is a check, the loosest threshold of that check is chosen under which the share of its
anomalies that end as clear is at most α with confidence 1−δ (Learn then Test, `pipeline.bounds.first_safe`). Every way
to miss counts: the wrong type, a page not matched, a field misread.

While one class is tested all other checks stand at the floor, the usual thresholds. Raising a threshold can only flag
more, so what was shown for each class alone holds for all chosen thresholds together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipeline.bounds import ALPHA, DELTA, first_safe, needed, upper
from pipeline.findings import CHECKS, Finding, Outcome
from pipeline.verdict import Thresholds, usual

#: Beside a checkpoint's weights.
FILE = "bound.json"

#: Thresholds that are tried, strictest first: fine near 1, where checks that are seldom wrong stand.
GRID: tuple[float, ...] = (1.0, 0.9999, 0.9998, 0.9995, *(round(1 - one / 1000, 3) for one in range(1, 1001)))

#: A class takes no threshold that by itself flags a larger share of the clean documents, and all classes together none
#: that do: those that cost most go without.
MOST_FLAGGED, MOST_TOGETHER = 0.05, 0.01

#: What a document that could not be scanned raises: a person looks at it.
QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Trial:
    """One labelled document that went the whole way: `defects` are the checks that should speak, `raised` those that
    did not pass, `sure` the least confidence of the passes of each other check."""

    document: str
    defects: frozenset[str]
    raised: frozenset[str]
    sure: Mapping[str, float]

    @classmethod
    def of(cls, document: str, defects: Iterable[str], findings: Iterable[Finding]) -> Self:
        """From findings that no threshold has touched."""
        raised: set[str] = set()
        sure: dict[str, float] = {}
        for one in findings:
            if one.outcome is Outcome.PASS:
                sure[one.check] = min(one.confidence, sure.get(one.check, 1.0))
            else:
                raised.add(one.check)
        return cls(document, frozenset(defects), frozenset(raised), sure)

    def clear(self, thresholds: Thresholds) -> bool:
        """Whether the document ends as clear: all its checks pass and are sure of it."""
        return not self.raised and bool(self.sure) and all(p >= thresholds.of(check) for check, p in self.sure.items())

    def margin(self, check: str, floor: Thresholds) -> float:
        """The document is clear while the threshold of this check is no higher, the others standing at the floor;
        infinite where the check says nothing, minus infinity where another one flags it."""
        if self.raised or not self.sure:
            return -np.inf
        others = all(p >= floor.of(name) for name, p in self.sure.items() if name != check)
        return self.sure.get(check, np.inf) if others else -np.inf


@dataclass(frozen=True, slots=True)
class ClassBound:
    """What is known of one defect class.

    `threshold` is the one chosen, or the floor's; `misses` of `anomalies` end as clear under it. `at_most` limits the
    share of anomalies that do: α where `holds`, else what the counts at the floor show. `misses_always` remain at any
    threshold. `flagged` is the share of clean documents that this threshold by itself adds to those flagged.
    `needs` is a threshold that would do but flags too many clean documents, `needs_flagged` the share.
    """

    holds: bool
    threshold: float
    anomalies: int
    misses: int
    misses_always: int
    at_most: float
    flagged: float | None
    needs: float | None = None
    needs_flagged: float | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """The bound of a checkpoint, as in `bound.json`.

    `model` is the digest it was computed for, `rules` the version of the checks, `types` the document types that were
    tried with a digest of each; for others nothing is shown. Documents made up for it are no paper.
    """

    alpha: float
    delta: float
    model: str
    rules: str
    types: Mapping[str, str]
    floor: Mapping[str, float]
    classes: Mapping[str, ClassBound]
    documents: int
    clean: int
    clean_flagged_at_floor: int
    clean_flagged: int
    made_up: bool
    data: str
    date: str
    command: str
    promise: str = field(default="", compare=False)

    @property
    def thresholds(self) -> dict[str, float]:
        """The thresholds above the floor."""
        floor = self._floor
        return {name: one.threshold for name, one in self.classes.items() if one.threshold > floor.of(name)}

    @property
    def _floor(self) -> Thresholds:
        named = dict(self.floor)
        return Thresholds(default_clear=named.pop("default"), clear=named)

    def holds(self, check: str, thresholds: Thresholds) -> bool:
        """Whether the share of anomalies of that class that end as clear is bounded under thresholds in use."""
        own, floor = self.classes.get(check), self._floor
        if own is None or not own.holds or thresholds.of(check) < own.threshold:
            return False
        return all(thresholds.of(one) >= floor.of(one) for one in CHECKS)

    def told(self, check: str) -> str:
        """The bound of a class, or how far it is from one, as a clause for a person."""
        one = self.classes.get(check)
        if one is None or one.anomalies == 0:
            return f"no bound yet (0 of {needed(0, self.alpha, self.delta)})"
        if one.holds:
            return f"at most {100 * self.alpha:g} %"
        if one.needs is not None and one.needs_flagged is not None:
            return f"no bound yet (a threshold of {one.needs:g} would flag {one.needs_flagged:.0%} of clean documents)"
        missed = f", {one.misses_always} missed at any threshold" if one.misses_always else ""
        return f"no bound yet ({one.anomalies} of {needed(one.misses_always, self.alpha, self.delta)}{missed})"

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """The bound in a checkpoint's folder; None without a file. Raises ValueError for one that can't be read."""
        path = folder / FILE
        return cls.read(path.read_bytes(), str(path)) if path.exists() else None

    @classmethod
    def read(cls, text: bytes, where: str) -> Self:
        """The bound that `save` wrote; `where` it stands is named by the ValueError for what can't be read."""
        try:
            values: dict[str, Any] = json.loads(text)
            classes = {name: ClassBound(**one) for name, one in values.pop("classes").items()}
            return cls(**values, classes=classes)
        except (KeyError, TypeError, ValueError, AttributeError) as wrong:
            raise ValueError(
                f"{where} is not as docvigil models calibrate writes it ({wrong}); run that again, or remove the file"
            ) from wrong

    def save(self, folder: Path) -> None:
        """Writes `bound.json`."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def class_bound(
    check: str,
    trials: Sequence[Trial],
    floor: Thresholds,
    *,
    alpha: float = ALPHA,
    delta: float = DELTA,
    most_flagged: float = MOST_FLAGGED,
) -> ClassBound:
    """The loosest threshold of a check, from the floor's up, that keeps the misses of its class at bay.

    A document counts once, however many such defects it has. A threshold that by itself flags more than
    `most_flagged` of the clean documents is not taken.
    """
    least = floor.of(check)
    grid = [one for one in GRID if one > least] + [least]
    margins = np.array([one.margin(check, floor) for one in trials if check in one.defects])
    clean = np.array([one.margin(check, floor) for one in trials if not one.defects])
    misses = [int((margins >= one).sum()) for one in grid]

    def flagged(threshold: float) -> float | None:
        return float(((clean >= least) & (clean < threshold)).mean()) if len(clean) else None

    safe = first_safe(misses, len(margins), alpha, delta)
    price = None if safe is None else flagged(grid[safe])
    if safe is not None and (price is None or price <= most_flagged):
        return ClassBound(True, grid[safe], len(margins), misses[safe], misses[0], alpha, price)
    return ClassBound(
        holds=False,
        threshold=least,
        anomalies=len(margins),
        misses=misses[-1],
        misses_always=misses[0],
        at_most=round(upper(misses[-1], len(margins), delta), 6),
        flagged=flagged(least),
        needs=None if safe is None else grid[safe],
        needs_flagged=price,
    )


def chosen(
    trials: Sequence[Trial],
    *,
    alpha: float = ALPHA,
    delta: float = DELTA,
    most_flagged: float = MOST_FLAGGED,
    most_together: float = MOST_TOGETHER,
    floor: Thresholds | None = None,
    **about: Any,
) -> Bound:
    """The bound of each class over documents that were tried, one trial a document; `about` are the other facts of
    `Bound`. Which classes go without one, where all together would flag too many clean documents, is decided by the
    clean documents alone, so that it can't flatter a bound."""
    base = floor or usual()
    clean = [one for one in trials if not one.defects]
    clear = [one for one in clean if one.clear(base)]

    def of(check: str, most: float) -> ClassBound:
        return class_bound(check, trials, base, alpha=alpha, delta=delta, most_flagged=most)

    def under(classes: Mapping[str, ClassBound]) -> Thresholds:
        return Thresholds({**base.clear, **{name: one.threshold for name, one in classes.items()}}, base.default_clear)

    classes = {check: of(check, most_flagged) for check in CHECKS}
    dearest = sorted((name for name in classes if classes[name].flagged), key=lambda name: classes[name].flagged or 0.0)
    while dearest and sum(not one.clear(under(classes)) for one in clear) > most_together * len(clean):
        name = dearest.pop()
        classes[name] = of(name, -1.0)
    raised = under(classes)
    return Bound(
        alpha=alpha,
        delta=delta,
        floor={"default": base.default_clear, **base.clear},
        classes=classes,
        documents=len(trials),
        clean=len(clean),
        clean_flagged_at_floor=sum(not one.clear(base) for one in clean),
        clean_flagged=sum(not one.clear(raised) for one in clean),
        **about,
    )
