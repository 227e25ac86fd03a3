"""EMNIST is made ready: upright, without what MNIST tests with, and letters are drawn with it on one side only."""

from __future__ import annotations

import gzip
import struct
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.synthesis import emnist
from models.synthesis.evidence import make
from models.synthesis.faces import Found, Materials, StrokeFace, plain
from models.synthesis.pen import Pen
from models.synthesis.pictures import Pictures, characters

KINDS = "07Aag"


def picture(letter: str, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A letter as somebody wrote it."""
    rng = np.random.default_rng([ord(letter), seed])
    canvas = np.zeros((28, 28), np.uint8)
    cv2.putText(canvas, letter, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((14, 14), rng.normal(0, 8), rng.uniform(0.85, 1.1))
    return np.asarray(cv2.warpAffine(canvas, turn, (28, 28)), np.uint8)


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """Thirty of each of five letters, one of which is labelled as another; and of MNIST two sevens of those."""
    letters = [letter for letter in KINDS for _ in range(30)]
    images = np.stack([picture(letter, number % 30) for number, letter in enumerate(letters)])
    classes = np.array([emnist.LETTERS.index(one) for one in letters], np.uint8)
    classes[0] = emnist.LETTERS.index("W")
    lying = images.transpose(0, 2, 1)
    name = tmp_path / emnist.NAME
    header = struct.pack(">IIII", 0x803, len(lying), 28, 28)
    Path(f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + lying.tobytes()))
    Path(f"{name}-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(struct.pack(">II", 0x801, len(classes)) + classes.tobytes())
    )
    tested = np.stack([picture("7", 3), picture("7", 4)])
    np.savez(tmp_path / "mnist.npz", x_test=tested)
    return tmp_path


@pytest.fixture
def made(collection: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = collection / "characters.npz"
    monkeypatch.setattr(sys, "argv", ["emnist", str(collection), str(collection / "mnist.npz"), str(path)])
    emnist.main()
    return path


def test_what_tests_use_and_what_is_no_such_letter_is_left_out(made: Path) -> None:
    found = characters(made)
    assert set(found.places) == set(KINDS), "the W that is none is left out"
    counts = {letter: len(places) for letter, places in found.places.items()}
    assert counts["0"] == 29 and 26 <= counts["7"] <= 28 and counts["A"] == counts["g"] == 30
    sevens = found.images[found.places["7"]]
    assert not any(np.array_equal(one, picture("7", seed)) for one in sevens for seed in (3, 4))
    assert any(np.array_equal(one, picture("7", 5)) for one in sevens), "they stand upright"


def test_a_pen_writes_real_letters_as_high_as_they_are(made: Path) -> None:
    stock = plain("train", Found(characters=made))
    pen = Pen(np.random.default_rng(1), stock, "A7a", "nist")
    assert pen.source == "nist"
    pen.slant = pen.turn = 0.0
    capital, small, hanging = (pen.glyph(letter, 60) for letter in "Aag")
    assert 50 < capital.above == len(capital.mask) < 80
    assert small.above == len(small.mask) < 0.8 * capital.above
    assert hanging.above < 0.8 * len(hanging.mask), "a part of it hangs below the line"
    assert pen.glyph("@", 60).mask.any(), "what nobody wrote is in strokes"
    assert Pen(np.random.default_rng(1), stock, "₹7", "nist").source != "nist", "nobody wrote that"
    drawn = make(3, "train", "date", "nist", "ok", using=Materials("train", (), stock.prints, stock.strokes, None))
    assert len(drawn.answer) >= 6, "where there are none others are taken"


def test_they_are_for_training_alone(made: Path) -> None:
    stock = plain("test", Found(characters=made))
    assert stock.characters is None
    with pytest.raises(ValueError, match="characters of the train split may not be used for test"):
        Materials("test", (), (StrokeFace("rowmant"),), (StrokeFace("futuram"),), None, characters=characters(made))
    assert isinstance(plain("train", Found(characters=made)).characters, Pictures)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / f"{emnist.NAME}-images-idx3-ubyte.gz").unlink(), "No such file"),
        (
            lambda folder: (folder / f"{emnist.NAME}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"no labels")),
            "is no IDX file of 1 dimensions",
        ),
        (
            lambda folder: (folder / f"{emnist.NAME}-labels-idx1-ubyte.gz").write_bytes(
                gzip.compress(struct.pack(">II", 0x801, 1) + b"\0")
            ),
            "holds 150 pictures and 1 labels; take both of one archive",
        ),
    ],
)  # fmt: skip
def test_another_folder_is_refused(collection: Path, monkeypatch: pytest.MonkeyPatch, spoil, says: str) -> None:  # type: ignore[no-untyped-def]
    spoil(collection)
    monkeypatch.setattr(sys, "argv", ["emnist", str(collection), str(collection / "mnist.npz"), "out.npz"])
    with pytest.raises(SystemExit, match=says):
        emnist.main()


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    with pytest.raises(ValueError, match=r"there is no array .*; make the file by python -m models\.synthesis\.emnist"):
        characters(tmp_path / "other.npz")
