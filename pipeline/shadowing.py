"""What would change if the version in shadow judged: where it agrees with production, and which documents would be
flagged or cleared that are not now.

The unit is the document, so that shares have exact intervals; of several scans of one the last counts. Nobody says here
which of the two is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.bounds import DELTA, interval
from pipeline.findings import Outcome, Verdict

#: Page, field, check and ordinal of a finding.
Place = tuple[int, str | None, str, int]


@dataclass(frozen=True, slots=True)
class Said:
    """What a version made of a scan. A place without a finding counts as one that passed."""

    verdict: Verdict
    outcomes: Mapping[Place, Outcome]


@dataclass(frozen=True, slots=True)
class Pair:
    """What both versions made of a document."""

    document: str
    production: Said
    shadow: Said


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many documents; the true share lies from `low` to `high` with 95 %."""

    count: int
    of: int
    low: float
    high: float

    @classmethod
    def counted(cls, count: int, of: int) -> Share:
        low, high = interval(count, of, DELTA)
        return cls(count, of, low, high)


@dataclass(frozen=True, slots=True)
class CheckComparison:
    """One check, among the documents in which either version has a finding of it: those with the same outcome at each
    place, those in which only the shadow raises it, and those in which only production does."""

    agreed: Share
    newly_raised: Share
    no_longer_raised: Share


@dataclass(frozen=True, slots=True)
class Comparison:
    """Over all documents: the same verdict, flagged by the shadow alone, cleared by the shadow alone."""

    agreed: Share
    newly_flagged: Share
    newly_clear: Share
    checks: Mapping[str, CheckComparison]

    @property
    def documents(self) -> int:
        return self.agreed.of


def compare(pairs: Iterable[Pair]) -> Comparison:
    """How the two versions compare; checks by name."""
    last = list({one.document: one for one in pairs}.values())
    flagged = [(one.production.verdict is Verdict.FLAGGED, one.shadow.verdict is Verdict.FLAGGED) for one in last]
    both = defaultdict[str, list[tuple[bool, bool, bool]]](list)
    for one in last:
        for check in sorted({place[2] for said in (one.production, one.shadow) for place in said.outcomes}):
            before, after = _told(one.production, check), _told(one.shadow, check)
            both[check].append((before == after, bool(before), bool(after)))
    return Comparison(
        agreed=Share.counted(sum(before == after for before, after in flagged), len(last)),
        newly_flagged=Share.counted(sum(after > before for before, after in flagged), len(last)),
        newly_clear=Share.counted(sum(before > after for before, after in flagged), len(last)),
        checks={check: _compared(each) for check, each in sorted(both.items())},
    )


def _compared(each: list[tuple[bool, bool, bool]]) -> CheckComparison:
    return CheckComparison(
        agreed=Share.counted(sum(same for same, _, _ in each), len(each)),
        newly_raised=Share.counted(sum(after > before for _, before, after in each), len(each)),
        no_longer_raised=Share.counted(sum(before > after for _, before, after in each), len(each)),
    )


def _told(said: Said, check: str) -> dict[Place, Outcome]:
    """The findings of a check that did not pass."""
    return {place: one for place, one in said.outcomes.items() if place[2] == check and one is not Outcome.PASS}
