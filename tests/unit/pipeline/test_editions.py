"""Where two printings differ, and whose print a page shows there."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.doctypes.recover import Blank, draft
from pipeline.doctypes.schema import DocumentType
from pipeline.editions import MOST_WINDOWS, difference
from pipeline.sheet import Sheet, features, work_image
from tests.unit.pipeline.paper import filled, make_type, scan

A5 = {"width_mm": 148.0, "height_mm": 210.0}


@pytest.fixture(scope="module")
def printings(tmp_path_factory: pytest.TempPathFactory) -> list[DocumentType]:
    folder = tmp_path_factory.mktemp("types")
    return [make_type(folder, 60, edition, **A5) for edition in range(3)]


@pytest.fixture(scope="module")
def sheets(printings: list[DocumentType]) -> list[Sheet]:
    return [Sheet(one, 1) for one in printings]


def test_a_form_differs_from_itself_nowhere(printings: list[DocumentType], sheets: list[Sheet]) -> None:
    same = difference(sheets[0], Sheet(printings[0], 1))
    assert same is not None and same.places == ()
    assert same.vote(sheets[0].work) == (0.0, 0.0)


def test_what_can_not_be_laid_on_each_other_is_not_compared(sheets: list[Sheet]) -> None:
    white = draft(Blank(np.full((1240, 874), 255, np.uint8), 148, 210))
    assert difference(sheets[0], white) is None


@pytest.mark.parametrize("other", [1, 2])
def test_differences_lie_where_the_printings_differ(sheets: list[Sheet], other: int) -> None:
    found = difference(sheets[0], sheets[other])
    assert found is not None
    assert 0 < len(found.places) <= MOST_WINDOWS
    # The third printing differs in its heading alone.
    if other == 2:
        assert max(y for _x, y in found.places) < 100


@pytest.mark.parametrize("other", [1, 2])
@pytest.mark.parametrize("bilevel", [False, True])
def test_the_page_votes_for_its_own_printing(
    printings: list[DocumentType], sheets: list[Sheet], other: int, bilevel: bool
) -> None:
    found = difference(sheets[0], sheets[other])
    assert found is not None
    votes = []
    for own in (0, other):
        page = scan(filled(printings[own], 5), 5, skew=1.0, bilevel=bilevel).page
        work, _to_page = work_image(page.image, page.dpi)
        matrix, inliers = sheets[0].match(features(work))
        assert matrix is not None
        votes.append(found.vote(sheets[0].upright(work, sheets[0].fit(work, matrix, inliers).matrix))[0])
    assert votes[0] > 0.3
    assert votes[1] < -0.3
