"""What the model read, weighed with what each narrow column of the same picture shows (`models.columns`).

The model writes a string from what it saw of the whole picture, one character after the other; the reader of columns
goes along the line and writes nothing that it doesn't come across.
"""

from __future__ import annotations

import math

from models.columns import NUMBER, ColumnReader, best, likelihoods, limited
from models.witness import beforehand, doubted
from models.witness import weighed as both
from pipeline.reading import Answer, Question

#: How much the columns' word counts: what they see is not independent of what the model saw.
WEIGHT = 0.5

#: How likely what the columns say is, of what the model did not hold possible.
SURPRISING = 0.1

#: The least a string is taken to be likely: nobody is surer than that.
LEAST = math.log(1e-6)


class Lines:
    """The witness for all strings. Safe to share between threads."""

    name = "line"

    def __init__(self, columns: ColumnReader) -> None:
        self._columns = columns

    def read_again(self, question: Question, answer: Answer) -> Answer | None:
        """None where the string is sure enough, or has letters that no column shows."""
        if not doubted(question, answer) or not _known(answer.value or ""):
            return None
        chances = limited(self._columns.chances(question.image), question.alphabet)
        likely = beforehand(answer, _known)
        if said := best(chances):
            likely.setdefault(said, (1 - answer.confidence) * SURPRISING)
        values = list(likely)
        seen = dict(zip(values, likelihoods(chances, values), strict=True))
        return both(answer, likely, lambda value: WEIGHT * max(seen[value], LEAST))


def _known(value: str) -> bool:
    return all(letter in NUMBER for letter in value)
