"""Marks on a page: what patches make a mark, its box, and what is known of it. Detector and reader are scripted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
import pytest

from pipeline.geometry import Box
from pipeline.marks import FEATURES, Mark, Scales, candidates, marks, written
from pipeline.pages import Page
from pipeline.patches import HANDWRITING, PATCH, PRINT, SIGNATURE, Chances, ink_of
from pipeline.reading import Answer, AnswerState, Pixels, Question

#: A page of A4 at 100 dpi.
WIDTH, HEIGHT = 827, 1169
SIGNED = Answer(AnswerState.PRESENT, None, 0.9, 0.95, "signature")


class Scripted:
    """Sees signatures in the given boxes (pixels) wherever there is ink, and answers that they are some."""

    version = "scripted"

    def __init__(self, *boxes: tuple[int, int, int, int], scales: Scales | None = None, likely: float = 0.9) -> None:
        self.boxes, self.likely = boxes, likely
        self.scales = scales or Scales()

    def patches(self, ink: Pixels) -> Chances:
        rows, columns = -(-ink.shape[0] // PATCH), -(-ink.shape[1] // PATCH)
        chances = np.zeros((rows, columns, 4), np.float32)
        for x0, y0, x1, y1 in self.boxes:
            chances[y0 // PATCH : -(-y1 // PATCH), x0 // PATCH : -(-x1 // PATCH), SIGNATURE] = self.likely
        return chances

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return [SIGNED] * len(questions)


def page(*boxes: tuple[int, int, int, int]) -> Page:
    image = np.full((HEIGHT, WIDTH), 250, np.uint8)
    for x0, y0, x1, y1 in boxes:
        cv2.line(image, (x0, y0), (x1, y1), 20, 2)
        cv2.line(image, (x0, y1), (x1, y0), 20, 2)
    return Page(1, image, None, 100.0)


def look(where: Page, seen: Scripted, words: Sequence[tuple[str, Box]] = ()) -> tuple[Mark, ...]:
    return marks(where, seen, seen, lambda _near: words, lambda _box: where.image[:48, :384])


def known(where: Page, seen: Scripted, words: Sequence[tuple[str, Box]] = ()) -> list[dict[str, float]]:
    found = candidates(where, seen, seen, lambda _near: words, lambda _box: where.image[:48, :384])
    return [dict(zip(FEATURES, one.features, strict=True)) for one in found]


def test_a_box_has_two_millimetres_of_paper_around_the_ink() -> None:
    mark = (300, 800, 460, 860)
    (found,) = look(page(mark), Scripted((280, 780, 500, 890)))
    x0, y0, x1, y1 = found.box.pixels(WIDTH, HEIGHT)
    assert all(abs(told - true) < 5 for told, true in zip((x0 + 8, y0 + 8, x1 - 8, y1 - 8), mark, strict=True))


def test_initials_in_a_row_at_the_foot_are_marks_of_their_own() -> None:
    def row(y: int) -> tuple[tuple[int, int, int, int], ...]:
        # Less than a patch and a half of bare paper between the first two, more between the others.
        return (600, y, 640, y + 40), (645, y, 680, y + 40), (692, y, 730, y + 40)

    assert len(look(page(*row(600)), Scripted((600, 600, 730, 640)))) == 1, "a name of several words"
    found = look(page(*row(1080)), Scripted((600, 1080, 730, 1120)))
    left = sorted(round(one.box.x0 * WIDTH) for one in found)
    assert len(left) == 2 and abs(left[0] - 592) < 5 and abs(left[1] - 684) < 5


def test_a_date_at_the_foot_stays_one_line() -> None:
    class Hand(Scripted):
        def patches(self, ink: Pixels) -> Chances:
            chances = super().patches(ink)
            return cast(Chances, chances[:, :, [0, 1, SIGNATURE, 2]])

    line = page((600, 1080, 640, 1120), (652, 1080, 730, 1120))
    (found,) = written(line, Hand((600, 1080, 730, 1120)))
    assert abs(found.x0 * WIDTH - 600) < 5 and abs(found.x1 * WIDTH - 730) < 5


def test_parts_that_are_near_are_one_mark_and_others_are_not() -> None:
    near, far = (300, 800, 380, 860), (600, 800, 700, 860)
    beside = (388, 800, 460, 860)
    assert len(look(page(near, beside, far), Scripted(near, beside, far))) == 2


def test_handwriting_that_a_label_says_to_sign_with_is_told_whole() -> None:
    class Unsure(Scripted):
        """Takes the left half of what is written for a signature, and the rest for handwriting."""

        def patches(self, ink: Pixels) -> Chances:
            chances = super().patches(ink)
            half = chances[:, 48:].copy()
            chances[:, 48:, HANDWRITING], chances[:, 48:, SIGNATURE] = half[:, :, SIGNATURE], 0
            return chances

    box = (300, 800, 460, 860)
    weights = tuple({"area": 1.0, "signing": 1.0}.get(name, 0.0) for name in FEATURES)
    unsure = Unsure(box, scales=Scales(weights))
    label = ("Signature:", Box(0.2, 0.7, 0.34, 0.72))
    (half,) = look(page(box), unsure)
    (whole,) = look(page(box), unsure, [label])
    left, right = ((one.box.x0 * WIDTH + 8, one.box.x1 * WIDTH - 8) for one in (half, whole))
    assert left == (pytest.approx(300, abs=5), pytest.approx(384, abs=5))
    assert right == (pytest.approx(300, abs=5), pytest.approx(460, abs=5)), "its part is no mark beside it"


def test_what_has_no_ink_or_is_a_speck_or_unlikely_is_no_mark() -> None:
    box = (300, 800, 460, 860)
    assert look(page(), Scripted(box)) == ()
    assert look(page((300, 800, 304, 804)), Scripted(box)) == ()
    assert look(page(box), Scripted(box, likely=0.4)) == ()


def test_print_around_a_mark_is_known() -> None:
    box = (300, 800, 460, 860)
    closing = ("Yours sincerely,", Box(0.35, 0.65, 0.55, 0.66))
    name = ("A. Kulkarni, Director", Box(0.35, 0.75, 0.55, 0.76))
    (bare,) = known(page(box), Scripted(box))
    (named,) = known(page(box), Scripted(box), [closing, name])
    assert (bare["closing"], bare["label"], bare["name"], bare["alone"]) == (0, 0, 0, 1)
    assert (named["closing"], named["label"], named["name"], named["alone"]) == (1, 1, 1, 0)


def test_a_name_in_print_under_a_mark_is_known() -> None:
    box = (300, 800, 460, 860)
    under = Box(0.35, 0.75, 0.55, 0.76)
    for text, name in (("A. Kulkarni", 1), ("Kohji Takada, Director", 1), ("please return by", 0), ("94.1 %", 0)):
        (found,) = known(page(box), Scripted(box), [(text, under)])
        assert found["named"] == name, text


def test_a_mark_on_a_rule_is_known() -> None:
    box = (300, 800, 460, 860)
    bare, ruled, short = page(box), page(box), page(box)
    cv2.line(ruled.image, (280, 872), (600, 874), 20, 1)
    cv2.line(short.image, (380, 872), (420, 872), 20, 1)
    assert [known(one, Scripted(box))[0]["ruled"] for one in (bare, ruled, short)] == [0, 1, 0]


def test_how_much_text_ends_before_a_mark_is_known() -> None:
    class Printed(Scripted):
        def patches(self, ink: Pixels) -> Chances:
            chances = super().patches(ink)
            for y in (200, 400, 1000):
                chances[y // PATCH, 20:60, PRINT] = 1.0
            return chances

    image = page((300, 800, 460, 860))
    for y in (200, 400, 1000):
        cv2.line(image.image, (100, y + 4), (700, y + 4), 20, 3)
    (found,) = known(image, Printed((300, 800, 460, 860)))
    assert found["after"] == pytest.approx(2 / 3, abs=0.05)


def test_marks_come_by_their_weights() -> None:
    small, large = (100, 300, 140, 330), (300, 800, 460, 860)
    weights = tuple(float(name == "foot") + float(name == "height") * 2 for name in FEATURES)
    found = look(page(small, large), Scripted(small, large, scales=Scales(weights)))
    assert [one.box.y0 for one in found] == [pytest.approx(each / HEIGHT, abs=0.01) for each in (792, 292)]
    assert found[0].confidence > found[1].confidence
    with pytest.raises(ValueError, match="as many weights are needed"):
        Scales((1.0, 2.0))


def test_a_page_without_marks_is_hardly_signed() -> None:
    assert Scales().page([]) < 0.2 < 0.5 < Scales().page([2.0, -1.0])


def test_faint_ink_is_levelled_out() -> None:
    dark, faint = page((300, 800, 460, 860)), page((300, 800, 460, 860))
    faint.image[faint.image < 200] = 180
    assert ink_of(faint.image, 100.0).max() == ink_of(dark.image, 100.0).max() == 255


class Written(Scripted):
    """Sees handwriting where `Scripted` sees signatures."""

    def patches(self, ink: Pixels) -> Chances:
        return cast(Chances, super().patches(ink)[:, :, [0, 1, SIGNATURE, 2]])


LABELS = {
    "left": Box(0.2, 0.70, 0.34, 0.715),
    "under": Box(0.37, 0.741, 0.5, 0.75),
    "over": Box(0.37, 0.67, 0.5, 0.68),
}


@pytest.mark.parametrize("where", LABELS)
def test_handwriting_is_a_mark_where_a_label_says_to_sign(where: str) -> None:
    box = (300, 800, 460, 860)
    (found,) = known(page(box), Written(box), [("APPROVED BY", LABELS[where])])
    assert (found["signing"], found["other"]) == (1, 0)
    assert known(page(box), Written(box), [("Name", LABELS[where])]) == []
    assert known(page(box), Written(box), [("APPROVED BY", Box(0.2, 0.3, 0.34, 0.315))]) == []


def test_what_belongs_to_another_label_is_known() -> None:
    box = (300, 800, 460, 860)
    (dated,) = known(page(box), Scripted(box), [("Date:", LABELS["left"])])
    assert (dated["signing"], dated["other"]) == (0, 1)
    (over,) = known(page(box), Scripted(box), [("Date:", LABELS["over"])])
    assert over["other"] == 0, "what is printed over a line may belong to the line before"


@pytest.mark.parametrize(("text", "marks"), [("2/6/97", 0), ("82253058", 0), ("JMA", 1), ("A1", 1)])
def test_figures_are_no_mark(text: str, marks: int) -> None:
    box = (300, 800, 460, 860)
    assert len(known(page(box), Scripted(box), [(text, Box(0.37, 0.69, 0.55, 0.73))])) == marks
