"""The built-in forms: what they hold, that boxes lie where the print is, that drawing gives what is there, and that
scans of them are found."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pipeline.doctypes.drawing import FORMS, Form, make
from pipeline.doctypes.load import BUILTIN, blank, builtin, load
from pipeline.doctypes.schema import DocumentType, FieldKind, FormField, Identifier
from pipeline.evidence import MARGIN_X, MARGIN_Y, cut
from pipeline.geometry import Box
from pipeline.locate import Atlas
from tests.unit.pipeline.paper import scan

TYPES = builtin()
MM = 150 / 25.4


def each(*kinds: FieldKind) -> list[tuple[DocumentType, FormField]]:
    return [(one, field) for one in TYPES for field in one.fields if not kinds or field.kind in kinds]


def named(case: tuple[DocumentType, FormField]) -> str:
    return f"{case[0].name}-{case[1].name}"


def test_both_forms_are_there() -> None:
    assert [(one.name, len(one.pages)) for one in TYPES] == [("delivery-instruction-slip", 1), ("kyc-individual", 2)]


def test_between_them_they_have_every_kind_of_field() -> None:
    fields = [field for _doctype, field in each()]
    assert {field.kind for field in fields} == set(FieldKind)
    # A complete Aadhaar number has no place on our forms.
    assert {field.identifier for field in fields} - {None} == set(Identifier) - {Identifier.AADHAAR}
    dates = [field for field in fields if field.kind is FieldKind.DATE]
    assert {field.format for field in dates} == {"DDMMYYYY", None}


def test_every_check_cites_a_rule_and_every_rule_is_cited() -> None:
    for one in TYPES:
        checks = [*one.checks, *(check for field in one.fields for check in field.checks)]
        assert {check.rule for check in checks} == {rule.id for rule in one.rules}


def test_what_must_be_filled_is_checked() -> None:
    wanted = {
        FieldKind.SIGNATURE: "signature.missing",
        FieldKind.DATE: "date.missing",
        FieldKind.ENDORSEMENT: "endorsement.missing",
    }
    for doctype, field in each():
        if field.required or field.required_if:
            names = {check.check for check in field.checks}
            assert wanted.get(field.kind, "field.missing") in names, named((doctype, field))


def test_joint_holders_sign_when_they_are_named() -> None:
    for one in TYPES:
        assert one.field("first_signature").required
        assert one.field("second_signature").required_if == "second_holder_name"
        assert one.field("third_signature").required_if == "third_holder_name"


def test_boxes_keep_apart_and_leave_room() -> None:
    sizes = {FieldKind.SIGNATURE: (55.0, 14.0), FieldKind.ENDORSEMENT: (45.0, 30.0)}
    for one in TYPES:
        for row, field in enumerate(one.fields):
            paper = one.pages[field.page - 1]
            least = sizes.get(field.kind, (3.0, 3.0))
            assert field.where.width * paper.width_mm >= least[0], field.name
            assert field.where.height * paper.height_mm >= least[1], field.name
            areas = [Box.of(area) for area in paper.free_areas]
            others = [other.where for other in one.fields[row + 1 :] if other.page == field.page]
            assert all(field.where.overlap(other) == 0 for other in [*others, *areas]), field.name


def ink(doctype: DocumentType, field: FormField, sides: tuple[float, float, float, float]) -> npt.NDArray[np.float64]:
    """Share of dark pixels in the blank in a field's box moved by these millimetres."""
    image = blank(doctype, field.page)
    height, width = image.shape
    x0, y0, x1, y1 = field.where.pixels(width, height)
    left, top, right, bottom = (round(side * MM) for side in sides)
    part = image[y0 + top : y1 + bottom, x0 + left : x1 + right]
    return np.asarray(part < 128)


@pytest.mark.parametrize("case", each(), ids=named)
def test_nothing_is_printed_where_one_writes(case: tuple[DocumentType, FormField]) -> None:
    doctype, field = case
    dark = ink(doctype, field, (0.6, 0.6, -0.6, -0.6))
    if not field.cells:
        assert not dark.any()
        return
    # A comb has its rules and nothing else: dark columns, evenly spaced.
    columns = dark.all(axis=0)
    assert (dark.any(axis=0) == columns).all()
    starts = np.flatnonzero(np.diff(np.concatenate([[0], columns.astype(int)])) == 1)
    assert len(starts) == field.cells - 1
    if len(starts) > 1:
        gaps = np.diff(starts)
        assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize("case", each(), ids=named)
def test_boxes_lie_on_rules(case: tuple[DocumentType, FormField]) -> None:
    doctype, field = case
    at = 0.7
    box = field.where
    wide, high = box.width * 210, box.height * 297
    below = ink(doctype, field, (1, high - at, -1, at))
    assert below.any(axis=0).mean() > 0.98, "every field stands on a rule or in a frame"
    if field.cells or field.kind in (FieldKind.SIGNATURE, FieldKind.ENDORSEMENT, FieldKind.CHECKBOX):
        assert ink(doctype, field, (-at, 1, at - wide, -1)).any(axis=1).mean() > 0.98
        assert ink(doctype, field, (wide - at, 1, at, -1)).any(axis=1).mean() > 0.98
        assert ink(doctype, field, (1, -at, -1, at - high)).any(axis=0).mean() > 0.98


@pytest.mark.parametrize("case", each(FieldKind.SIGNATURE, FieldKind.ENDORSEMENT), ids=named)
def test_no_print_near_signatures_and_stamps(case: tuple[DocumentType, FormField]) -> None:
    """What is printed in a cut's margins would be read with the stamp."""
    doctype, field = case
    box = field.where
    wide, high = box.width * 210 * MARGIN_X, box.height * 297 * MARGIN_Y
    around = ink(doctype, field, (-wide, -high, wide, high))
    inner = round(0.7 * MM)
    top, left = round(high * MM) - inner, round(wide * MM) - inner
    around[max(0, top) : len(around) - top, max(0, left) : around.shape[1] - left] = False
    assert not around.any()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_drawing_gives_what_is_there(form: Form, tmp_path: Path) -> None:
    first, second = make(form, tmp_path / "1"), make(form, tmp_path / "2")
    for file in sorted(first.iterdir()):
        assert file.read_bytes() == (second / file.name).read_bytes(), "drawing twice gives the same bytes"
    kept, drawn = load(BUILTIN / form.name), load(first)
    assert kept.model_dump() == drawn.model_dump()
    for number in range(1, len(kept.pages) + 1):
        # Renderers of other versions smooth print a little differently.
        difference = cv2.absdiff(blank(kept, number), blank(drawn, number))
        assert difference.mean() < 0.5 and (difference > 96).mean() < 1e-3


def test_blanks_are_small() -> None:
    assert sum(file.stat().st_size for file in BUILTIN.rglob("*.*")) < 400_000


def test_skewed_blanks_are_found() -> None:
    atlas = Atlas(TYPES)
    seed = 0
    for one in TYPES:
        for number in range(1, len(one.pages) + 1):
            seed += 1
            paper = scan(blank(one, number), seed, skew=1.5 - seed, turn=seed)
            found = atlas.locate(paper.page)
            assert found.doctype is not None and found.sure, found.why
            assert (found.doctype.name, found.form_page) == (one.name, number)
            assert found.residual_mm is not None and found.residual_mm < 0.3
            cuts = cut(paper.page, found)
            assert [one.field for one in cuts] == [field.name for field in one.fields if field.page == number]
            assert not any(one.faults for one in cuts)
