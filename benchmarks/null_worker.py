"""The inference worker with a reader that answers at once: what everything but the model costs."""

from __future__ import annotations

from collections.abc import Sequence

from docvigil import logging
from docvigil.cli.common import opened
from docvigil.settings import settings
from docvigil.wiring import worker_config
from pipeline.reading import Answer, AnswerState, Question
from workers.run import run_infer


class NullReader:
    """Finds every field empty."""

    version = "null"

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return [Answer(AnswerState.EMPTY, None, 0.99, 0.01, "nothing") for _ in questions]


def main() -> None:
    logging.set_up(settings())
    with opened() as desk:
        run_infer(worker_config(desk.settings, desk.instance), NullReader)


if __name__ == "__main__":
    main()
