"""Fields proposed for a blank: by its rules, by where people write, and called after the words beside them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.doctypes.propose import Proposal, proposals
from pipeline.doctypes.recover import Blank
from pipeline.doctypes.rules import PX_PER_MM
from pipeline.doctypes.schema import FieldKind
from pipeline.geometry import Box
from pipeline.reading import Pixels

#: A slip of 200 × 90 mm.
WIDE_MM, HIGH_MM = 200.0, 90.0
WIDTH, HEIGHT = round(WIDE_MM * PX_PER_MM), round(HIGH_MM * PX_PER_MM)

#: Where people sign (mm): in the corner, on no line.
CORNER = (150.0, 60.0, 185.0, 70.0)


def paper() -> Pixels:
    return np.full((HEIGHT, WIDTH), 255, np.uint8)


def at(x0: float, y0: float, x1: float, y1: float) -> Box:
    return Box(x0 / WIDE_MM, y0 / HIGH_MM, x1 / WIDE_MM, y1 / HIGH_MM)


def written(*places: tuple[float, float, float, float], share: float = 0.8) -> Pixels:
    """How many samples have writing there."""
    shares = np.zeros((HEIGHT, WIDTH), np.uint8)
    for place in places:
        x0, y0, x1, y1 = (round(side * PX_PER_MM) for side in place)
        shares[y0:y1, x0:x1] = round(255 * share)
    return shares


def proposed(image: Pixels, hands: Pixels | None, words: Sequence[tuple[str, Box]] = ()) -> list[Proposal]:
    return proposals(Blank(image, WIDE_MM, HIGH_MM, 10, hands), lambda _image: words)


def test_where_most_people_write_is_a_field_though_no_line_says_so() -> None:
    (one,) = proposed(paper(), written(CORNER))
    assert one.kind is FieldKind.TEXT and one.box.overlap(at(*CORNER)) > 0.9
    assert proposed(paper(), written(CORNER, share=0.3)) == [], "what few wrote there is a note"
    assert proposed(paper(), None) == [], "of a blank nobody knows where people write"


def test_it_is_signed_where_words_under_it_say_so() -> None:
    words = [("JOHN SMITH", at(152, 71, 180, 74)), ("Please sign above", at(152, 76, 180, 79))]
    (one,) = proposed(paper(), written(CORNER), words)
    assert (one.kind, one.words) == (FieldKind.SIGNATURE, "Please sign above")
    (one,) = proposed(paper(), written(CORNER), [("Amount", at(152, 71, 180, 74))])
    assert one.kind is FieldKind.AMOUNT


def test_a_box_is_no_signature_where_words_say_who_signs_elsewhere() -> None:
    image = paper()
    x0, y0, x1, y1 = (round(side * PX_PER_MM) for side in (140, 30, 190, 41))
    cv2.rectangle(image, (x0, y0), (x1, y1), 40, 2)
    words = [("Please sign above", at(152, 72, 180, 75))]
    kinds = {one.kind for one in proposed(image, written(CORNER), words)}
    assert kinds == {FieldKind.TEXT, FieldKind.SIGNATURE}
    # Its size alone speaks where no words do.
    (one,) = proposed(image, None)
    assert one.kind is FieldKind.SIGNATURE


def test_writing_in_a_field_that_is_known_is_no_field_of_its_own() -> None:
    image = paper()
    x0, y0, x1, y1 = (round(side * PX_PER_MM) for side in (20, 30, 110, 41))
    cv2.rectangle(image, (x0, y0), (x1, y1), 40, 2)
    assert len(proposed(image, written((25, 32, 80, 39)))) == 1


def test_print_that_moves_and_edges_are_no_writing() -> None:
    image = paper()
    cv2.putText(image, "BRANCH 4711", (300, 200), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 0, 4)
    over = (300 / PX_PER_MM, 170 / PX_PER_MM, 560 / PX_PER_MM, 205 / PX_PER_MM)
    assert proposed(image, written(over)) == []
    assert proposed(paper(), written((0.0, 10.0, 40.0, 30.0))) == []


def test_a_sentence_is_no_name_where_a_word_stands_at_the_left() -> None:
    image = paper()
    y, x0, x1 = (round(side * PX_PER_MM) for side in (30, 45, 150))
    cv2.line(image, (x0, y), (x1, y), 30, 2)
    words = [
        ("valid for three months from the date of issue", at(60, 16, 130, 20)),
        ("Pay", at(8, 26, 16, 30)),
    ]
    (one,) = proposed(image, None, words)
    assert (one.words, one.kind) == ("Pay", FieldKind.TEXT)


def test_a_row_of_boxes_is_whole_though_all_samples_share_some_digits() -> None:
    image = paper()
    x0, y0, y1 = (round(side * PX_PER_MM) for side in (140, 10, 17))
    step = round(6 * PX_PER_MM)
    for cell in range(8):
        cv2.rectangle(image, (x0 + cell * step, y0), (x0 + (cell + 1) * step, y1), 60, 2)
        if cell in (4, 5, 6):
            # All samples are of the same decade, so that its digits stay on the blank, grown together with a side.
            at_ = (x0 + cell * step - 2, y1 - 6)
            cv2.putText(image, "201"[cell - 4], at_, cv2.FONT_HERSHEY_SIMPLEX, 1.2, 20, 4)
    letters = ("D D M M Y Y Y Y", at(141, 18, 187, 20.5))
    (one,) = proposed(image, None, [letters, ("Hyderabad 500001", at(90, 10, 135, 14))])
    assert (one.kind, one.cells, one.words) == (FieldKind.DATE, 8, "")
    assert one.more == {"format": "DDMMYYYY"}
    assert one.box.overlap(Box(x0 / WIDTH, y0 / HEIGHT, (x0 + 8 * step) / WIDTH, y1 / HEIGHT)) > 0.85


def test_fields_where_people_write_share_no_place() -> None:
    image = paper()
    y, left, right = (round(side * PX_PER_MM) for side in (60, 30, 150))
    cv2.line(image, (left, y), (right, y), 30, 2)
    made = proposed(image, written((40, 20, 120, 30), (90, 28, 160, 38), (40, 45, 100, 54.5)))
    assert len(made) == 3, "what is written as one, what is written under it, and the line"
    for row, one in enumerate(made):
        for other in made[:row]:
            across = min(one.box.x1, other.box.x1) - max(one.box.x0, other.box.x0)
            down = min(one.box.y1, other.box.y1) - max(one.box.y0, other.box.y0)
            assert across <= 0 or down <= 0.001


def test_people_sign_on_a_line_under_print_that_leaves_little_room() -> None:
    image = paper()
    y, x0, x1 = (round(side * PX_PER_MM) for side in (40, 120, 175))
    cv2.line(image, (x0, y), (x1, y), 30, 2)
    above = y - round(2.6 * PX_PER_MM)
    cv2.rectangle(image, (x0, above - 12), (x1, above), 40, -1)
    words = [("strike this clause in case", at(120, 35, 175, 37.4)), ("Signature of Proposer", at(130, 41, 165, 44))]
    (one,) = proposed(image, None, words)
    assert (one.kind, one.words) == (FieldKind.SIGNATURE, "Signature of Proposer")
    assert one.box.height * HIGH_MM > 4.5, "high enough for what stands over the print"
    assert proposed(image, None, [words[0], ("Country", at(130, 41, 165, 44))]) == [], "else nobody has room to write"
