"""Letters that people wrote: a collection as it is distributed, read, cleaned and drawn with."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from models.synthesis import unipen
from models.synthesis.autographs import running
from models.synthesis.evidence import make
from models.synthesis.faces import Found, Materials, StrokeFace, plain
from models.synthesis.pen import Pen
from models.synthesis.samples import placed
from models.synthesis.writers import writers

RNG = np.random.default_rng(5)

#: Strokes of digits as somebody wrote them, y upwards: a one, a zero, a four of two strokes.
SHAPES = {
    "1": [[(10, 100), (11, 60), (10, 0)]],
    "0": [[(30, 0), (5, 30), (5, 70), (30, 100), (55, 70), (55, 30), (30, 0)]],
    "4": [[(30, 100), (0, 40), (60, 40)], [(45, 80), (45, 0)]],
}


def word(folder: Path, contributor: str, name: str) -> None:
    """A file of one word in a running hand; a second one has too few letters, a third is no word."""
    wave = [(10 * x, 40 + 30 * (-1) ** x) for x in range(20)]
    ink = [".PEN_DOWN", *(f"{x} {y}" for x, y in wave), ".PEN_UP", ".PEN_DOWN", "5 0", "6 90", ".PEN_UP"]
    (folder / f"include/{contributor}").mkdir(parents=True, exist_ok=True)
    (folder / f"data/6/{contributor}").mkdir(parents=True, exist_ok=True)
    (folder / f"include/{contributor}/{name}").write_text("\n".join(ink), "latin-1")
    segments = ['.SEGMENT WORD 0 ? "minimum"', '.SEGMENT WORD 0 ? "a"', '.SEGMENT WORD 1 ? "ll"']
    head = [".VERSION 1.0", f".INCLUDE {contributor}/{name}"]
    (folder / f"data/6/{contributor}/{name}").write_text("\n".join([*head, *segments]), "latin-1")


def recording(folder: Path, contributor: str, name: str, labels: str, person: str) -> None:
    """A file of segments with the recording that it includes; each letter stands beside the last."""
    ink, segments, count = [f".WRITER_ID {person}", ".HIERARCHY CHARACTER"], [], 0
    for number, letter in enumerate(labels):
        shape = SHAPES["0" if letter == "O" else letter]
        for stroke in shape:
            moved = np.array(stroke) + RNG.normal(0, 1.5, (len(stroke), 2)) + [100 * number, 500]
            ink += [".PEN_DOWN", *(f"{x:.0f}\t{y:.0f}\t17" for x, y in moved), ".PEN_UP"]
        last = count + len(shape) - 1
        segments.append(f'.SEGMENT CHARACTER {count}{f"-{last}" if last > count else ""} OK "{letter}"')
        count = last + 1
    (folder / f"include/{contributor}").mkdir(parents=True, exist_ok=True)
    (folder / f"data/1a/{contributor}").mkdir(parents=True, exist_ok=True)
    (folder / f"include/{contributor}/{name}").write_text("\n".join(ink), "latin-1")
    head = [".VERSION 1.0", f".INCLUDE {contributor}/{name}"]
    (folder / f"data/1a/{contributor}/{name}").write_text("\n".join([*head, *segments]), "latin-1")


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    for kind in (*unipen.KINDS, unipen.WORDS):
        (tmp_path / "data" / kind).mkdir(parents=True)
    for person in range(8):
        recording(tmp_path, "syn", f"w{person}.dat", "1104401", f"somebody{person}")
        recording(tmp_path, "imp", f"w{person}.dat", "1104", f"other{person}")
        word(tmp_path, "kar", f"v{person}.dat")
    return tmp_path


def test_a_segment_names_strokes_of_the_recording_it_includes(collection: Path) -> None:
    samples = list(unipen.read(collection, "1a"))
    assert [one.letter for one in samples if one.writer == "syn/somebody0"] == list("1104401")
    assert {one.writer: one.split for one in samples}["imp/other3"] == "test"
    four = next(one for one in samples if one.letter == "4")
    assert len(four.strokes) == 2
    every = np.concatenate(four.strokes)
    # Upright, its foot on the baseline, as high as a capital.
    assert every[:, 1].min() == pytest.approx(-1) and every[:, 1].max() == pytest.approx(0, abs=0.02)
    assert every[:, 0].min() == pytest.approx(0, abs=0.05) and four.strokes[1][0, 1] < four.strokes[1][-1, 1]


def test_what_others_never_wrote_so_is_left_out(collection: Path) -> None:
    recording(collection, "syn", "wrong.dat", "0O", "hasty")
    samples = [one for one in unipen.read(collection, "1a") if one.letter != "1"]
    kept = unipen.agreed(samples)
    # A zero that is called a capital O finds none of its kind among zeros.
    assert [one.letter for one, stays in zip(samples, kept, strict=True) if not stays] == ["O"]


def test_contributors_who_count_otherwise_and_what_leads_outside_are_left_out(
    collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording(collection, "tos", "a.dat", "10", "japan")
    segment = '.VERSION 1.0\n.INCLUDE ../../secret\n.SEGMENT CHARACTER 0 OK "1"\n'
    (collection / "data/1a/syn/zz.dat").write_text(segment, "latin-1")
    assert len(list(unipen.read(collection, "1a"))) == 8 * 11
    assert "../../secret is not in" in capsys.readouterr().err


def test_letters_are_small_tall_or_hang_below() -> None:
    unit = [np.array([(0, 0), (5, 5), (10, 10)], np.float32)]
    heights = {}
    for letter in "aghB7":
        ink = placed(letter, unit)
        assert ink is not None
        ys = ink[0][:, 1]
        heights[letter] = round(float(ys.min()), 2), round(float(ys.max()), 2)
    assert heights == {"a": (-0.64, 0), "g": (-0.64, 0.36), "h": (-1, 0), "B": (-1, 0), "7": (-1, 0)}
    assert placed("/", unit) is None
    assert placed("1", [np.array([(0, 0), (50, 1)], np.float32)]) is None


def test_the_file_keeps_both_sides_apart_and_no_names(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "writers.npz"
    monkeypatch.setattr(sys, "argv", ["unipen", str(collection), str(path)])
    unipen.main()
    assert "train: 56 letters by 8 writers, 8 words\ntest: 32 letters by 8 writers, 0 words" in capsys.readouterr().out
    assert b"somebody" not in path.read_bytes()
    train, test = writers(path, "train"), writers(path, "test")
    assert len(train.places) == 8 * 3 and len(test.known["4"]) == 8
    assert set(train.half(odd=False).known["1"]) == {0, 2, 4, 6} and set(train.half(odd=True).known["1"]) == {
        1,
        3,
        5,
        7,
    }
    with pytest.raises(ValueError, match="writers of the test split may not be used for train"):
        Materials("train", (), (StrokeFace("timesr"),), (StrokeFace("rowmans"),), None, test)


def test_a_pen_writes_in_one_persons_hand(collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "writers.npz"
    monkeypatch.setattr(sys, "argv", ["unipen", str(collection), str(path)])
    unipen.main()
    stock = plain("train", Found(writers=path))
    pen = Pen(np.random.default_rng(1), stock, "10", "writers")
    assert pen.writer is not None
    ink = np.zeros((60, 200), np.float32)
    spans = pen.write(ink, "10/4", 5, 50, 30)
    # Nobody wrote a stroke between figures: it comes from a stroke font.
    assert [one.letter for one in spans] == list("10/4") and pen.writer.strokes("/", pen.rng) is None
    assert (ink > 0.5).any(axis=0)[int(spans[0].x0) : int(spans[-1].x1)].mean() > 0.4
    drawn = make(3, "train", "date", "writers", "ok", using=stock)
    assert drawn.image.shape == (48, 384) and len(drawn.answer) >= 6


def test_words_are_written_as_one_line_of_ink(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "writers.npz"
    monkeypatch.setattr(sys, "argv", ["unipen", str(collection), str(path)])
    unipen.main()
    rng, stock = np.random.default_rng(2), plain("train", Found(writers=path))
    assert stock.writers is not None
    word = stock.writers.word(rng)
    assert word is not None and word[0][:, 1].min() == pytest.approx(-1, abs=0.1) and word[0][:, 0].max() > 2
    one, two = (running(rng, stock, 40, 2, words) for words in (1, 2))
    assert one is not None and two is not None and two.shape[1] > 1.5 * one.shape[1] and one.shape[0] < 45
    # The other side has letters but no words.
    test = plain("test", Found(writers=path))
    assert test.writers is not None and test.writers.word(rng) is None and running(rng, test, 40, 2, 1) is None


def test_a_folder_that_is_no_collection_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["unipen", str(tmp_path), str(tmp_path / "out.npz")])
    with pytest.raises(SystemExit, match="holds no data/1a"):
        unipen.main()
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    with pytest.raises(ValueError, match="there is no array"):
        writers(tmp_path / "other.npz", "train")
