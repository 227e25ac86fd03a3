"""Reading in steps, between which whoever shares a reader may let others in.

Some questions take one look at a picture and some take nine, and which it will be is known only afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol, TypeAlias, TypeVar, runtime_checkable

from pipeline.reading import Answer, Pixels, Question, Reader

Found = TypeVar("Found")

Steps: TypeAlias = Generator[int, None, Found]
"""Yields after each step how many pictures it looked at, and returns what was found."""

AtOnce: TypeAlias = Callable[[], int]
"""Asked before each step how many pictures it may look at."""


@runtime_checkable
class Stepwise(Protocol):
    """A reader that can be stopped on the way. Between two steps the same thread may ask it other questions."""

    def steps(self, questions: Sequence[Question], at_once: AtOnce) -> Steps[list[Answer]]:
        """One answer a question, in their order."""
        ...


def steps_of(reader: Reader, questions: Sequence[Question], at_once: AtOnce) -> Steps[list[Answer]]:
    """The steps of a reader that has some; of any other all that it does is one."""
    return reader.steps(questions, at_once) if isinstance(reader, Stepwise) else _whole(reader, questions)


def finished(steps: Steps[Found]) -> Found:
    """What is found in the end, with nobody let in."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Found = end.value
            return found


def in_parts(
    look: Callable[[Sequence[Question], Sequence[Pixels]], list[Found]],
    questions: Sequence[Question],
    images: Sequence[Pixels],
    at_once: AtOnce,
) -> Steps[list[Found]]:
    """What `look` finds of each question about its picture, a part of them at a time. Questions about one picture that
    stand together stay together: the picture is seen once."""
    found: list[Found] = []
    while (start := len(found)) < len(questions):
        end = min(start + max(1, at_once()), len(questions))
        while end < len(questions) and images[end] is images[end - 1]:
            end += 1
        found += look(questions[start:end], images[start:end])
        yield end - start
    return found


def _whole(reader: Reader, questions: Sequence[Question]) -> Steps[list[Answer]]:
    answers = reader.read(questions)
    yield len(questions)
    return answers
