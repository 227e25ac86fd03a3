"""Two printings of one form among twenty: never the wrong one without saying so, and hardly dearer than among two."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from pipeline.doctypes.schema import DocumentType
from pipeline.locate import Atlas
from pipeline.pages import Page
from tests.unit.pipeline.paper import filled, make_type, scan

SCANS = 30


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> list[DocumentType]:
    """A form in two printings (some rows moved, the heading's second line changed), and eighteen others."""
    folder = tmp_path_factory.mktemp("types")
    return [make_type(folder, 300), make_type(folder, 300, 1), *(make_type(folder, seed) for seed in range(301, 319))]


@pytest.fixture(scope="module")
def atlas(types: list[DocumentType]) -> Atlas:
    return Atlas(types)


def rough(doctype: DocumentType, seed: int) -> Page:
    """A filled page, skewed, noisy, cropped and turned."""
    rng = np.random.default_rng(seed)
    return scan(
        filled(doctype, seed),
        seed,
        dpi=float(rng.choice([150, 200, 300])),
        skew=float(rng.uniform(-5, 5)),
        turn=int(rng.integers(4)),
        noise=float(rng.uniform(2, 14)),
        margin=float(rng.uniform(-0.07, 0.03)),
        blur=float(rng.uniform(0.3, 1.2)),
        bilevel=bool(rng.random() < 0.3),
    ).page


@pytest.mark.slow
def test_never_the_wrong_type_without_saying_so(atlas: Atlas, types: list[DocumentType]) -> None:
    sure = 0
    for seed in range(SCANS):
        # Two scans in three are of the form in two printings.
        doctype = types[seed % 2] if seed % 3 else types[2 + seed % 18]
        found = atlas.locate(rough(doctype, seed))
        assert not found.sure or found.doctype is doctype, f"scan {seed} is taken for {found.doctype}"
        assert found.sure or found.why.endswith(".")
        sure += found.sure
    assert sure >= 0.8 * SCANS, "doubt is for the few that need it"


@pytest.mark.slow
def test_cost_grows_slowly_with_the_number_of_types(atlas: Atlas, types: list[DocumentType]) -> None:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        few = Atlas([types[0], types[5]])
        pages = [rough(types[0 if seed % 2 else 5], 100 + seed) for seed in range(6)]
        spent = []
        for known in (few, atlas):
            known.locate(pages[0])
            started = time.process_time()
            for page in pages:
                known.locate(page)
            spent.append(time.process_time() - started)
    finally:
        cv2.setNumThreads(threads)
    # Ten times the types; two thirds more for the shortlist, and the second printing of one form is tried besides.
    assert spent[1] < 3 * spent[0], spent
