"""How long a batch takes: something by itself, and something for each question, learned from the batches before."""

from __future__ import annotations

import math

#: What a batch says counts this much of what it said when the next comes: the machine has other work at other times.
KEPT = 0.95

#: Sizes that differ less than this part of their mean don't tell apart what a batch and what a question costs.
SPREAD = 0.1

#: The part of a batch's cost that may be its own where more questions would make no great difference.
ITS_OWN = 0.1


class Cost:
    """Least squares that forget. Not for several threads at once."""

    def __init__(self) -> None:
        self._weight = self._sizes = self._seconds = self._squares = self._products = 0.0

    def learn(self, questions: int, seconds: float) -> None:
        """A batch of so many questions took so long."""
        told = (1.0, questions, seconds, questions**2, questions * seconds)
        known = (self._weight, self._sizes, self._seconds, self._squares, self._products)
        self._weight, self._sizes, self._seconds, self._squares, self._products = (
            before * KEPT + now for before, now in zip(known, told, strict=True)
        )

    def within(self, seconds: float) -> float:
        """How many questions take so long: any number where they cost nothing measurable, or nothing is known."""
        batch, question = self._parts()
        return max(0.0, seconds - batch) / question if question > 0 else math.inf

    def efficient(self, most: float) -> float:
        """How many questions a batch needs so that what it costs by itself is a small part of what they cost, and no
        more than `most`; that many while the two can't be told apart."""
        batch, question = self._parts()
        return min(most, batch / (ITS_OWN * question)) if question > 0 and self._told_apart() else most

    def _told_apart(self) -> bool:
        """Whether batches of different enough sizes were seen of late."""
        return self._spread() > (SPREAD * self._sizes) ** 2

    def _spread(self) -> float:
        return self._weight * self._squares - self._sizes**2

    def _parts(self) -> tuple[float, float]:
        """Seconds of a batch by itself, and of each question in it."""
        if not self._weight:
            return 0.0, 0.0
        question = self._products / self._squares
        if self._told_apart():
            slope = (self._weight * self._products - self._sizes * self._seconds) / self._spread()
            batch = (self._seconds - slope * self._sizes) / self._weight
            if slope >= 0 and batch >= 0:
                return batch, slope
            # Larger batches that took no longer: all of it is the batch's.
            if slope < 0:
                return self._seconds / self._weight, 0.0
        return 0.0, question
