"""Collections in a format like UNIPEN's: whose letters they hold, and which way up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.synthesis.split import Split
from models.synthesis.tablets import samples

DIGITS = """.LEXICON "0" "7"
.SEGMENT DIGIT    0 ? "7"
.COMMENT 7 26   54
.PEN_DOWN
 100  300
 200  300
 120  100
.PEN_UP
.DT 100
.SEGMENT DIGIT    1 ? "1"
.COMMENT 1 11  151
.PEN_DOWN
 100  300
 101  100
.PEN_UP
.DT 100
"""

LETTERS = """.COMMENT Class #34: [8] = { "8" }
.HIERARCHY CHARACTER

.SEGMENT CHARACTER 0 ? "g"
.COMMENT Class [G]

.PEN_DOWN
 100  100
 200  100
.PEN_UP
.DT 100
.PEN_DOWN
 200  100
 120  300
.PEN_UP
"""


def test_digits_say_who_wrote_them(tmp_path: Path) -> None:
    file = tmp_path / "pendigits-orig.tra"
    file.write_text(DIGITS)
    seven, one = samples(file, "train")
    assert (seven.letter, one.letter) == ("7", "1")
    assert seven.writer == "pendigits-orig.tra 26" and one.writer == "pendigits-orig.tra 11"
    assert seven.split == "train"
    start, corner, end = seven.strokes[0][0], seven.strokes[0][:, 0].max(), seven.strokes[0][-1]
    assert start[1] == -1 and end[1] == 0, "these files count upwards, ours downwards"
    assert np.isclose(corner, 0.5, atol=0.06)


def test_letters_of_a_file_are_one_persons_and_the_right_way_up(tmp_path: Path) -> None:
    file = tmp_path / "UJIpenchars-w03"
    file.write_text(LETTERS, "latin-1")
    (one,) = samples(file, "train")
    assert one.letter == "g" and one.writer == "UJIpenchars-w03"
    assert len(one.strokes) == 2, "what follows a pause is the same letter"
    assert np.isclose(one.strokes[0][0, 1], -0.64) and np.isclose(one.strokes[1][-1, 1], 0.36)


@pytest.mark.parametrize(
    ("name", "wrong"), [("pendigits-orig.tra", "test"), ("UJIpenchars-w03", "test"), ("pendigits-orig.tes", "train")]
)
def test_nobody_is_on_both_sides(tmp_path: Path, name: str, wrong: Split) -> None:
    (tmp_path / name).write_text(DIGITS)
    with pytest.raises(ValueError, match="may not be used"):
        list(samples(tmp_path / name, wrong))
    assert len(list(samples(tmp_path / name, "test" if wrong == "train" else "train"))) > 0
