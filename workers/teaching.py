"""What a training takes from the records and gives to them: examples, the golden set, the gate, the registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import registry
from records.objects import ObjectStore
from records.tables import ModelVersion
from records.trainings import TrainingLease
from workers.files import Files

#: The sides that examples are written down by, and those that versions are compared on.
SIDES = ("train", "golden", "fresh")
COMPARED = ("golden", "fresh")


@dataclass(frozen=True, slots=True)
class Decided:
    """What the gate said: `told` is it in full, as JSON."""

    passed: bool
    reasons: tuple[str, ...]
    told: dict[str, Any]


def gather(session: Session, store: ObjectStore) -> None:
    """Turns decisions that are new into examples."""
    raise NotImplementedError


def write(session: Session, store: ObjectStore, folder: Path, side: str) -> int | None:
    """Writes the examples of a side as a folder of feedback; of the golden side the id of the set."""
    raise NotImplementedError


def record_parent(session: Session, version: str) -> None:
    """The version that a training goes on from stands in the records, also where it has judged nothing yet."""
    if session.scalar(select(ModelVersion.version).where(ModelVersion.version == version)) is None:
        registry.record_model(session, version)


def archive(store: ObjectStore, folder: Path, version: str) -> str:
    """Puts a version's folder into the object store; its key."""
    raise NotImplementedError


def decide(session: Session, lease: TrainingLease, files: Files, version: str) -> Decided:
    """What the gate says of the candidate, written down with what it was decided by."""
    raise NotImplementedError


def record(
    session: Session, lease: TrainingLease, version: str, *, key: str, lineage: dict[str, Any], result: Decided
) -> None:
    """The candidate stands in the registry, in shadow where the gate let it pass."""
    raise NotImplementedError
