"""From what the checks found to what happens with the document: the one place where thresholds are applied.

A pass below its threshold is no pass; an anomaly that is likelier wrong than right is a doubt. Both are for a person
to look at, so a document is clear only if every check passed and was sure of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.findings import CHECKS, Finding, Outcome, Verdict
from pipeline.sentences import say

#: From here on a pass counts where neither settings nor a bound say otherwise. Most misreadings of a date hide no
#: defect, and each check on the date counts its own doubt.
CLEAR: Mapping[str, float] = {"date.unreadable": 0.3}
DEFAULT_CLEAR = 0.5

#: An anomaly with less confidence than this is called uncertain; it is flagged all the same.
EVEN_ODDS = 0.5


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The confidence from which a pass counts, a check; `default_clear` for the checks not named.

    Raises `ValueError` for a check that does not exist and for a number that is no probability.
    """

    clear: Mapping[str, float] = field(default_factory=dict)
    default_clear: float = DEFAULT_CLEAR

    def __post_init__(self) -> None:
        for check, value in (*self.clear.items(), ("default_clear", self.default_clear)):
            if check != "default_clear" and check not in CHECKS:
                raise ValueError(f"there is no check {check!r} to set a threshold for; known are {', '.join(CHECKS)}")
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"the threshold of {check} is {value}; a probability from 0 to 1 is needed")

    def of(self, check: str) -> float:
        return self.clear.get(check, self.default_clear)

    def settled(self, finding: Finding) -> Finding:
        """The finding as it stands under these thresholds. Settling twice changes nothing."""
        least = {Outcome.PASS: self.of(finding.check), Outcome.ANOMALY: EVEN_ODDS}.get(finding.outcome, 0.0)
        if finding.confidence >= least:
            return finding
        message = finding.message
        if finding.outcome is Outcome.PASS:
            message = say("doubt", passed=message.rstrip("."))
        return replace(finding, outcome=Outcome.UNCERTAIN, message=message)


@dataclass(frozen=True, slots=True)
class Judgement:
    """By what a version's answers are judged: its thresholds, and the version of the rules that is written with each
    verdict and changes with them."""

    thresholds: Thresholds
    rules: str


def usual() -> Thresholds:
    """The thresholds where neither settings nor a bound say otherwise."""
    return Thresholds(dict(CLEAR))


def settle(findings: Iterable[Finding], thresholds: Thresholds) -> list[Finding]:
    """All findings under the thresholds, in their order. One doubt is told once: of several passes of a field that
    the same reading is too unsure for, the first stays as uncertain."""
    settled: list[Finding] = []
    doubted: set[tuple[int, str | None, int]] = set()
    for finding in findings:
        place = (finding.page, finding.field, finding.ordinal)
        now = thresholds.settled(finding)
        sunk = finding.outcome is Outcome.PASS and now.outcome is Outcome.UNCERTAIN
        if sunk and finding.field is not None and place in doubted:
            continue
        if now.outcome is Outcome.UNCERTAIN:
            doubted.add(place)
        settled.append(now)
    return settled


def decide(findings: Sequence[Finding]) -> Verdict:
    """Clear only if there are findings and all of them pass."""
    if findings and all(finding.outcome is Outcome.PASS for finding in findings):
        return Verdict.CLEAR
    return Verdict.FLAGGED
