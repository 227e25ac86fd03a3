"""New types without code: from a blank, and from filled samples of a form nobody has blank."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import yaml
from PIL import Image

from pipeline.doctypes.author import check, new
from pipeline.doctypes.load import BUILTIN, blank, builtin, load, load_all
from pipeline.doctypes.recover import draft, recovered, straightened
from pipeline.doctypes.schema import DocumentType, FieldKind
from pipeline.geometry import Box
from pipeline.locate import Atlas
from pipeline.pages import BadFile, Limits, Page
from pipeline.sheet import Sheet, features, work_image
from tests.unit.pipeline.paper import blank_of, filled, make_type, scan

MM = 150 / 25.4


def write(path: Path, image: npt.NDArray[np.uint8], dpi: int = 200) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, dpi=(dpi, dpi))
    return path


def filled_scan(doctype: DocumentType, seed: int, page: int = 1, turn: int = 0) -> Page:
    rng = np.random.default_rng(seed)
    paper = filled(doctype, seed, page)
    return scan(paper, seed, skew=float(rng.uniform(-2, 2)), margin=float(rng.uniform(-0.01, 0.02)), turn=turn).page


def laid_on(
    true: npt.NDArray[np.uint8], made: DocumentType, page: int = 1
) -> tuple[npt.NDArray[np.uint8], float, float]:
    """A made blank warped onto the true one, how much it is turned (degrees), and its share of print that fits."""
    image = blank(made, page)
    sheet = make_sheet(true)
    work, to_page = work_image(image, 150)
    matrix, inliers = sheet.match(features(work))
    assert matrix is not None
    fit = sheet.fit(work, matrix, inliers)
    flat = cv2.warpPerspective(
        image, to_page @ fit.matrix @ sheet.to_work, true.shape[::-1], flags=cv2.WARP_INVERSE_MAP, borderValue=255
    )
    return flat, float(np.degrees(np.arctan2(fit.matrix[1, 0], fit.matrix[0, 0]))), fit.share


def make_sheet(image: npt.NDArray[np.uint8]) -> Sheet:
    return draft(straightened(Page(1, image, None, 150.0)))


@pytest.fixture(scope="module")
def unknown(tmp_path_factory: pytest.TempPathFactory) -> tuple[DocumentType, Path]:
    """A form that no code knows, and ten filled, skewed samples of it; one lies upside down."""
    folder = tmp_path_factory.mktemp("unknown")
    doctype = make_type(folder / "truth", 5)
    for seed in range(10):
        page = filled_scan(doctype, seed, turn=2 if seed == 4 else 0)
        write(folder / "samples" / f"{seed}.png", page.image)
    return doctype, folder / "samples"


@pytest.fixture(scope="module")
def made(unknown: tuple[DocumentType, Path], tmp_path_factory: pytest.TempPathFactory) -> DocumentType:
    """The type made from these samples."""
    folder = tmp_path_factory.mktemp("types")
    return load(new(folder, "unknown-form", "Unknown form", [unknown[1]], Limits()))


def test_the_blank_is_recovered(unknown: tuple[DocumentType, Path], made: DocumentType) -> None:
    true = blank_of(unknown[0])
    flat, turned, share = laid_on(true, made)
    assert abs(turned) < 0.1, "upright"
    assert share > 0.9
    # Print is there, to within two pixels, and so is paper: of handwriting specks are left at most.
    near = np.ones((5, 5), np.uint8)
    print_, found = true < 128, flat < 128
    assert found[cv2.erode(true, near) >= 128].mean() < 0.002
    assert cv2.dilate(found.astype(np.uint8), near)[print_].mean() > 0.97
    assert np.corrcoef(cv2.GaussianBlur(true, (0, 0), 2).ravel(), cv2.GaussianBlur(flat, (0, 0), 2).ravel())[0, 1] > 0.9


def test_samples_show_where_people_write(unknown: tuple[DocumentType, Path]) -> None:
    pages = [Page(1, cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), None, 200.0) for path in sorted(unknown[1].iterdir())]
    blank = recovered(pages)
    assert blank.written is not None and blank.written.shape == blank.image.shape
    most = blank.written > 127
    # The paper is mostly bare, and so are its edges; print is no writing.
    assert 0.002 < most.mean() < 0.25
    assert most[:6].mean() == most[-6:].mean() == 0
    assert most[blank.image < 100].mean() < 0.2


def test_further_samples_are_found_on_it(unknown: tuple[DocumentType, Path], made: DocumentType) -> None:
    atlas = Atlas([*builtin(), made])
    for seed in (101, 102, 103):
        location = atlas.locate(filled_scan(unknown[0], seed, turn=seed % 4))
        assert location.doctype is made and location.sure, location.why
        assert location.residual_mm is not None and location.residual_mm < 0.5


def test_proposed_boxes_are_those_of_the_form(unknown: tuple[DocumentType, Path], made: DocumentType) -> None:
    assert unknown[0].folder is not None
    true = blank_of(unknown[0])
    sheet = make_sheet(true)
    work, to_page = work_image(blank(made, 1), 150)
    matrix, inliers = sheet.match(features(work))
    assert matrix is not None
    to_made = to_page @ sheet.fit(work, matrix, inliers).matrix @ sheet.to_work
    height, width = blank(made, 1).shape
    for wanted in unknown[0].fields:
        x0, y0, x1, y1 = wanted.where.pixels(true.shape[1], true.shape[0])
        corners = cv2.perspectiveTransform(np.array([[(x0, y0), (x1, y1)]], np.float64), to_made)[0]
        there = Box(*(corners / (width, height)).ravel())
        best = max(made.fields, key=lambda one: one.where.overlap(there))
        assert best.where.overlap(there) > (0.55 if wanted.kind is FieldKind.TEXT else 0.7), wanted.name
        if wanted.kind is not FieldKind.TEXT:
            assert best.kind is wanted.kind and best.cells == wanted.cells


def test_the_description_guides_and_loads(made: DocumentType) -> None:
    assert made.folder is not None
    text = (made.folder / "type.yaml").read_text()
    assert "recovered from 10 filled samples" in text
    assert "required: true" in text and "docvigil doctypes check" in text
    assert {one.check for one in made.checks} == {"ink.unexpected", "page.missing", "page.poor", "type.unknown"}
    assert load_all(made.folder.parent) == [made]
    assert [one.name for one in made.folder.parent.iterdir()] == ["unknown-form"], "nothing else is left behind"


def test_check_shows_what_is_cut(unknown: tuple[DocumentType, Path], made: DocumentType, tmp_path: Path) -> None:
    assert made.folder is not None
    sample = write(tmp_path / "sample.png", filled_scan(unknown[0], 77, turn=1).image)
    report = check(made.folder, sample, tmp_path / "overview.png", others=builtin())
    assert report.sound, (report.remarks, report.pages)
    assert [one.form_page for one in report.pages] == [1]
    assert set(report.pages[0].fields) == {one.name for one in made.fields}
    assert report.picture is not None
    picture = cv2.imread(str(report.picture))
    assert picture is not None and picture.shape[1] > 1200, "a page and its cuts beside it"


def test_check_says_that_a_sample_is_another_form(made: DocumentType, tmp_path: Path) -> None:
    assert made.folder is not None
    slip = BUILTIN / "delivery-instruction-slip" / "blank.pdf"
    report = check(made.folder, slip, tmp_path / "overview.png", others=builtin())
    assert not report.sound
    assert report.pages[0].form_page is None
    assert "is taken for Delivery instruction slip" in report.pages[0].why


def test_check_remarks_on_what_looks_wrong(made: DocumentType, tmp_path: Path) -> None:
    assert made.folder is not None
    target = tmp_path / "form"
    target.mkdir()
    (target / "page-1.png").write_bytes((made.folder / "page-1.png").read_bytes())
    data = {
        "name": "form",
        "title": "Form",
        "pages": [{"blank": "page-1.png"}],
        "fields": [
            {"name": "a", "label": "A", "kind": "date", "cells": 8, "required": True, "box": [0.1, 0.1, 0.4, 0.13]},
            {"name": "b", "label": "B", "kind": "text", "box": [0.2, 0.1, 0.4, 0.13]},
            {"name": "c", "label": "C", "kind": "text", "box": [0.1, 0.3, 0.4, 0.305]},
        ],
    }
    (target / "type.yaml").write_text(yaml.safe_dump(data))
    report = check(target, out=tmp_path / "blank.png")
    assert report.remarks == (
        "Field a: it must be filled, but nothing checks it; add the check date.missing.",
        "Field a: it is a date in 8 cells; add its format (DDMMYYYY or DDMMYY).",
        "Field c: its box is 63.0 × 1.5 mm; nobody can write in that.",
        "Field b: it lies on the field a; each must have its own place.",
    )
    assert (tmp_path / "blank.png").stat().st_size > 10_000
    assert not report.sound


def test_the_builtin_forms_are_sound() -> None:
    for one in builtin():
        assert one.folder is not None
        report = check(one.folder, one.folder / "blank.pdf", others=builtin())
        assert report.sound, (report.remarks, report.pages)
        assert sum(len(page.fields) for page in report.pages) == len(one.fields)
        assert not any(page.marks for page in report.pages)


def test_a_type_from_one_blank_pdf(tmp_path: Path) -> None:
    source = load(BUILTIN / "kyc-individual")
    doctype = load(new(tmp_path, "copy", "A copy", [BUILTIN / "kyc-individual" / "blank.pdf"], Limits()))
    assert [(one.width_mm, one.height_mm) for one in doctype.pages] == [(210.0, 297.0)] * 2
    for number in (1, 2):
        # The renderer rounds the page's width up, we to the nearest.
        theirs = cv2.resize(blank(source, number), blank(doctype, number).shape[::-1])
        difference = cv2.absdiff(cv2.blur(blank(doctype, number), (7, 7)), cv2.blur(theirs, (7, 7)))
        assert difference.mean() < 4
    # Nearly all the fields we drew are proposed, and where we drew them.
    hits = [
        max(one.where.overlap(field.where) for one in doctype.fields if one.page == field.page)
        for field in source.fields
    ]
    assert np.mean(np.array(hits) > 0.7) > 0.95
    kinds = {one.kind for one in doctype.fields}
    assert {FieldKind.SIGNATURE, FieldKind.ENDORSEMENT, FieldKind.DATE, FieldKind.CHECKBOX, FieldKind.TEXT} <= kinds


def test_print_names_fields(tmp_path: Path) -> None:
    words = [("8. PAN*", Box(0.05, 0.3175, 0.1, 0.327)), ("Mother's name", Box(0.05, 0.21, 0.15, 0.22))]
    doctype = load(
        new(tmp_path, "copy", "A copy", [BUILTIN / "kyc-individual" / "page-1.png"], Limits(), lambda image: words)
    )
    assert doctype.field("pan").identifier == "pan"
    assert doctype.field("pan").cells == 10
    assert doctype.field("mother_s_name").label == "Mother's name"


def test_a_skewed_scan_of_a_blank_is_straightened(tmp_path: Path) -> None:
    true = blank(load(BUILTIN / "delivery-instruction-slip"), 1)
    file = write(tmp_path / "blank.png", scan(true, 3, skew=1.3).page.image)
    doctype = load(new(tmp_path / "types", "slip", "Slip", [file], Limits()))
    _flat, turned, share = laid_on(true, doctype)
    assert abs(turned) < 0.1
    assert share > 0.9


def test_samples_of_several_pages(tmp_path: Path) -> None:
    truth = make_type(tmp_path / "truth", 21, pages=2, width_mm=148, height_mm=210)
    files = []
    for seed in range(6):
        pages = [Image.fromarray(filled_scan(truth, 10 * seed + page, page).image) for page in (1, 2)]
        files.append(tmp_path / f"{seed}.tiff")
        # One sample lacks its second page: it says nothing about either.
        pages[0].save(files[-1], save_all=True, append_images=pages[1:] if seed else [], dpi=(200, 200))
    doctype = load(new(tmp_path / "types", "two-pages", "Two pages", files, Limits()))
    assert len(doctype.pages) == 2
    for page in (1, 2):
        assert laid_on(blank_of(truth, page), doctype, page)[2] > 0.85


def test_what_new_refuses(tmp_path: Path) -> None:
    page = BUILTIN / "kyc-individual" / "page-1.png"
    with pytest.raises(ValueError, match="'KYC' is no name of a type"):
        new(tmp_path, "KYC", "KYC", [page], Limits())
    (tmp_path / "there").mkdir()
    with pytest.raises(ValueError, match="is there already; choose another name"):
        new(tmp_path, "there", "There", [page], Limits())
    with pytest.raises(ValueError, match="3 files are neither one blank form nor at least 5 filled samples"):
        new(tmp_path, "few", "Few", [page] * 3, Limits())
    with pytest.raises(ValueError, match="give one blank form"):
        new(tmp_path, "none", "None", [tmp_path / "there"], Limits())
    with pytest.raises(ValueError, match="can't be opened"):
        new(tmp_path, "gone", "Gone", [tmp_path / "gone.pdf"], Limits())
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    with pytest.raises(BadFile, match=r"broken\.pdf: "):
        new(tmp_path, "broken", "Broken", [tmp_path / "broken.pdf"], Limits())
    assert sorted(one.name for one in tmp_path.iterdir()) == ["broken.pdf", "there"]


def test_most_samples_say_which_way_is_up(tmp_path: Path) -> None:
    truth = make_type(tmp_path, 40, width_mm=148, height_mm=210)
    pages = [filled_scan(truth, seed, turn=1 if seed == 2 else 3) for seed in range(5)]
    blank_made = recovered(pages)
    assert (blank_made.width_mm, blank_made.height_mm) == (210, 148)
    rightly = np.rot90(blank_of(truth))
    sheet = draft(blank_made)
    work, _to_page = work_image(np.ascontiguousarray(rightly), 150)
    matrix, inliers = sheet.match(features(work))
    assert matrix is not None and inliers > 60
    assert matrix[0, 0] > 0.9 and abs(matrix[1, 0]) < 0.01


def test_samples_of_different_forms_are_refused(tmp_path: Path) -> None:
    pages = [
        scan(blank_of(make_type(tmp_path, seed, width_mm=148, height_mm=210)), seed, skew=0.5).page
        for seed in range(30, 35)
    ]
    with pytest.raises(ValueError, match="of 5 samples are the same page of the same form"):
        recovered(pages)


def test_a_blank_without_any_field(tmp_path: Path) -> None:
    sheet = np.full((1754, 1240), 255, np.uint8)
    for row in range(20):
        cv2.putText(sheet, "declared and agreed", (100, 100 + 40 * row), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
    target = new(tmp_path, "plain", "Plain", [write(tmp_path / "plain.png", sheet, 150)], Limits())
    with pytest.raises(ValueError, match=r"type\.yaml, fields: this is missing; add it"):
        load(target)
    # With the example's comment signs taken away it is a type.
    description = target / "type.yaml"
    head, example = description.read_text().split("# fields:")
    description.write_text(head + "fields:" + "\n".join(line.removeprefix("# ") for line in example.split("\n")))
    assert [one.name for one in load(target).fields] == ["signature"]
