"""A reader that answers by looking at the ink, and documents that bring down whoever touches them. No model."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

import numpy as np

import workers.prepare
from pipeline.pages import Page
from pipeline.quality import Quality, assess
from pipeline.reading import Answer, AnswerState, Pixels, Question, Reader
from pipeline.verdict import Judgement, Thresholds

#: What stands in a signature box, by its mean grey inside: the reader dies of one and raises at the other.
KILLS, RAISES = 40, 128
SIGNED = Answer(AnswerState.PRESENT, None, 0.99, 0.99, "signature")
EMPTY = Answer(AnswerState.EMPTY, None, 0.99, 0.01, "empty")


class Scripted:
    """Sees ink or none, and is always sure."""

    version = "scripted-1"

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return [self._answer(inside(one.image)) for one in questions]

    def _answer(self, image: Pixels) -> Answer:
        mean = float(image.mean())
        if mean < KILLS:
            os.kill(os.getpid(), signal.SIGKILL)
        if abs(mean - RAISES) < 30:
            raise RuntimeError("this evidence can't be read")
        if float(np.mean(image < 150)) > 0.002:
            return SIGNED
        return EMPTY


class Named(Scripted):
    """A version from the registry; its name says how it sees: `blind-…` takes every box for signed and `strict-…` every
    one for empty, all others look at the ink."""

    def __init__(self, version: str) -> None:
        self.version = version

    def _answer(self, image: Pixels) -> Answer:
        if self.version.startswith("blind"):
            return SIGNED
        return EMPTY if self.version.startswith("strict") else super()._answer(image)


def inside(image: Pixels) -> Pixels:
    """An evidence without its edges, where the form's own box is printed."""
    height, width = image.shape
    return image[height // 4 : height - height // 4, width // 8 : width - width // 8]


def reader() -> Reader:
    return Scripted()


def registered(version: str, key: str) -> tuple[Reader, Judgement]:
    """What a process loads for a version of the registry, and by what its answers are judged: `doubted-…` needs more
    certainty than the reader ever has."""
    sure = Thresholds(default_clear=1.0 if version.startswith("doubted") else 0.5)
    return Named(version), Judgement(sure, f"rules-{sure.default_clear}")


def install() -> None:
    """Makes pages that are black all over kill the process that prepares them."""
    workers.prepare.assess = deadly


def deadly(page: Page) -> Quality:
    if page.image.mean() < 10:
        os.kill(os.getpid(), signal.SIGKILL)
    return assess(page)
