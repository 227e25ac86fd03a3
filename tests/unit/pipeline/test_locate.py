"""The right type or a doubt: never the wrong one without saying so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.doctypes.schema import DocumentType
from pipeline.locate import Atlas
from pipeline.pages import Page
from tests.unit.pipeline.paper import blank_of, filled, make_type, scan

A5 = {"width_mm": 148.0, "height_mm": 210.0}


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> list[DocumentType]:
    """Two forms, the second in three printings: fields moved, and another heading alone."""
    folder = tmp_path_factory.mktemp("types")
    return [make_type(folder, 50, **A5), *(make_type(folder, 60, edition, **A5) for edition in range(3))]


@pytest.fixture(scope="module")
def atlas(types: list[DocumentType]) -> Atlas:
    return Atlas(types)


@pytest.mark.parametrize("turn", range(4))
def test_type_and_place_in_four_rotations(atlas: Atlas, types: list[DocumentType], turn: int) -> None:
    scanned = scan(filled(types[0], turn), turn, turn=turn, skew=3.0 - 2 * turn)
    found = atlas.locate(scanned.page)
    assert found.doctype is types[0] and found.form_page == 1
    assert found.sure and found.why == ""
    assert found.homography is not None and found.residual_mm is not None and found.residual_mm < 0.3
    height, width = blank_of(types[0]).shape
    corners = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)], float).T
    mine, truth = found.homography @ corners, scanned.truth @ corners
    assert np.abs(mine[:2] / mine[2] - truth[:2] / truth[2]).max() < 6, "pixels at 200 dpi"


@pytest.mark.parametrize("edition", [1, 2, 3])
@pytest.mark.parametrize("manner", [{"skew": 4.0}, {"bilevel": True, "turn": 2}, {"noise": 12.0, "margin": -0.04}])
def test_editions_are_told_apart_or_doubted(
    atlas: Atlas, types: list[DocumentType], edition: int, manner: dict[str, float]
) -> None:
    found = atlas.locate(scan(filled(types[edition], edition), edition, **manner).page)
    assert found.doctype is types[edition] or not found.sure
    assert found.doctype is not None and found.doctype.form == "form-60", "the form is known in any case"
    if not found.sure:
        assert found.why.endswith(".")


def test_most_editions_are_told_apart(atlas: Atlas, types: list[DocumentType]) -> None:
    found = [atlas.locate(scan(filled(one, seed), seed, skew=1.0).page) for seed, one in enumerate(types)]
    assert sum(each.sure for each in found) >= 3


def test_an_edition_that_nobody_registered_is_no_other(types: list[DocumentType], tmp_path: Path) -> None:
    """Where only the first printing is known, the second is doubted as a whole or where its fields moved."""
    from pipeline.evidence import cut

    page = scan(blank_of(types[2]), 1).page
    found = Atlas(types[:2]).locate(page)
    moved = [one for one in cut(page, found) if "registration" in one.faults]
    assert not found.sure or moved


def test_unknown_pages_are_unknown(atlas: Atlas, tmp_path: Path) -> None:
    other = make_type(tmp_path, 77, **A5)
    found = atlas.locate(scan(filled(other, 1), 1).page)
    assert (found.doctype, found.form_page, found.sure) == (None, None, False)
    assert found.why == "The page is like none of the known forms."
    empty = atlas.locate(Page(1, np.full((1000, 700), 255, np.uint8), None, 120))
    assert empty.doctype is None and empty.why
    assert Atlas([]).locate(scan(blank_of(other), 1).page).doctype is None


def test_half_a_page_is_doubted(atlas: Atlas, types: list[DocumentType]) -> None:
    page = scan(blank_of(types[0]), 1).page
    half = atlas.locate(replace_image(page, page.image[: page.image.shape[0] // 2]))
    assert not half.sure
    assert "was cropped" in half.why
    most = atlas.locate(replace_image(page, page.image[: int(page.image.shape[0] * 0.9)]))
    assert most.sure, most.why


def test_a_mirrored_page_is_doubted(atlas: Atlas, types: list[DocumentType]) -> None:
    page = scan(blank_of(types[0]), 1).page
    assert not atlas.locate(replace_image(page, page.image[:, ::-1])).sure


def test_a_page_printed_small_is_doubted_where_it_is_no_scan(atlas: Atlas, types: list[DocumentType]) -> None:
    page = scan(blank_of(types[0]), 1).page
    stretched = np.repeat(page.image, 2, axis=0)
    assert not atlas.locate(replace_image(page, stretched)).sure


def replace_image(page: Page, image: np.ndarray) -> Page:
    return Page(page.number, np.ascontiguousarray(image), None, page.dpi)


# Files of several pages


@pytest.fixture(scope="module")
def two_pages(tmp_path_factory: pytest.TempPathFactory) -> list[DocumentType]:
    folder = tmp_path_factory.mktemp("two")
    return [make_type(folder, seed, pages=2, **A5) for seed in (80, 90)]


def test_pages_of_two_page_forms_are_told_apart(two_pages: list[DocumentType]) -> None:
    atlas = Atlas(two_pages)
    for doctype in two_pages:
        for number in (1, 2):
            found = atlas.locate(scan(filled(doctype, number, number), number, turn=2 * (number - 1)).page)
            assert (found.doctype, found.form_page, found.sure) == (doctype, number, True), found.why
