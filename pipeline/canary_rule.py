"""When a canary goes back, and when it may stay: tests by betting that hold however often they are read.

Each labelled document is one trial: a document that the canary cleared and an audit looked at is a miss or none, one
that it flagged and people decided on is a false alarm or none. Against the hypothesis that the rate is no higher than a
limit, a mixture of likelihood ratios is a fair bet; it ever reaches 1/δ with a chance of δ at most (Ville, 1939; Wald,
1945). That the rate is below the limit is bet on by `pipeline.bounds.log_wealth`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.bounds import DELTA, Floats, labels_shown, log_wealth

#: Rates above the limit that are bet on: this part of the way from the limit to 1, each with the same money.
WAYS: Floats = np.array([0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.7])

#: More labels than this are not computed: so small a badness is not found by a canary.
MOST_LABELS = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """What is counted of one kind of error: `errors` among `labels`, and the rate that production is allowed."""

    name: str
    errors: int
    labels: int
    limit: float

    def __post_init__(self) -> None:
        if not 0 < self.limit < 1:
            raise ValueError(f"the limit of {self.name} is {self.limit}; a share between 0 and 1 is needed")
        if not 0 <= self.errors <= self.labels:
            raise ValueError(f"{self.errors} errors among {self.labels} labels of {self.name} can't be")


@dataclass(frozen=True, slots=True)
class CanaryState:
    """`move` is 'back', 'promote' or 'wait'; `reasons` are sentences for a person."""

    move: str
    reasons: tuple[str, ...]


def log_excess(errors: Floats, labels: Floats, limit: float) -> Floats:
    """The logarithm of what bettors on a rate above `limit` hold, from 0 at first; arrays of one shape."""
    rates = limit + (1 - limit) * WAYS
    gains = np.multiply.outer(np.asarray(errors, float), np.log(rates / limit))
    gains = gains + np.multiply.outer(
        np.asarray(labels, float) - np.asarray(errors, float), np.log((1 - rates) / (1 - limit))
    )
    highest: Floats = gains.max(-1)
    held: Floats = highest + np.log(np.exp(gains - highest[..., None]).mean(-1))
    return held


def exceeded(rate: Rate, delta: float = DELTA) -> bool:
    """Whether the labels prove, at any moment, that the rate is above its limit."""
    return float(log_excess(np.array(rate.errors), np.array(rate.labels), rate.limit)) >= math.log(1 / delta)


def shown_below(rate: Rate, delta: float = DELTA) -> bool:
    """Whether the labels prove, at any moment, that the rate is below its limit."""
    wealth = log_wealth(rate.limit, rate.labels - rate.errors, [1.0] * rate.errors)
    return float(wealth) >= math.log(1 / delta)


def labels_missing(rate: Rate, delta: float = DELTA) -> int | None:
    """How many more labels show that the rate is below its limit, where errors go on to come as often as so far; 0
    where it is shown. None where they come too often for any number to show it."""
    if shown_below(rate, delta):
        return 0
    shown = labels_shown(rate.limit, rate.errors / rate.labels if rate.labels else 0.0, delta)
    # Rounding may put the number at what is there already.
    return None if shown is None else max(1, shown - rate.labels)


def told_of(rate: Rate, delta: float = DELTA) -> str:
    """What is missing for a rate to be shown below its limit, for a person."""
    counted = f"{rate.name}: {rate.errors} of {rate.labels} don't yet show a rate below {rate.limit:.2%}"
    missing = labels_missing(rate, delta)
    if missing is None:
        return f"{counted}; at the rate so far no number of labels will."
    so_far = "at the rate so far" if rate.errors else "without an error"
    return f"{counted}; {so_far} about {missing} more labels will."


def state(
    rates: Sequence[Rate], documents: int, least_documents: int, alerts: Sequence[str] = (), delta: float = DELTA
) -> CanaryState:
    """What is to be done with a canary that has judged so many documents.

    It goes back on an alert, or where a rate is proved above its limit, `delta` being shared out among the rates. It
    is promoted after `least_documents` once each rate is proved below its limit; until then it waits, and the reasons
    say how many labels are missing.
    """
    each = delta / max(1, len(rates))
    worse = [one for one in rates if exceeded(one, each)]
    if worse or alerts:
        told = [f"{one.name}: {one.errors} of {one.labels}, above the limit of {one.limit:.2%}." for one in worse]
        return CanaryState("back", (*told, *alerts))
    waits = [told_of(one, each) for one in rates if not shown_below(one, each)]
    if documents < least_documents:
        waits.insert(0, f"{documents} of {least_documents} documents judged.")
    return CanaryState("wait" if waits else "promote", tuple(waits))


def labels_needed(rate: float, limit: float, delta: float = DELTA, power: float = 0.95) -> int | None:
    """By how many labels a canary whose true rate is `rate` has gone back with a probability of `power`; exact.

    `delta` is what this rate has: where `state` is given two rates, a half. None where that takes more than
    `MOST_LABELS`, and where the rate is not above the limit.
    """
    if rate <= limit:
        return None
    goal, gone, chances, crossing = math.log(1 / delta), 0.0, np.array([1.0]), 0
    for labels in range(1, MOST_LABELS + 1):
        hit = np.concatenate([[0.0], chances * rate])
        chances = np.concatenate([chances * (1 - rate), [0.0]]) + hit
        # More labels need no fewer errors, so the least number that crosses only rises.
        while crossing <= labels and float(log_excess(np.array(crossing), np.array(labels), limit)) < goal:
            crossing += 1
        gone += float(chances[crossing:].sum())
        if gone >= power:
            return labels
        chances = chances[:crossing]
    return None


def documents_needed(
    rate: float, limit: float, labelled: float, share: float = 1.0, delta: float = DELTA, power: float = 0.95
) -> int | None:
    """The number of documents that arrive until a canary of that rate has gone back with a probability of `power`.

    The canary judges `share` of them, of which `labelled` get a label of this kind: the share cleared times the audit
    rate for misses, the share flagged for false alarms. An expectation, rounded up; None as for `labels_needed`.
    """
    if not (0 < labelled <= 1 and 0 < share <= 1):
        raise ValueError(f"labelled ({labelled}) and share ({share}) are shares above 0")
    labels = labels_needed(rate, limit, delta, power)
    return None if labels is None else math.ceil(labels / (labelled * share))
