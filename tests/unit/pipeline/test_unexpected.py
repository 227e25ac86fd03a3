"""Ink where none belongs is found anywhere; what scanners, punches, staplers and faxes leave is no ink."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.doctypes.schema import DocumentType, parse
from pipeline.ink import laid
from pipeline.locate import Atlas
from pipeline.pages import Page
from pipeline.reading import Evidence, Pixels, QuestionKind
from pipeline.unexpected import MOST_MARKS, unexpected
from tests.unit.pipeline.paper import Scan, blank_of, filled, handwriting, make_type, scan

A5 = {"width_mm": 148.0, "height_mm": 210.0}


@pytest.fixture(scope="module")
def doctype(tmp_path_factory: pytest.TempPathFactory) -> DocumentType:
    made = make_type(tmp_path_factory.mktemp("types"), 53, **A5)
    data = made.model_dump(mode="json")
    data["pages"][0]["free_areas"] = [[0.06, 0.02, 0.95, 0.1]]
    return parse(data, made.folder)


@pytest.fixture(scope="module")
def atlas(doctype: DocumentType) -> Atlas:
    return Atlas([doctype])


def marks(atlas: Atlas, page: Page) -> list[Evidence]:
    found = atlas.locate(page)
    assert found.sure, found.why
    return unexpected(page, laid(page, found))


def room(doctype: DocumentType) -> tuple[int, int, int, int]:
    """A bare place of the blank where no field is near: 260 × 44 pixels."""
    blank = blank_of(doctype)
    taken = (blank < 200).astype(np.uint8)
    for one in doctype.fields:
        x0, y0, x1, y1 = one.where.pixels(blank.shape[1], blank.shape[0])
        taken[max(0, y0 - 50) : y1 + 50, max(0, x0 - 50) : x1 + 50] = 1
    sums = cv2.integral(taken)
    height, width = 44, 200
    for y in range(120, blank.shape[0] - 120, 4):
        for x in range(60, blank.shape[1] - width - 60, 4):
            if sums[y + height, x + width] - sums[y, x + width] - sums[y + height, x] + sums[y, x] == 0:
                return x, y, x + width, y + height
    raise AssertionError("the form leaves no room")


@pytest.mark.parametrize(
    "manner",
    [
        {},
        {"dpi": 150, "skew": 5.0},
        {"dpi": 300, "turn": 2},
        {"bilevel": True},
        {"bend": 0.8},
        {"noise": 12.0},
        {"perspective": 0.05},
        {"jpeg": 30, "scale": 0.98},
    ],
)
def test_a_filled_form_has_no_marks(doctype: DocumentType, atlas: Atlas, manner: dict[str, float]) -> None:
    for seed in (1, 2):
        assert marks(atlas, scan(filled(doctype, seed), seed, **manner).page) == []


@pytest.mark.parametrize("manner", [{}, {"dpi": 150, "skew": -4.0}, {"turn": 3}, {"bilevel": True}, {"noise": 10.0}])
def test_a_stray_mark_is_found_where_it_is(doctype: DocumentType, atlas: Atlas, manner: dict[str, float]) -> None:
    place = room(doctype)
    scanned = scan(handwriting(filled(doctype, 3), [place], 3), 3, **manner)
    (mark,) = marks(atlas, scanned.page)
    assert (mark.field, mark.kind, mark.ordinal, mark.page) == ("unexpected", QuestionKind.MARK, 0, 1)
    assert mark.alternate is None
    assert _holds(mark, scanned, place)
    assert mark.image.min() < 140 and mark.image.shape[1] > 120


def test_several_marks_are_numbered_largest_first(doctype: DocumentType, atlas: Atlas) -> None:
    x0, y0, x1, y1 = room(doctype)
    image = handwriting(blank_of(doctype), [(x0, y0, x0 + 90, y1), (x1 - 40, y0, x1, y1 - 10)], 4)
    found = marks(atlas, scan(image, 4).page)
    assert [one.ordinal for one in found] == list(range(len(found)))
    sizes = [one.box.width * one.box.height for one in found]
    assert sizes == sorted(sizes, reverse=True) and 1 <= len(found) <= MOST_MARKS


def _holds(mark: Evidence, scanned: Scan, place: tuple[int, int, int, int]) -> bool:
    middle = np.array([[((place[0] + place[2]) / 2, (place[1] + place[3]) / 2)]], float)
    x, y = cv2.perspectiveTransform(middle, scanned.truth)[0, 0] / scanned.page.image.shape[::-1]
    return bool(mark.box.x0 < x < mark.box.x1 and mark.box.y0 < y < mark.box.y1)


def test_what_overflows_a_field_is_its_own(doctype: DocumentType, atlas: Atlas) -> None:
    image = blank_of(doctype)
    boxes = []
    for one in doctype.fields:
        x0, y0, x1, y1 = one.where.pixels(image.shape[1], image.shape[0])
        over = 14 if one.kind.value == "signature" else 6
        boxes.append((x0 + 4, y0 - over, x1 - 4, y1 + over))
    assert marks(atlas, scan(handwriting(image, boxes, 5), 5).page) == []


def test_free_areas_are_for_any_ink(doctype: DocumentType, atlas: Atlas) -> None:
    image = blank_of(doctype)
    assert marks(atlas, scan(handwriting(image, [(250, 40, 600, 90)], 6), 6).page) == []


def _punched(page: Pixels) -> None:
    """Two holes where nothing is printed: one through print may be taken for a mark."""
    bare = [y for y in range(200, page.shape[0] - 200) if page[y - 32 : y + 32, 62:122].min() > 150]
    for y in (bare[0], bare[-1]):
        cv2.circle(page, (92, y), 22, 30, -1)


def _stapled(page: Pixels) -> None:
    cv2.line(page, (70, 70), (140, 90), 40, 5)


def _streaked(page: Pixels) -> None:
    page[:, 400:403] = np.minimum(page[:, 400:403], 60)


def _shadowed(page: Pixels) -> None:
    page[:, :12] = 20
    page[-10:] = 60


def _yellowed(page: Pixels) -> None:
    lamp = np.linspace(0.7, 1.0, page.shape[1])[None]
    page[:] = (page * lamp).astype(np.uint8)


@pytest.mark.parametrize("leave", [_punched, _stapled, _streaked, _shadowed, _yellowed])
def test_what_machines_leave_is_no_mark(doctype: DocumentType, atlas: Atlas, leave: object) -> None:
    page = scan(filled(doctype, 7), 7).page
    leave(page.image)  # type: ignore[operator]
    assert marks(atlas, page) == []


def test_a_streak_hides_no_mark(doctype: DocumentType, atlas: Atlas) -> None:
    place = room(doctype)
    scanned = scan(handwriting(blank_of(doctype), [place], 8), 8)
    middle = np.array([[((place[0] + place[2]) / 2, place[1])]], float)
    column = round(float(cv2.perspectiveTransform(middle, scanned.truth)[0, 0, 0]))
    scanned.page.image[:, column : column + 2] = 50
    assert any(_holds(one, scanned, place) for one in marks(atlas, scanned.page))


def test_an_uncertain_page_gives_none(doctype: DocumentType, atlas: Atlas) -> None:
    page = scan(filled(doctype, 9), 9).page
    half = Page(1, np.ascontiguousarray(page.image[: page.image.shape[0] // 2]), None, page.dpi)
    assert unexpected(half, laid(half, atlas.locate(half))) == []
