"""`docvigil read`: its contract, with a scripted reader in place of the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from docvigil.cli import read as command
from pipeline.locate import Atlas
from pipeline.reading import Answer, AnswerState, Question, QuestionKind
from tests.unit.docvigil.cli.conftest import Run

KEYS = ["path", "kind", "box", "present", "value", "normalised", "confidence", "others"]


class Scripted:
    """Reads a date, and an Aadhaar number as identifier, where there is ink; no print."""

    version = "scripted"

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return [self._answer(one) for one in questions]

    def _answer(self, question: Question) -> Answer:
        if question.kind is QuestionKind.PRINT or not (question.image < 128).any():
            return Answer(AnswerState.EMPTY, None, 0.91234567, 0.05, "nothing")
        value = "15/03/2016" if question.kind is QuestionKind.DATE else "234567890124"
        return Answer(AnswerState.PRESENT, value, 0.97, 0.99)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "the_reader", lambda _settings: Scripted())
    monkeypatch.setattr(command, "atlas", lambda _settings: Atlas([]))
    monkeypatch.setattr(command, "printed_words", lambda: lambda _image: [])
    image = np.full((1000, 800), 250, np.uint8)
    cv2.putText(image, "15/03/2016", (100, 130), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 10, 3)
    path = tmp_path / "page.png"
    cv2.imwrite(str(path), image)
    return path


def test_a_region_as_json(run: Run, page: Path) -> None:
    said = run("read", str(page), "--kind", "date", "--box", "0.1,0.08,0.45,0.15", "--json")
    assert said.code == 0
    told = json.loads(said.out)
    assert list(told) == KEYS
    assert told == {
        "path": str(page),
        "kind": "date",
        "box": [0.1, 0.08, 0.45, 0.15],
        "present": True,
        "value": "15/03/2016",
        "normalised": "2016-03-15",
        "confidence": 0.97,
        "others": [],
    }


def test_nothing_is_null(run: Run, page: Path) -> None:
    told = json.loads(run("read", str(page), "--kind", "date", "--box", "0.1,0.5,0.45,0.6", "--json").out)
    assert (told["present"], told["value"], told["normalised"], told["confidence"]) == (False, None, None, 0.9123)
    told = json.loads(run("read", str(page), "--kind", "checkbox", "--json").out)
    assert (told["box"], told["present"]) == (None, False)


def test_many_regions_of_a_file(run: Run, page: Path) -> None:
    wanted = page.parent / "regions.jsonl"
    lines = [
        {"path": "page.png", "kind": "date", "box": [0.1, 0.08, 0.45, 0.15]},
        {"path": "missing.png", "kind": "date", "box": [0.1, 0.08, 0.45, 0.15]},
        {"path": str(page), "kind": "identifier", "box": [0.1, 0.08, 0.45, 0.15]},
        {"path": str(page), "kind": "date", "box": [0.1, 0.08, 0.45, 0.15], "page": 2},
        {"path": str(page), "kind": "date", "box": [1.1, 0.08, 1.45, 0.15]},
    ]
    wanted.write_text("\n\n".join(json.dumps(line) for line in lines))
    said = run("read", "--regions", str(wanted), "--json")
    assert said.code == 2, "since not all could be read"
    told = [json.loads(line) for line in said.out.splitlines()]
    assert [one.get("value") for one in told] == ["15/03/2016", None, "XXXXXXXX0124", None, None]
    assert told[0]["path"] == str(page), "relative to where the list stands"
    assert "23456789" not in said.out + said.err
    assert [list(told[1]), "No such file" in told[1]["error"]] == [["path", "kind", "error"], True]
    assert "no page 2" in told[3]["error"] and "off the page" in told[4]["error"]


def test_a_table_for_a_person(run: Run, page: Path) -> None:
    said = run("read", str(page), "--kind", "date", "--box", "0.1,0.08,0.45,0.15")
    assert said.code == 0 and "2016-03-15" in said.out and "0.970" in said.out


def test_wrong_usage(run: Run, page: Path) -> None:
    listed = page.parent / "wrong.jsonl"
    listed.write_text('{"path": "page.png", "kind": "poem"}\n')
    for code, arguments in (
        (64, ("read", str(page))),
        (64, ("read", "--kind", "date")),
        (64, ("read", str(page), "--kind", "poem")),
        (64, ("read", str(page), "--kind", "date", "--box", "0.1,0.2,0.3")),
        (64, ("read", str(page), "--kind", "date", "--box", "0.5,0.2,0.3,0.4")),
        (64, ("read", str(page), "--regions", str(listed))),
        (2, ("read", "--regions", str(listed))),
        (2, ("read", "--regions", str(page.parent / "none.jsonl"))),
    ):
        assert run(*arguments).code == code, arguments
