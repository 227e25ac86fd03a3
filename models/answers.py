"""From what a model says to an answer: the steps that every reader takes alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from models.calibration import Calibration
from models.nanovlm.tokens import CHOICES
from pipeline.reading import Answer, AnswerState, Question

EMPTY, ILLEGIBLE, STRUCK = "<empty>", "<illegible>", "<struck>"

#: Below this raw confidence a string is looked at again, on the alternate cut and more.
UNSURE = 0.97

#: Strings whose calibrated confidence is higher than this need no other witness: one costs as much as several answers.
SURE = 0.985

#: How many other readings an answer names at most, and how likely each must be.
ALTERNATIVES, LEAST_CHANCE = 12, 0.005

#: Longest string that is read, in characters.
LONGEST = 22

#: Choices that mean that something stands there though not what the field is for.
STATES = {EMPTY: AnswerState.EMPTY, ILLEGIBLE: AnswerState.ILLEGIBLE, STRUCK: AnswerState.STRUCK}


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer before calibration: a choice or state (`<…>`) or a string, and the model's own probabilities; `others`
    are further strings that the same look held possible."""

    word: str
    confidence: float
    present: float
    others: Sequence[tuple[str, float]] = ()


def asked_again(question: Question, first: Raw) -> bool:
    """Whether other cuts are to be looked at too."""
    return question.alternate is not None and question.kind not in CHOICES and first.confidence < UNSURE


def settled(question: Question, first: Raw, further: Sequence[Raw], calibration: Calibration) -> Answer:
    """The answer to a question, from the first look and those that followed where it was unsure.

    What is the most likely over all looks counts, and its probability is the mean over them: a look that says something
    else speaks against it with all its weight.
    """
    looks = [first, *further]
    shares: dict[str, float] = defaultdict(float)
    for each in looks:
        for said, chance in ((each.word, each.confidence), *each.others):
            shares[said] += chance / len(looks)
    # What no look read may be spelled as nothing is.
    word = max((each.word for each in looks), key=lambda one: shares[one])
    share = shares.pop(word)
    others = sorted(((one, chance) for one, chance in shares.items() if one not in STATES), key=lambda one: -one[1])
    alternatives = tuple((one.strip(), chance) for one, chance in others[:ALTERNATIVES] if chance >= LEAST_CHANCE)
    kind = question.kind.value
    confidence = calibration(kind, share)
    present = calibration(f"{kind}.present", sum(each.present for each in looks) / len(looks))
    state = STATES.get(word, AnswerState.PRESENT)
    if question.kind in CHOICES:
        label = word.strip("<>")
        return Answer(state, None, confidence, present, "nothing" if word == EMPTY else label)
    value = word.strip() if state is AnswerState.PRESENT else None
    return Answer(state, value, confidence, present, None, alternatives)


def longest(question: Question) -> int:
    """The most characters that a string answer may have."""
    return min(question.max_length or LONGEST, LONGEST)
