"""Rows of boxes on a blank, however faint, in pairs and in groups."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from pipeline.doctypes.combs import Comb, combs
from pipeline.doctypes.propose import Proposal, proposals
from pipeline.doctypes.recover import Blank, _merged
from pipeline.doctypes.rules import PX_PER_MM, rules
from pipeline.doctypes.ruling import places
from pipeline.doctypes.schema import FieldKind, Identifier
from pipeline.geometry import Box
from pipeline.reading import Pixels

#: A slip of 200 × 90 mm.
WIDE_MM, HIGH_MM = 200.0, 90.0
STEP, HIGH = round(4.5 * PX_PER_MM), round(5.5 * PX_PER_MM)
X, Y = round(40 * PX_PER_MM), round(30 * PX_PER_MM)


def paper() -> Pixels:
    return np.full((round(HIGH_MM * PX_PER_MM), round(WIDE_MM * PX_PER_MM)), 255, np.uint8)


def row(image: Pixels, x: int, cells: int, shade: int = 60, letters: str = "", thick: int = 1) -> int:
    """A row of boxes from x on, and where it ends."""
    for cell in range(cells):
        left = x + cell * STEP
        cv2.rectangle(image, (left, Y), (left + STEP, Y + HIGH), shade, thick)
        if letters:
            at = left + STEP // 3, Y + 2 * HIGH // 3
            cv2.putText(image, letters[cell], at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, 150, 1)
    return x + cells * STEP


def found(image: Pixels) -> list[Comb]:
    return combs(Blank(image, WIDE_MM, HIGH_MM), places(image))


def proposed(image: Pixels, words: Sequence[tuple[str, Box]] = ()) -> list[Proposal]:
    return proposals(Blank(image, WIDE_MM, HIGH_MM), lambda _image: words)


def beside(text: str) -> tuple[str, Box]:
    return text, Box(15 / WIDE_MM, 31 / HIGH_MM, 38 / WIDE_MM, 34 / HIGH_MM)


@pytest.mark.parametrize("shade", [60, 190, 230, 238])
def test_a_row_is_found_however_faint_it_is_printed(shade: int) -> None:
    image = paper()
    row(image, X, 12, shade)
    (one,) = found(image)
    assert one.cells == 12 and not one.groups and one.step == pytest.approx(STEP, abs=0.5)


def test_noise_and_grey_areas_are_no_rules() -> None:
    rng = np.random.default_rng(3)
    noisy = np.clip(rng.normal(246, 4, paper().shape), 0, 255).astype(np.uint8)
    noisy[20:120, 100:700] -= 40
    across, down = rules(noisy)
    assert across.max() == down.max() == 0
    row(noisy, X, 8, 215)
    assert [one.cells for one in found(noisy)] == [8]


def test_two_boxes_side_by_side_are_a_row_unless_letters_are_printed_in_them() -> None:
    image = paper()
    row(image, X, 2)
    assert [one.cells for one in found(image)] == [2]
    image = paper()
    row(image, X, 2, letters="YN")
    assert found(image) == [], "boxes to tick"


@pytest.mark.parametrize(("gap", "letters"), [(1.0, "DDMMYYYY"), (0.3, ""), (1.6, "")])
def test_a_day_a_month_and_a_year_are_one_date(gap: float, letters: str) -> None:
    image, x = paper(), X
    for first, cells in ((0, 2), (2, 2), (4, 4)):
        x = row(image, x, cells, 200, letters[first : first + cells]) + round(gap * STEP)
    (one,) = found(image)
    assert (one.cells, one.groups) == (8, (2, 2, 4)) and one.gap == pytest.approx(gap, abs=0.15)
    assert one.step == pytest.approx(STEP, abs=1)
    (field,) = proposed(image, [beside("Valid")])
    assert (field.kind, field.cells) == (FieldKind.DATE, 8)
    assert field.more == {"format": "DDMMYYYY", "groups": [2, 2, 4], "gap": one.gap}


def test_other_rows_beside_each_other_stay_apart() -> None:
    image = paper()
    row(image, row(image, X, 3) + STEP, 12)
    assert sorted(one.cells for one in found(image)) == [3, 12]
    image = paper()
    row(image, row(image, X, 2) + 4 * STEP, 2)
    assert [one.cells for one in found(image)] == [2, 2], "too far apart for one date"


def test_words_say_what_a_row_is_for() -> None:
    image = paper()
    row(image, X, 8)
    for words, kind, identifier in (
        ("Exam number", FieldKind.IDENTIFIER, Identifier.SERIAL),
        ("Policy No.", FieldKind.IDENTIFIER, Identifier.SERIAL),
        ("till midnight of", FieldKind.DATE, None),
        ("Name (as on ID)", FieldKind.TEXT, None),
        ("City", FieldKind.TEXT, None),
    ):
        (one,) = proposed(image, [beside(words)])
        assert (one.kind, one.identifier) == (kind, identifier), words


def test_a_row_with_words_in_it_is_a_line_of_a_table() -> None:
    image = paper()
    row(image, X, 8)
    within = Box(45 / WIDE_MM, 31 / HIGH_MM, 70 / WIDE_MM, 34 / HIGH_MM)
    assert all(one.cells is None for one in proposed(image, [("Number of books used", within)]))
    assert [one.cells for one in proposed(image, [("D D M M Y Y Y Y", within)])] == [8]


def test_small_boxes_are_ticked_and_called_after_what_is_printed_behind_them() -> None:
    image = paper()
    side = round(2.6 * PX_PER_MM)
    cv2.rectangle(image, (X, Y), (X + side, Y + side), 90, 1)
    # The box itself looks like a letter to whoever reads print.
    text = ("O F- Female", Box((40 + 0.5) / WIDE_MM, 30 / HIGH_MM, 60 / WIDE_MM, 33 / HIGH_MM))
    (one,) = proposed(image, [text])
    assert (one.kind, one.words) == (FieldKind.CHECKBOX, "O F- Female")


def test_a_rule_that_is_a_little_elsewhere_on_each_sample_is_a_rule_of_the_blank() -> None:
    samples = []
    for number in range(9):
        image, moved = np.full((200, 400), 250, np.uint8), number % 3 - 1
        cv2.line(image, (200 + moved, 50), (200 + moved, 110), 90, 1)
        # What somebody writes is somewhere else on each.
        cv2.line(image, (40 + 35 * number, 60), (50 + 35 * number, 140), 30, 3)
        samples.append(image)
    blank = _merged(samples)
    assert blank[60:100, 198:203].min(axis=1).max() < 200, "all along"
    assert np.delete(blank, range(197, 204), axis=1).min() > 200, "and nothing else"
