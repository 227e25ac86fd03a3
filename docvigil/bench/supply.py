"""Documents for measurements: a few are drawn, and given out as often as wanted, each time as new content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from models.synthesis.documents import synthesise

#: Documents drawn at most: more of them would only take longer to draw.
DRAWN = 60


class Supply:
    """Forms of both built-in types, fonts and signers of the test split. PDF, TIFF and JPEG end where they say, so what
    stands behind changes the content's hash and nothing that is seen."""

    def __init__(self, folder: Path, wanted: int, seed: int = 1) -> None:
        labels = list(synthesise(folder, min(wanted, DRAWN), seed=seed, split="test"))
        self._files: Iterator[Path] = cycle([folder / label.path for label in labels])
        self._given = 0

    def put(self, into: Path, count: int) -> list[str]:
        """Puts documents that nobody has seen into a folder, each whole at once; their ids."""
        return [self._one(into) for _ in range(count)]

    def _one(self, into: Path) -> str:
        self._given += 1
        file = next(self._files)
        body = file.read_bytes() + f"\n%{self._given}\n".encode()
        name = f"{self._given:06d}{file.suffix}"
        (into / f".{name}").write_bytes(body)
        (into / f".{name}").rename(into / name)
        return hashlib.sha256(body).hexdigest()
