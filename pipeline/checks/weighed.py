"""An anomaly that rests on one reading is weighed against what else the model holds possible.

Where a field reads as a defect, either the defect was written or something sound was misread. Sound strings are more
common on paper than any one string that is a defect, so another reading that is sound and nearly as likely by its looks
is likelier to be what was written (Bayes). Where none is, as where the model is sure, the anomaly stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.findings import Finding, Outcome
from pipeline.verdict import EVEN_ODDS

#: How many times as common a sound string is taken to be as one that is a defect, before anything was read. Sound
#: dates are those of a few weeks, so each is common; of sound identifiers there are as many as of holders. Counted on
#: drawn documents (docs/decisions/0042).
COMMON_DATE, COMMON_IDENTIFIER = 12.0, 2.5


@dataclass(frozen=True, slots=True)
class Instead:
    """A sound reading that is possible, how likely it is by its looks, and the sentence about it."""

    chance: float
    message: str


def defective(anomalous: float, sound: float, common: float) -> float:
    """The probability that a defect was written, of how likely a reading that is one and sound ones are by their looks,
    and how many times as common as it a sound one is."""
    return anomalous / (anomalous + common * sound)


def weighed(finding: Finding, sound: Sequence[Instead], common: float) -> Finding:
    """An anomaly against what would be sound instead, `common` times as common: a pass where that is likelier."""
    chance = sum(one.chance for one in sound)
    if finding.outcome is not Outcome.ANOMALY or not chance:
        return finding
    defect = defective(finding.confidence, chance, common)
    if defect >= EVEN_ODDS:
        return finding
    likeliest = max(sound, key=lambda one: one.chance)
    return replace(finding, outcome=Outcome.PASS, confidence=1.0 - defect, message=likeliest.message)
