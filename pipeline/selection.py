"""Which clear documents teach the model most: those that it was least sure of, those on which two versions differ, and
those of a check whose confidences have moved.

They are looked at beside the random audit and never in its place: who chooses can't tell how much is missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Why = Literal["disagreement", "drift", "doubt"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pass of a clear document that people may be asked about, and why."""

    document_id: str
    scan_id: int
    finding_id: int
    why: Why


def in_turn(streams: Sequence[Iterable[Candidate]], most: int) -> list[Candidate]:
    """So many candidates at most, one of each stream in turn; a document once, by what speaks for it first."""
    waiting: list[Iterator[Candidate]] = [iter(one) for one in streams]
    chosen: dict[str, Candidate] = {}
    while waiting and len(chosen) < most:
        for stream in list(waiting):
            one = next((each for each in stream if each.document_id not in chosen), None)
            if one is None:
                waiting.remove(stream)
            elif len(chosen) < most:
                chosen[one.document_id] = one
    return list(chosen.values())
