"""From what a model says to an answer: the steps that every reader takes alike."""

from __future__ import annotations

from dataclasses import dataclass

from models.calibration import Calibration
from models.nanovlm.tokens import CHOICES
from pipeline.reading import Answer, AnswerState, Question

EMPTY, ILLEGIBLE, STRUCK = "<empty>", "<illegible>", "<struck>"

#: Below this raw confidence a string is read a second time, on the alternate cut.
UNSURE = 0.97

#: Longest string that is read, in characters.
LONGEST = 22

#: Choices that mean that something stands there though not what the field is for.
STATES = {EMPTY: AnswerState.EMPTY, ILLEGIBLE: AnswerState.ILLEGIBLE, STRUCK: AnswerState.STRUCK}


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer before calibration: a choice or state (`<…>`) or a string, and the model's own probabilities."""

    word: str
    confidence: float
    present: float


def asked_again(question: Question, first: Raw) -> bool:
    """Whether the alternate cut is to be looked at too."""
    return question.alternate is not None and question.kind not in CHOICES and first.confidence < UNSURE


def settled(question: Question, first: Raw, second: Raw | None, calibration: Calibration) -> Answer:
    """The answer to a question; of two cuts the surer one counts, more if they agree and less if they don't."""
    one, confidence = first, first.confidence
    alternatives: tuple[tuple[str, float], ...] = ()
    if second is not None:
        one = first if first.confidence >= second.confidence else second
        if first.word == second.word:
            # Two looks rarely make the same mistake.
            confidence = 1 - (1 - first.confidence) * (1 - second.confidence)
        else:
            other = second if one is first else first
            confidence = one.confidence / (1 + other.confidence / max(one.confidence, 1e-9))
            alternatives = ((other.word.strip(), other.confidence),) if other.word not in STATES else ()
    kind = question.kind.value
    confidence = calibration(kind, confidence)
    present = calibration(f"{kind}.present", one.present)
    state = STATES.get(one.word, AnswerState.PRESENT)
    if question.kind in CHOICES:
        label = one.word.strip("<>")
        return Answer(state, None, confidence, present, "nothing" if one.word == EMPTY else label)
    value = one.word.strip() if state is AnswerState.PRESENT else None
    return Answer(state, value, confidence, present, None, alternatives)


def longest(question: Question) -> int:
    """The most characters that a string answer may have."""
    return min(question.max_length or LONGEST, LONGEST)
