"""A handful of synthesised scans to look at: what `docvigil up --samples` puts into the drop folder."""

from __future__ import annotations

import threading
from pathlib import Path

import structlog
from sqlalchemy.orm import Session, sessionmaker

from models.synthesis.documents import ENDORSERS, LABELS, Label, synthesise
from pipeline.doctypes.load import builtin
from pipeline.register import read_csv
from records import endorsers as register_of

log = structlog.get_logger(__name__)

#: How many, and which: this seed gives both types, PDF, TIFF and JPEG, sound documents and flawed ones, a flawed one
#: first.
COUNT, SEED = 6, 21

#: Where they are drawn, beneath `DOCVIGIL_HOME`; the truth about them stays there.
FOLDER = "samples"


class Samples:
    """Draws the samples once for each `DOCVIGIL_HOME`; each appears in the drop folder as soon as it is whole."""

    def __init__(self, home: Path, drop: Path) -> None:
        self.folder = home / FOLDER
        self._drop = drop

    @property
    def there(self) -> bool:
        """Whether all were drawn before."""
        labels = self.folder / LABELS
        return labels.exists() and len(labels.read_text(encoding="utf-8").splitlines()) == COUNT

    def put(self, sessions: sessionmaker[Session], stop: threading.Event) -> int:
        """Imports the register that the samples are stamped by, then draws them until `stop` is set; how many."""
        drawn = 0
        for label in synthesise(self.folder, COUNT, seed=SEED, types=builtin(), split="test"):
            if drawn == 0:
                self._import(sessions)
            self._move(label)
            drawn += 1
            if stop.is_set():
                break
        log.info("samples.drawn", samples=drawn)
        return drawn

    def _import(self, sessions: sessionmaker[Session]) -> None:
        endorsers = read_csv(self.folder / ENDORSERS)
        with sessions.begin() as session:
            register_of.import_all(session, endorsers, actor="docvigil")

    def _move(self, label: Label) -> None:
        (self.folder / label.path).replace(self._drop / label.path)
