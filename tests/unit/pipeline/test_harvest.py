"""A field is untouched where it shows nothing but its blank; the least doubt leaves it to the model."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.doctypes.schema import DocumentType, FormField, parse
from pipeline.harvest import TOLD, harvest
from pipeline.locate import Atlas
from pipeline.pages import Page
from pipeline.reading import Evidence, Pixels, QuestionKind
from tests.unit.pipeline.paper import blank_of, filled, make_type, scan

A5 = {"width_mm": 148.0, "height_mm": 210.0}


#: Where there is room for two boxes to tick on the blank (pixels), and how large they are.
ROOM, SIDE = ((680, 540), (760, 540)), 40


@pytest.fixture(scope="module")
def doctype(tmp_path_factory: pytest.TempPathFactory) -> DocumentType:
    """A form with dates, lines and places to sign, of which one date is made an amount, and two boxes to tick. The
    second is ticked on the blank, which was made of filled forms."""
    made = make_type(tmp_path_factory.mktemp("types"), 53, **A5)
    data = made.model_dump(mode="json")
    one = next(one for one in data["fields"] if one["kind"] == "date")
    one |= {"kind": "amount", "format": None}
    assert made.folder is not None
    blank, (first, second) = blank_of(made), ROOM
    height, width = blank.shape
    for name, (x, y) in (("open", first), ("ticked", second)):
        assert blank[y - 6 : y + SIDE + 6, x - 6 : x + SIDE + 6].min() == 255, "there is room"
        cv2.rectangle(blank, (x, y), (x + SIDE, y + SIDE), 40, 2)
        box = [x / width, y / height, (x + SIDE) / width, (y + SIDE) / height]
        data["fields"].append({"name": name, "label": name, "kind": "checkbox", "box": box, "page": 1})
    tick(blank, second)
    cv2.imwrite(str(made.folder / made.pages[0].blank), blank)
    return parse(data, made.folder)


def tick(image: Pixels, where: tuple[int, int]) -> None:
    x, y = where
    cv2.polylines(image, [np.array([(x + 12, y + 20), (x + 18, y + 27), (x + 28, y + 12)])], False, 30, 2)


@pytest.fixture(scope="module")
def atlas(doctype: DocumentType) -> Atlas:
    return Atlas([doctype])


def fields(atlas: Atlas, page: Page) -> dict[str, Evidence]:
    found = atlas.locate(page)
    assert found.sure, found.why
    return {one.field: one for one in harvest(page, found) if one.field != "unexpected"}


def of_kind(doctype: DocumentType, kind: str) -> list[FormField]:
    return [one for one in doctype.fields if one.kind.value == kind]


def place(one: FormField, image: Pixels) -> tuple[int, int, int, int]:
    return one.where.pixels(image.shape[1], image.shape[0])


@pytest.mark.parametrize(
    "manner", [{}, {"dpi": 150, "skew": 3.0}, {"dpi": 300, "turn": 2}, {"bend": 0.5}, {"noise": 6.0}]
)
def test_an_empty_form_is_untouched(doctype: DocumentType, atlas: Atlas, manner: dict[str, float]) -> None:
    found = fields(atlas, scan(blank_of(doctype), 1, **manner).page).values()
    told = [one for one in found if one.kind in TOLD]
    assert len(told) == 5 and sum(one.untouched for one in told) >= 3


@pytest.mark.parametrize(
    "manner",
    [
        {},
        {"dpi": 150, "skew": 3.0},
        {"bilevel": True},
        {"bend": 0.8},
        {"noise": 12.0},
        {"perspective": 0.05},
        {"jpeg": 30},
        {"blur": 2.0},
    ],
)
def test_a_filled_field_never_is(doctype: DocumentType, atlas: Atlas, manner: dict[str, float]) -> None:
    for seed in range(3):
        found = fields(atlas, scan(filled(doctype, seed), seed, **manner).page)
        assert not any(one.untouched for one in found.values())


def test_one_stroke_is_enough(doctype: DocumentType, atlas: Atlas) -> None:
    """A short line of the palest pencil where nobody else wrote."""
    image = blank_of(doctype)
    one = of_kind(doctype, "signature")[0]
    x0, _top, _right, y1 = place(one, image)
    cv2.line(image, (x0 + 40, y1 - 30), (x0 + 70, y1 - 36), 205, 2)
    found = fields(atlas, scan(image, 2).page)
    assert not found[one.name].untouched
    assert found[of_kind(doctype, "signature")[1].name].untouched


def test_a_stamp_that_covers_all_of_it_is_enough(doctype: DocumentType, atlas: Atlas) -> None:
    """It is no darker than the paper around it where it is all around."""
    image = blank_of(doctype)
    one = of_kind(doctype, "signature")[0]
    x0, y0, x1, y1 = place(one, image)
    image[y0 - 70 : y1 + 70, max(0, x0 - 70) : x1 + 70] = np.minimum(
        image[y0 - 70 : y1 + 70, max(0, x0 - 70) : x1 + 70], 120
    )
    page = scan(image, 3).page
    found = {each.field: each for each in harvest(page, replace(atlas.locate(page), sure=True))}
    assert not found[one.name].untouched


def test_what_a_printed_line_may_hide_is_asked(doctype: DocumentType, atlas: Atlas) -> None:
    found = fields(atlas, scan(blank_of(doctype), 4).page)
    (amount,) = of_kind(doctype, "amount")
    assert found[amount.name].kind is QuestionKind.AMOUNT and not found[amount.name].untouched


def test_a_tick_that_the_blank_has_too_is_asked_about(doctype: DocumentType, atlas: Atlas) -> None:
    """It looks like print: nothing can be told from it."""
    image = blank_of(doctype)
    found = fields(atlas, scan(image, 7).page)
    assert found["open"].untouched and not found["ticked"].untouched
    tick(image, ROOM[0])
    assert not fields(atlas, scan(image, 7).page)["open"].untouched


def test_a_page_in_doubt_is_asked_about(doctype: DocumentType, atlas: Atlas) -> None:
    page = scan(blank_of(doctype), 5).page
    location = replace(atlas.locate(page), sure=False, why="for a test")
    assert harvest(page, location) and not any(one.untouched for one in harvest(page, location))


def test_a_field_in_doubt_is_asked_about(doctype: DocumentType, atlas: Atlas) -> None:
    """Its print has gone from around it: the form was changed there, or something covers it."""
    image = blank_of(doctype)
    one = of_kind(doctype, "signature")[0]
    x0, y0, x1, y1 = place(one, image)
    image[y0 - 160 : y1 + 160, max(0, x0 - 200) : x1 + 60] = 255
    found = fields(atlas, scan(image, 6).page)
    assert found[one.name].faults and not found[one.name].untouched
