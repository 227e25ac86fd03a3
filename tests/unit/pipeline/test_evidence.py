"""Fields are cut where they stand, upright and tight; what can't be trusted says so; numbers to hide are hidden."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.doctypes.schema import DocumentType, FieldKind, FormField, parse
from pipeline.evidence import (
    MARGIN_X,
    MARGIN_Y,
    between_margins,
    bounds,
    cut,
    derived,
    is_masked,
    narrowed,
    placed,
    shown_part,
)
from pipeline.geometry import Box
from pipeline.locate import Atlas, Location
from pipeline.pages import Page
from pipeline.reading import Pixels, QuestionKind
from tests.unit.pipeline.paper import Scan, blank_of, make_type, scan

A5 = {"width_mm": 148.0, "height_mm": 210.0}


@pytest.fixture(scope="module")
def doctype(tmp_path_factory: pytest.TempPathFactory) -> DocumentType:
    """A form whose first comb holds an Aadhaar number."""
    made = make_type(tmp_path_factory.mktemp("types"), 52, **A5)
    data = made.model_dump(mode="json")
    first = next(one for one in data["fields"] if one["kind"] == "date")
    first.update(kind="identifier", identifier="aadhaar", cells=12, format=None)
    return parse(data, made.folder)


@pytest.fixture(scope="module")
def atlas(doctype: DocumentType) -> Atlas:
    return Atlas([doctype])


def marked(doctype: DocumentType) -> Pixels:
    """The blank with a black frame just inside each field and a dot in its upper left corner."""
    image = blank_of(doctype)
    for one in doctype.fields:
        x0, y0, x1, y1 = one.where.pixels(image.shape[1], image.shape[0])
        cv2.rectangle(image, (x0 + 2, y0 + 2), (x1 - 2, y1 - 2), 0, 2)
        cv2.rectangle(image, (x0 + 5, y0 + 5), (x0 + 11, y0 + 11), 0, -1)
    return image


def plain(doctype: DocumentType) -> list[FormField]:
    return [one for one in doctype.fields if not is_masked(one)]


def located(atlas: Atlas, scanned: Scan) -> Location:
    found = atlas.locate(scanned.page)
    assert found.sure, found.why
    return found


@pytest.mark.parametrize(
    "manner", [{"skew": 5.0}, {"turn": 1, "dpi": 150}, {"turn": 2, "dpi": 300}, {"bend": 0.7}, {"perspective": 0.05}]
)
def test_cuts_are_upright_and_tight(doctype: DocumentType, atlas: Atlas, manner: dict[str, float]) -> None:
    scanned = scan(marked(doctype), 1, **manner)
    cuts = cut(scanned.page, located(atlas, scanned))
    assert [one.field for one in cuts] == [one.name for one in doctype.fields]
    by_name = {one.field: one for one in cuts}
    for field in plain(doctype):
        one = by_name[field.name]
        assert one.kind is QuestionKind(field.kind.value) and one.cells == field.cells and one.faults == ()
        assert one.row == between_margins(field.cells)
        width_mm = field.where.width * 148 * (1 + 2 * MARGIN_X)
        height_mm = field.where.height * 210 * (1 + 2 * MARGIN_Y)
        assert one.image.shape == pytest.approx((height_mm / 25.4 * 200, width_mm / 25.4 * 200), abs=1.5)
        height, width = one.image.shape
        left, top = width * MARGIN_X / (1 + 2 * MARGIN_X), height * MARGIN_Y / (1 + 2 * MARGIN_Y)
        # The frame stands where the margin ends, on all four sides to within half a millimetre, and the dot at the
        # upper left says which way is up.
        inner = one.image[round(top + 4) : round(height - top - 4), round(left + 4) : round(width - left - 4)]
        assert inner.size
        for strip in (one.image[:, : round(left) + 8], one.image[:, -round(left) - 8 :]):
            assert strip.min(axis=1)[height // 3 : -height // 3].max() < 160
        for strip in (one.image[: round(top) + 8], one.image[-round(top) - 8 :]):
            assert np.percentile(strip.min(axis=0)[width // 4 : -width // 4], 90) < 160
        x, y = round(left + 8 / 150 * 200), round(top + 8 / 150 * 200)
        assert one.image[y - 2 : y + 3, x - 2 : x + 3].mean() < 120


def test_boxes_are_on_the_page_as_it_arrived(doctype: DocumentType, atlas: Atlas) -> None:
    scanned = scan(marked(doctype), 3, turn=1, skew=2.0)
    height, width = scanned.page.image.shape
    blank_height, blank_width = blank_of(doctype).shape
    by_name = {one.field: one.box for one in cut(scanned.page, located(atlas, scanned))}
    for field in plain(doctype):
        x0, y0, x1, y1 = field.where.pixels(blank_width, blank_height)
        corners = cv2.perspectiveTransform(np.array([[(x0, y0), (x1, y0), (x1, y1), (x0, y1)]], float), scanned.truth)
        assert by_name[field.name].overlap(bounds(corners[0], width, height)) > 0.85


def test_the_alternate_is_the_same_field_with_half_the_margins(doctype: DocumentType, atlas: Atlas) -> None:
    scanned = scan(marked(doctype), 4)
    one = cut(scanned.page, located(atlas, scanned))[-1]
    assert one.alternate is not None
    assert np.array_equal(one.alternate, narrowed(one.image))
    shares = np.array(one.alternate.shape) / one.image.shape
    assert shares == pytest.approx(((1 + MARGIN_Y) / (1 + 2 * MARGIN_Y), (1 + MARGIN_X) / (1 + 2 * MARGIN_X)), abs=0.02)


def test_a_field_that_was_cut_off_says_so(doctype: DocumentType, atlas: Atlas) -> None:
    page = scan(marked(doctype), 5).page
    signatures = [one for one in doctype.fields if one.kind is FieldKind.SIGNATURE]
    bottom = round((signatures[0].where.y0 + 0.4 * signatures[0].where.height) * page.image.shape[0])
    short = Page(1, np.ascontiguousarray(page.image[:bottom]), None, page.dpi)
    faults = {one.field: one.faults for one in cut(short, atlas.locate(short))}
    assert all("off page" in faults[one.name] for one in signatures)
    assert faults[doctype.fields[0].name] == ()


def test_a_field_whose_print_has_gone_says_so(doctype: DocumentType, atlas: Atlas) -> None:
    """Something covers the middle of the page: what lies under it can't be trusted."""
    image = marked(doctype)
    height, width = image.shape
    rng = np.random.default_rng(0)
    image[height // 4 : height * 2 // 3] = rng.integers(0, 256, (height * 2 // 3 - height // 4, width), np.uint8)
    page = scan(image, 6).page
    faults = {one.field: one.faults for one in cut(page, atlas.locate(page))}
    under = [one for one in doctype.fields if one.where.y0 > 0.35 and one.where.y1 < 0.58]
    assert under
    assert all("registration" in faults[one.name] for one in under)


def test_too_coarse_for_a_field(doctype: DocumentType, atlas: Atlas) -> None:
    page = scan(marked(doctype), 7, dpi=72).page
    assert all("resolution" in one.faults for one in cut(page, atlas.locate(page)))


def test_of_a_masked_number_only_the_end_is_cut_and_shown(doctype: DocumentType, atlas: Atlas) -> None:
    field = next(one for one in doctype.fields if is_masked(one))
    image = marked(doctype)
    x0, y0, x1, y1 = field.where.pixels(image.shape[1], image.shape[0])
    scanned = scan(image, 8, skew=2.0)
    page = replace_page(scanned.page)
    found = located(atlas, scanned)
    one = next(each for each in cut(page, found) if each.field == field.name)
    assert one.cells == 4 and one.row == between_margins(4)
    shown = shown_part(field)
    assert shown.width == pytest.approx(field.where.width / 3)
    assert one.image.shape[1] == pytest.approx(shown.width * 148 * (1 + 2 * MARGIN_X) / 25.4 * 200, abs=2)
    for picture in (derived(scanned.page, found), derived(page, found)):
        grey = picture if picture.ndim == 2 else picture.max(axis=2)
        for share, hidden in ((0.05, True), (0.3, True), (0.6, True), (0.8, False), (0.95, False)):
            spot = cv2.perspectiveTransform(
                np.array([[(x0 + share * (x1 - x0), (y0 + y1) / 2 + 6)]], float), scanned.truth
            )[0, 0]
            x, y = (int(each) for each in spot)
            patch = grey[y - 3 : y + 4, x - 3 : x + 4]
            assert (patch.max() < 20) == hidden
    assert page.colour is not None and (page.colour > 200).mean() > 0.5, "the page itself is as it was"


def replace_page(page: Page) -> Page:
    """The same page in colour."""
    return Page(page.number, page.image, np.repeat(page.image[:, :, None], 3, axis=2), page.dpi)


def test_an_unknown_page_gives_nothing(doctype: DocumentType, atlas: Atlas) -> None:
    page = Page(1, np.full((800, 600), 255, np.uint8), None, 100)
    nowhere = atlas.locate(page)
    assert cut(page, nowhere) == []
    assert np.array_equal(derived(page, nowhere), page.image)
    with pytest.raises(ValueError, match="page 1 is not located"):
        placed(nowhere, Box(0.1, 0.1, 0.2, 0.2))
    scanned = scan(marked(doctype), 9)
    assert cut(scanned.page, replace(located(atlas, scanned), fit=None)) == []
