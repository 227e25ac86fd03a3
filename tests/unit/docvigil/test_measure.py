"""Counting how well fields are read, with readers of whom it is known how well they read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from docvigil.measure import LABELS, labels, measured
from models.synthesis.documents import synthesise
from pipeline.doctypes.load import builtin
from pipeline.doctypes.schema import FieldKind
from pipeline.locate import Atlas
from pipeline.pages import Limits
from pipeline.reading import Answer, AnswerState, Question

NOTHING = Answer(AnswerState.EMPTY, None, 0.9, 0.1, "nothing")


class Blind:
    """Sees nothing anywhere."""

    version = "blind"

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return [NOTHING] * len(questions)


class Guesser(Blind):
    """Reads the same date everywhere."""

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return [Answer(AnswerState.PRESENT, "01012026", 0.9, 0.9, "filled")] * len(questions)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    slips = [one for one in builtin() if one.name == "delivery-instruction-slip"]
    list(synthesise(folder, 2, seed=3, types=slips, defects=0.0, split="test"))
    return folder


def told(folder: Path) -> dict[FieldKind, list[str | None]]:
    found: dict[FieldKind, list[str | None]] = {}
    for document in labels(folder):
        for field in document["fields"]:
            found.setdefault(field["kind"], []).append(field["value"])
    return found


@pytest.mark.parametrize("reader", [Blind(), Guesser()], ids=["blind", "guesser"])
def test_what_is_right_is_counted(folder: Path, reader: Any) -> None:
    *_, counts = measured(folder, reader, Atlas(builtin()), Limits())
    truth = told(folder)
    assert counts.keys() == truth.keys()
    guesses = isinstance(reader, Guesser)
    for kind, values in truth.items():
        one, there = counts[kind], sum(value is not None for value in values)
        assert (one.fields, one.written, one.lost) == (len(values), there, 0)
        assert one.presence == (there if guesses else len(values) - there)
        if kind in (FieldKind.DATE, FieldKind.IDENTIFIER, FieldKind.AMOUNT):
            assert one.exact == (0 if guesses else len(values) - there)
    assert sum(one.written for one in counts.values()) > 10, "the documents are filled"


def test_a_field_that_is_not_found_is_wrong(folder: Path) -> None:
    others = [one for one in builtin() if one.name != "delivery-instruction-slip"]
    *_, counts = measured(folder, Blind(), Atlas(others), Limits())
    assert all(one.lost == one.fields and one.exact == one.presence == 0 for one in counts.values())


def test_labels_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't be opened"):
        labels(tmp_path)
    (tmp_path / LABELS).write_text('{"path": "a.pdf"}\n')
    with pytest.raises(ValueError, match="is not as docvigil synthesise writes it"):
        labels(tmp_path)
