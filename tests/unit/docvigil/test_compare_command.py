"""`docvigil compare` on a document and on lettered questions, with the bundled model and a toy published one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from docvigil.cli import app
from docvigil.cli.common import Refusal
from docvigil.settings import settings
from models.reader import bundled, digest
from models.synthesis.documents import synthesise
from pipeline.doctypes.load import builtin
from tests.unit.models.nanovlm.test_published import FIRST
from tests.unit.models.nanovlm.test_published_reader import checkpoint

KEYS = [
    "checkpoint", "version", "data", "parameters", "images", "accuracy", "precision", "recall", "f1",
    "seconds_per_image",
]  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DOCVIGIL_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("toy"), FIRST)


def questions(folder: Path, answer: str = "A") -> Path:
    for shade in range(3):
        Image.new("L", (40, 30), shade * 90).save(folder / f"{shade}.png")
    lines = [{"image": f"{shade}.png", "question": "Which? A: one, B: two", "answer": answer} for shade in range(3)]
    (folder / "mmstar.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    return folder / "mmstar.jsonl"


def test_models_are_shown_the_same_fields(tmp_path: Path, toy: Path) -> None:
    (smallest,) = sorted(builtin(), key=lambda one: len(one.fields))[:1]
    (label,) = synthesise(tmp_path / "documents", 1, seed=1, types=[smallest], defects=0.0, split="test")
    ran = CliRunner().invoke(app, ["compare", "bundled", str(toy), "--labelled", str(tmp_path / "documents"), "--json"])
    assert ran.exit_code == 0, ran.exception
    ours, other = (json.loads(line) for line in ran.stdout.splitlines())
    assert list(ours) == list(other) == KEYS
    assert (ours["version"], other["version"]) == (digest(bundled()), digest(toy))
    assert ours["data"] == "labelled" and ours["images"] == other["images"] == len(label.fields)
    assert ours["accuracy"] >= 0.7 > other["accuracy"]
    assert ours["parameters"] > 1_000_000 > other["parameters"]


def test_only_models_with_words_are_asked_for_letters(tmp_path: Path, toy: Path) -> None:
    file = questions(tmp_path)
    ran = CliRunner().invoke(app, ["compare", "bundled", str(toy), "--mmstar", str(file), "--count", "2", "--json"])
    assert ran.exit_code == 0, ran.exception
    (row,) = (json.loads(line) for line in ran.stdout.splitlines())
    assert (row["checkpoint"], row["data"], row["images"]) == (str(toy), "mmstar", 2)
    assert row["accuracy"] in (0, 0.5, 1) and row["seconds_per_image"] > 0


def test_the_table_names_what_was_compared(tmp_path: Path, toy: Path) -> None:
    ran = CliRunner().invoke(app, ["compare", str(toy), "--mmstar", str(questions(tmp_path))])
    assert ran.exit_code == 0 and all(word in ran.stdout for word in ("accuracy", "recall", "F1", "mmstar"))


def test_what_can_not_be_compared_is_told(tmp_path: Path, toy: Path) -> None:
    def refused(*arguments: str) -> str:
        wrong = CliRunner().invoke(app, ["compare", *arguments]).exception
        assert isinstance(wrong, Refusal)
        return str(wrong)

    assert CliRunner().invoke(app, ["compare", "bundled"]).exit_code == 2
    assert "is no folder; give the folder of a checkpoint" in refused("/nowhere", "--mmstar", "none.jsonl")
    assert "none.jsonl can't be opened" in refused(str(toy), "--mmstar", str(tmp_path / "none.jsonl"))
    assert "the answer is 'yes'" in refused(str(toy), "--mmstar", str(questions(tmp_path, "yes")))
    assert "labels.jsonl can't be opened" in refused(str(toy), "--labelled", str(tmp_path))
