"""The inference worker as benchmarks run it: `python -m docvigil.bench.worker bundled|published|null TOLD`.

It works as `docvigil worker infer` does, with one of three readers, and writes what it counts into the file TOLD twice
a second. `null` finds every field empty at once: what is left is everything but the model. `published` is nanoVLM-222M
with random weights.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil

from docvigil import logging
from docvigil.cli.common import opened
from docvigil.judgement import model_folder
from docvigil.settings import Settings, settings
from docvigil.wiring import shared, worker_config
from models.calibration import Calibration
from models.steps import AtOnce, Steps, finished, steps_of
from pipeline.reading import Answer, AnswerState, Question, Reader
from workers.run import run_infer

#: How often counts are written (seconds).
TELL_SECONDS = 0.5

READERS = ("bundled", "published", "null")


@dataclass(frozen=True)
class Told:
    """What the worker counted since its start: questions put to the model, and CPU seconds of the engine with its
    threads."""

    questions: int = 0
    model_cpu: float = 0.0

    @classmethod
    def read(cls, path: Path) -> Self:
        """What was told last; nothing where nothing was."""
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return cls()


class NullReader:
    """Finds every field empty."""

    version = "null"

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return [Answer(AnswerState.EMPTY, None, 0.99, 0.01, "nothing") for _ in questions]


class Counted:
    """A model that counts what it is asked, and knows the threads that work for it: the engine's, which asks, and those
    that its first question starts."""

    def __init__(self, ink: Reader) -> None:
        self._ink = ink
        self._threads: set[int] = set()
        self.questions = 0

    @property
    def version(self) -> str:
        return self._ink.version

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return finished(self.steps(questions, lambda: max(1, len(questions))))

    def steps(self, questions: Sequence[Question], at_once: AtOnce) -> Steps[list[Answer]]:
        before = set() if self._threads else _threads().keys()
        answers = yield from steps_of(self._ink, questions, at_once)
        if not self._threads:
            self._threads = {threading.get_native_id(), *(_threads().keys() - before)}
        self.questions += len(questions)
        return answers

    def told(self) -> Told:
        now = _threads()
        return Told(self.questions, sum(now.get(one, 0.0) for one in self._threads))


def main() -> None:
    """Works until SIGTERM."""
    name, told = sys.argv[1], Path(sys.argv[2])
    logging.set_up(settings())
    with opened() as desk:
        run_infer(worker_config(desk.settings, desk.instance), lambda: _reader(name, desk.settings, told))


def _reader(name: str, chosen: Settings, told: Path) -> Reader:
    if name == "null":
        return NullReader()
    # Importing it brings torch.
    from models.cells import CellReader

    counted = Counted(ink(name, chosen))
    folder = None if name == "published" else model_folder(chosen)
    calibration = Calibration() if folder is None else Calibration.load(folder)
    reader = shared(chosen, counted, calibration, None if folder is None else CellReader.beside(folder))
    threading.Thread(target=_tell, args=(told, counted.told), name="told", daemon=True).start()
    return reader


def ink(name: str, chosen: Settings) -> Reader:
    """The model of that name, not shared yet."""
    from docvigil.bench.stand import published_stand
    from models.precision import resolved
    from models.reader import load_reader

    return (
        published_stand(resolved(chosen.model_precision, published=True)).fast
        if name == "published"
        else load_reader(chosen.model_folder, chosen.model_precision)
    )


def _tell(path: Path, told: Callable[[], Told]) -> None:
    while True:
        partial = path.with_suffix(".new")
        partial.write_text(json.dumps(asdict(told())))
        partial.replace(path)
        time.sleep(TELL_SECONDS)


def _threads() -> dict[int, float]:
    """CPU seconds of each thread of this process."""
    return {one.id: one.user_time + one.system_time for one in psutil.Process().threads()}


if __name__ == "__main__":
    main()
