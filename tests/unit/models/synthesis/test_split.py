"""Nothing is ever both trained on and tested on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.synthesis import split
from models.synthesis.evidence import make
from models.synthesis.faces import Found, Materials, OutlineFace, StrokeFace, plain
from models.synthesis.fetch_fonts import HAND, PRINT, TAUGHT
from models.synthesis.pictures import digits
from models.synthesis.split import Split


def test_every_font_is_on_one_side_and_stays_there() -> None:
    assert {name: split.assigned(name) for name in ("caveat", "kalam", "neucha", "lato")} == {
        "caveat": "train",
        "kalam": "train",
        "neucha": "train",
        "lato": "train",
    }
    sides = [split.assigned(name) for name in (*HAND, *TAUGHT, *PRINT)]
    assert 10 < sides.count("test") < len(sides) / 4
    assert {split.assigned(name) for name in TAUGHT} == {"train"}
    for name in (*HAND, *TAUGHT, *PRINT, *split.LISTED):
        assert split.allowed(name, "train") != split.allowed(name, "test")


@pytest.mark.parametrize("side", ["train", "test"])
def test_a_plain_install_has_print_and_strokes_of_each_side(side: Split) -> None:
    stock = plain(side)
    assert stock.strokes and stock.prints and not stock.hands and stock.digits is None
    assert all(split.assigned(face.name) == side for face in (*stock.strokes, *stock.prints))


def test_fonts_of_the_other_side_are_refused() -> None:
    with pytest.raises(ValueError, match="'scriptc' belongs to the test split and may not be used for train"):
        Materials("train", (), (StrokeFace("timesr"),), (StrokeFace("scriptc"),), None)
    with pytest.raises(ValueError, match="'Aileron' belongs to the test split"):
        Materials("train", (), (OutlineFace("Aileron", None),), (StrokeFace("rowmans"),), None)
    with pytest.raises(ValueError, match="fonts of the test split may not be used for train"):
        make(1, "train", using=plain("test"))


def test_a_folder_of_fonts_gives_each_side_its_own(tmp_path: Path) -> None:
    (tmp_path / "hand").mkdir()
    for name in HAND:
        (tmp_path / "hand" / f"{name}.woff2").touch()
    train, test = ({face.name for face in plain(side, Found(tmp_path)).hands} for side in ("train", "test"))
    assert train and test and not train & test and train | test == set(HAND)


def test_digits_come_from_their_own_half(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    labels = np.arange(10, dtype=np.uint8)
    halves = {side: np.zeros((10, 28, 28), np.uint8) for side in ("train", "test")}
    halves["train"][:, 4:20, 10:14] = 200
    halves["test"][:, 8:24, 6:12] = 250
    np.savez(path, x_train=halves["train"], x_test=halves["test"], y_train=labels, y_test=labels)
    rng = np.random.default_rng(0)
    assert digits(path, "train").one("3", rng).shape == (16, 4)
    assert digits(path, "test").one("3", rng).max() == 250
    with pytest.raises(ValueError, match="digits of the test split may not be used for train"):
        Materials("train", (), (StrokeFace("timesr"),), (StrokeFace("rowmans"),), digits(path, "test"))


def test_another_file_of_digits_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    with pytest.raises(ValueError, match="there is no array"):
        digits(tmp_path / "other.npz", "train")


def test_signers_are_on_one_side() -> None:
    rng = np.random.default_rng(0)
    train, test = ({split.signer(rng, side) for _ in range(200)} for side in ("train", "test"))
    assert len(train) > 100 and not train & test


def test_there_are_two_splits() -> None:
    with pytest.raises(ValueError, match="train or test, not 'dev'"):
        split.checked("dev")
