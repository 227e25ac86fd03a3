"""Scripted examples for the process that trains in a test: boxes that are ticked or empty."""

from __future__ import annotations

import hashlib
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipeline import feedback
from pipeline.feedback import Example
from pipeline.reading import AnswerState, QuestionKind
from records import examples, gathering
from records.learning_tables import GoldenSet
from records.objects import ObjectStore


def checkbox(seed: int) -> tuple[Any, bool]:
    """A box, and whether it is ticked."""
    rng = np.random.default_rng(seed)
    image = np.full((40, 60), 245, np.uint8)
    cv2.rectangle(image, (10, 6), (48, 34), 60, 1)
    if ticked := bool(seed % 2):
        x, y = (int(one) for one in rng.integers(-3, 4, 2))
        cv2.line(image, (16 + x, 20 + y), (26 + x, 30 + y), 20, 3)
        cv2.line(image, (26 + x, 30 + y), (44 + x, 10 + y), 20, 3)
    noisy = image.astype(np.int16) + rng.integers(-4, 5, image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), ticked


def example(seed: int) -> tuple[Example, bytes]:
    image, ticked = checkbox(seed)
    name, data = feedback.picture(image)
    document = hashlib.sha256(f"document {seed}".encode()).hexdigest()
    state = AnswerState.PRESENT if ticked else AnswerState.EMPTY
    return (
        Example(
            file_name=name,
            kind=QuestionKind.CHECKBOX,
            state=state,
            label="ticked" if ticked else None,
            document=document,
            review=str(seed),
            model_version="before",
        ),
        data,
    )


def install(learned: int = 120) -> None:
    """Takes the place of the records for this process."""

    def gather(session: Session, store: ObjectStore, *, keep_days: int) -> None:
        values = {"digest": "0" * 64, "examples": 40, "frozen_by": "asha"}
        session.execute(insert(GoldenSet).values(**values).on_conflict_do_nothing())

    def write(session: Session, store: ObjectStore, folder: Path, side: str) -> None:
        wanted = {"train": learned, "golden": 40, "fresh": 20}[side]
        first = {"train": 0, "golden": 100_000, "fresh": 200_000}[side]
        found = 0
        for seed in count(first):
            one, data = example(seed)
            if feedback.held_out(one.document) == (side == "train"):
                continue
            feedback.add(folder, one, data)
            found += 1
            if found == wanted:
                return

    gathering.gather, examples.write_folder = gather, write  # type: ignore[assignment]
