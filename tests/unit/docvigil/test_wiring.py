"""What readers are given of the machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import torch

from docvigil.settings import Settings
from docvigil.wiring import shared
from models.calibration import Calibration
from models.reader import ModelReader
from pipeline.reading import Answer, AnswerState, Question


class Large:
    """A reader of another kind than the bundled model."""

    version = "large"

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return [Answer(AnswerState.EMPTY, None, 1.0, 0.0) for _ in questions]


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_a_small_model_has_one_thread_and_others_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    shared(Settings(prepare_processes=3), ModelReader.random(), Calibration())
    assert torch.get_num_threads() == 1
    shared(Settings(prepare_processes=3), Large(), Calibration())
    assert torch.get_num_threads() == 5
    shared(Settings(model_threads=2), ModelReader.random(), Calibration())
    assert torch.get_num_threads() == 2
