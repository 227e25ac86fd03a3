"""How a filled form reaches us: scanned, photographed, folded, faxed, copied, corrected, on security paper. A document
has one of these manners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from models.synthesis import camera, fax, folds, guilloche, photocopy, scans
from pipeline.pages import Colour

Change: TypeAlias = Callable[[Colour, np.random.Generator], Colour]
Seen: TypeAlias = Callable[[Colour, scans.Manner, np.random.Generator], scans.Scan]


@dataclass(frozen=True, slots=True)
class Manner:
    """`before` changes the blank paper, `after` the filled one; `seen` makes a scan of it; `corrected` says that fields
    were written twice; `formats` are what such files come as, None for what scanners write."""

    seen: Seen = scans.scan
    before: Change | None = None
    after: Change | None = None
    corrected: bool = False
    formats: Mapping[scans.Format, float] | None = None


MANNERS: dict[str, Manner] = {
    "scan": Manner(),
    "photograph": Manner(camera.photographed, formats={"jpeg": 0.6, "pdf": 0.4}),
    "fold": Manner(after=folds.folded),
    "fax": Manner(fax.faxed, formats={"tiff": 0.8, "pdf": 0.2}),
    "photocopy": Manner(after=photocopy.copied),
    "correction": Manner(corrected=True),
    "security": Manner(before=guilloche.printed_under),
}

#: How often each is drawn where all are wanted.
MIX: dict[str, float] = {
    "scan": 0.4,
    "photograph": 0.1,
    "fold": 0.1,
    "fax": 0.08,
    "photocopy": 0.12,
    "correction": 0.1,
    "security": 0.1,
}


#: The name for all manners together.
ALL = "all"


def mixed(names: tuple[str, ...]) -> dict[str, float]:
    """Those manners, as often as each other as in `MIX`; all of them for `ALL` alone. Raises `ValueError` for unknown
    names, or none."""
    if names == (ALL,):
        return dict(MIX)
    unknown = sorted(set(names) - set(MANNERS))
    if unknown or not names:
        told = f"unknown: {', '.join(unknown)}" if unknown else "none was named"
        raise ValueError(f"manners are {', '.join(MANNERS)}; {told}")
    whole = sum(MIX[name] for name in set(names))
    return {name: MIX[name] / whole for name in MANNERS if name in names}


def chosen(shares: Mapping[str, float], rng: np.random.Generator) -> str:
    """The name of one manner, by its share."""
    names = list(shares)
    return names[int(rng.choice(len(names), p=list(shares.values())))]
