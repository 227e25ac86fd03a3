"""Scripted records for the process that trains in a test: examples of boxes, and a gate that counts."""

from __future__ import annotations

import hashlib
import json
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
from records.objects import ObjectStore
from records.tables import ModelVersion
from records.trainings import TrainingLease
from workers import teaching
from workers.files import Files


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

    def gather(session: Session, store: ObjectStore) -> None:
        return None

    def write(session: Session, store: ObjectStore, folder: Path, side: str) -> int | None:
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
                return None

    def archive(store: ObjectStore, folder: Path, version: str) -> str:
        store.put(f"models/{version}.tar", (folder / "model.safetensors").read_bytes())
        return f"models/{version}.tar"

    def decide(session: Session, lease: TrainingLease, files: Files, version: str) -> teaching.Decided:
        lines = [json.loads(line) for line in files.judged("golden").read_text().splitlines()]
        mine, theirs = (sum(line["right"][which] for line in lines) / len(lines) for which in (0, 1))
        surest = sum(line["confidence"] for line in lines) / len(lines)
        told = {"candidate": mine, "production": theirs, "present": surest, "examples": len(lines)}
        return teaching.Decided(mine > theirs, (f"{mine:.0%} right, {theirs:.0%} before.",), told)

    def record(session: Session, lease: TrainingLease, version: str, *, key: str, **given: Any) -> None:
        values = {"version": version, "key": key, "parent": lease.parent, "lineage": given["lineage"]}
        session.execute(insert(ModelVersion).values(**values).on_conflict_do_nothing())

    for one in (gather, write, archive, decide, record):
        setattr(teaching, one.__name__, one)
