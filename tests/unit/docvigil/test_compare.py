"""Comparing models: what is counted, and questions with lettered answers from files."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from docvigil.compare import LETTER_ONLY, Compared, Lettered, lettered, on_letters


def png(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (8, 6), shade).save(buffer, "PNG")
    return buffer.getvalue()


def test_shares_are_means_over_the_classes() -> None:
    counted = Compared()
    for wanted, found in [("A", "A"), ("A", "B"), ("B", "B"), ("C", "A")]:
        counted.add(wanted, found, wanted == found)
    assert counted.accuracy == 0.5
    assert counted.precision == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert counted.recall == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert counted.f1 == pytest.approx((2 / 4 + 2 / 3 + 0) / 3)


def test_one_class_has_the_usual_precision_and_recall() -> None:
    counted = Compared()
    for wanted, found, times in [("empty", "empty", 3), ("empty", None, 1), (None, "empty", 2), (None, None, 4)]:
        for _ in range(times):
            counted.add(wanted, found, wanted == found)
    assert (counted.accuracy, counted.precision, counted.recall) == (0.7, 0.6, 0.75)
    assert counted.f1 == pytest.approx(2 * 0.6 * 0.75 / (0.6 + 0.75))


def test_without_anything_there_is_no_share() -> None:
    counted = Compared()
    shares = (counted.accuracy, counted.precision, counted.recall, counted.f1, counted.seconds_per_image)
    assert shares == (None,) * 5


class Chooser:
    """Chooses by how dark the picture is."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def choose(self, pictures: Sequence[Image.Image], texts: Sequence[str], words: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        return [[float(picture.getpixel((0, 0))[0] == shade) for shade in range(len(words))] for picture in pictures]


def test_the_likeliest_letter_is_the_answer() -> None:
    asked = [Lettered(Image.new("RGB", (4, 4), (shade,) * 3), f"{shade}?", "AABC"[shade]) for shade in range(4)]
    one, other = Chooser(), Chooser()
    *_, counts = on_letters(asked, [one, other])
    assert [counted.accuracy for counted in counts] == [0.25, 0.25]
    assert counts[0].images == 4 and counts[0].told == {"A": 1, "B": 1, "C": 1, "D": 1}
    assert one.asked == other.asked == [f"{shade}?{LETTER_ONLY}" for shade in range(4)]


def rows() -> list[dict[str, Any]]:
    return [
        {"index": 1, "image": png(10), "question": "Which?\nOptions: A: one, B: two", "answer": "B"},
        {"index": 2, "image": png(200), "question": "And which?", "answer": "(d)."},
    ]


@pytest.mark.parametrize("form", ["bytes", "struct"])
def test_parquet(tmp_path: Path, form: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    given = [row | ({} if form == "bytes" else {"image": {"bytes": row["image"], "path": "x.png"}}) for row in rows()]
    parquet.write_table(pyarrow.Table.from_pylist(given), tmp_path / "mmstar.parquet")
    asked = list(lettered(tmp_path / "mmstar.parquet"))
    assert [(one.question, one.answer) for one in asked] == [(rows()[0]["question"], "B"), ("And which?", "D")]
    assert [one.picture.getpixel((0, 0)) for one in asked] == [(10, 10, 10), (200, 200, 200)]


@pytest.mark.parametrize("form", ["base64", "path"])
def test_json_lines(tmp_path: Path, form: str) -> None:
    for row in rows():
        (tmp_path / f"{row['index']}.png").write_bytes(row["image"])
    lines = [
        row | {"image": base64.b64encode(row["image"]).decode() if form == "base64" else f"{row['index']}.png"}
        for row in rows()
    ]
    (tmp_path / "mmstar.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    asked = list(lettered(tmp_path / "mmstar.jsonl"))
    assert [one.answer for one in asked] == ["B", "D"]
    assert [one.picture.getpixel((0, 0)) for one in asked] == [(10, 10, 10), (200, 200, 200)]
    assert len(list(lettered(tmp_path / "mmstar.jsonl", 1))) == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"image": "1.png", "answer": "A"}, "question 1: 'image'|question 1: there is no file"),
        ({"image": "none.png", "question": "?", "answer": "A"}, "there is no file 'none.png' beside it"),
        ({"image": "none.png", "question": "?", "answer": "E"}, "the answer is 'E', not one of A, B, C, D"),
        ({"question": "?", "answer": "A"}, "question 1: 'image' is missing"),
        ({"image": base64.b64encode(b"no picture").decode(), "question": "?", "answer": "A"}, "cannot identify image"),
    ],
)
def test_what_is_not_of_the_form_is_told(tmp_path: Path, line: dict[str, str], told: str) -> None:
    (tmp_path / "mmstar.jsonl").write_text(json.dumps(line))
    with pytest.raises(ValueError, match=told):
        list(lettered(tmp_path / "mmstar.jsonl"))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ends in '\.csv'"):
        list(lettered(tmp_path / "mmstar.csv"))
    (tmp_path / "bad.parquet").write_bytes(b"nothing of the kind")
    pytest.importorskip("pyarrow")
    with pytest.raises(ValueError, match="is no Parquet file"):
        list(lettered(tmp_path / "bad.parquet"))
