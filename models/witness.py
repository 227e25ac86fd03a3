"""Who else is asked about a string that the model is unsure of, and how that word is weighed with the model's own.

Each witness sees the same picture in a way of its own, and so errs elsewhere. By Bayes' rule a string is as likely as
both together make it. Strings that only the witness speaks for are weighed too, as unlikely beforehand as the model's
own confidence leaves room for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from models.answers import ALTERNATIVES, LEAST_CHANCE, SURE
from pipeline.reading import STRINGS, Answer, Question, QuestionKind


class Witness(Protocol):
    """Safe to share between threads."""

    @property
    def name(self) -> str:
        """What its curves are named after."""
        ...

    def read_again(self, question: Question, answer: Answer) -> Answer | None:
        """The answer that stands after it was asked, its confidence and those of its alternatives as likely as both
        make them; None where it isn't asked, or has nothing to say that could be compared."""
        ...


def curve(kind: QuestionKind, name: str) -> str:
    """The name of the curve of what stands after a witness was asked."""
    return f"{kind.value}.{name}"


def doubted(question: Question, answer: Answer) -> bool:
    """Whether an answer whose confidence is calibrated is a string that others are asked about."""
    return question.kind in STRINGS and bool(answer.value) and answer.confidence < SURE


def beforehand(answer: Answer, fits: Callable[[str], bool]) -> dict[str, float]:
    """How likely the model holds each string that `fits`: what it read as sure as it is, the others share what that
    leaves in the proportions of their own chances."""
    left, total = 1 - answer.confidence, sum(chance for _, chance in answer.alternatives)
    found = {answer.value or "": answer.confidence}
    for value, chance in answer.alternatives:
        if value and fits(value):
            found.setdefault(value, left * chance / total)
    return found


def weighed(answer: Answer, chances: Mapping[str, float], said: Callable[[str], float]) -> Answer:
    """The answer that stands: `chances` are how likely each string is beforehand, `said` how likely the witness makes
    it, as a logarithm."""
    scores = {value: math.log(max(chance, 1e-9)) + said(value) for value, chance in chances.items()}
    most = max(scores.values())
    total = sum(math.exp(score - most) for score in scores.values())
    shares = sorted(((value, math.exp(score - most) / total) for value, score in scores.items()), key=lambda o: -o[1])
    (value, share), *others = shares
    rest = tuple((one, chance) for one, chance in others[:ALTERNATIVES] if chance >= LEAST_CHANCE)
    return replace(answer, value=value, confidence=share, alternatives=rest)
