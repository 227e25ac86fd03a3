"""Documents: the same bytes again, labels by contract, ink where labels say it is."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.synthesis.documents import ENDORSERS, LABELS, Label, Studio, synthesise
from models.synthesis.room import free
from pipeline.doctypes.load import blank, builtin
from pipeline.doctypes.schema import FieldKind
from pipeline.findings import CHECKS
from pipeline.geometry import Box
from pipeline.pages import Limits, Page, render
from pipeline.reading import Pixels
from pipeline.register import read_csv
from pipeline.sheet import darkness
from tests.unit.pipeline.paper import make_type

ON = date(2026, 3, 20)
TYPES = builtin()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Label]]:
    folder = tmp_path_factory.mktemp("drawn")
    return folder, list(synthesise(folder, 8, seed=3, on=ON))


def pages(path: Path) -> list[Page]:
    return list(render(path, Limits(dpi=150)))


def test_the_same_seed_gives_the_same_bytes(drawn: tuple[Path, list[Label]], tmp_path: Path) -> None:
    folder, labels = drawn
    again = list(synthesise(tmp_path, 3, seed=3, on=ON))
    assert again == labels[:3]
    for label in again:
        assert (tmp_path / label.path).read_bytes() == (folder / label.path).read_bytes()
    assert (tmp_path / ENDORSERS).read_bytes() == (folder / ENDORSERS).read_bytes()
    other = next(synthesise(tmp_path / "other", 1, seed=4, on=ON))
    assert other.fields != labels[0].fields


def test_a_document_depends_on_its_own_number_alone(drawn: tuple[Path, list[Label]], tmp_path: Path) -> None:
    folder, labels = drawn
    alone = Studio.opened(3, None, on=ON).draw(tmp_path, 5, 0.5)
    assert alone == labels[5]
    assert (tmp_path / alone.path).read_bytes() == (folder / alone.path).read_bytes()


def test_labels_are_what_the_interface_says(drawn: tuple[Path, list[Label]]) -> None:
    folder, labels = drawn
    lines = [json.loads(line) for line in (folder / LABELS).read_text(encoding="utf-8").splitlines()]
    assert lines == [label.as_json() for label in labels]
    types = {one.name: one for one in TYPES}
    for line in lines:
        assert list(line) == ["path", "document_type", "fields", "defects", "on", "manner"]
        doctype, count = types[line["document_type"]], len(pages(folder / line["path"]))
        dropped = any(one["check"] == "page.missing" for one in line["defects"])
        assert count == len(doctype.pages) - dropped
        assert dropped or [one["name"] for one in line["fields"]] == [one.name for one in doctype.fields]
        for one in line["fields"]:
            string = one["value"] is not None and one["kind"] in ("date", "identifier", "amount")
            assert list(one) == ["name", "kind", "page", "box", "value", *(["letters"] if string else [])]
            assert one.get("letters", "hershey") in ("hershey", "print"), "a plain install has no others"
            assert 1 <= one["page"] <= count and Box.of(one["box"]).clipped()
        for one in line["defects"]:
            assert list(one) == ["page", "field", "check"] and one["check"] in CHECKS and 1 <= one["page"] <= count


def test_ink_stands_where_labels_say(drawn: tuple[Path, list[Label]]) -> None:
    """A filled field is darker than the same field of the blank, an empty one is not."""
    folder, labels = drawn
    types = {one.name: one for one in TYPES}
    checked = 0
    for label in labels:
        doctype = types[label.document_type]
        shown = pages(folder / label.path)
        if len(shown) != len(doctype.pages):
            continue
        for one in label.fields:
            field = doctype.field(one.name)
            if field.kind is FieldKind.CHECKBOX:
                continue
            printed = ink(blank(doctype, field.page), field.where)
            found = ink(shown[one.page - 1].image, one.box)
            if one.value is not None:
                assert found > printed + 0.003, (label.path, one.name, found, printed)
            checked += one.value is not None
    assert checked > 150


def ink(image: Pixels, box: Box) -> float:
    """The mean darkness of the paper in a box, from 0 to 1."""
    height, width = image.shape
    x0, y0, x1, y1 = box.pixels(width, height)
    return float(darkness(image[y0:y1, x0:x1]).mean()) / 255


def test_the_register_goes_with_the_documents(drawn: tuple[Path, list[Label]]) -> None:
    folder, labels = drawn
    endorsers = read_csv(folder / ENDORSERS)
    names = {one.name.upper() for one in endorsers}
    stamps = [
        field.value
        for label in labels
        if not any(one.check == "endorsement.unauthorised" for one in label.defects)
        for field in label.fields
        if field.kind == "endorsement" and field.value is not None
    ]
    assert stamps and all(names & set(stamp.split("\n")) for stamp in stamps)
    assert any(one.valid_to is not None and one.valid_to < ON for one in endorsers)


def test_any_type_can_be_drawn(tmp_path: Path) -> None:
    """A form nobody has seen, of two pages, drawn for another test."""
    doctype = make_type(tmp_path / "types", 5, pages=2)
    labels = list(synthesise(tmp_path / "out", 4, seed=1, types=[doctype], defects=1.0, on=ON))
    assert all(label.document_type == doctype.name for label in labels)
    assert any(field.value for label in labels for field in label.fields)


def test_a_share_of_the_documents_has_a_defect(tmp_path: Path) -> None:
    slip = next(one for one in TYPES if len(one.pages) == 1)
    assert all(label.defects for label in synthesise(tmp_path, 2, types=[slip], defects=1.0, on=ON))
    again = list(synthesise(tmp_path, 1, types=[slip], defects=0.0, on=ON))
    assert not any(label.defects for label in again)
    assert {file.name for file in tmp_path.glob("form-*")} == {again[0].path}, "an earlier run's files are gone"


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    for wrong, why in (
        ({"defects": 1.5}, "between 0 and 1"),
        ({"split": "dev"}, "train or test"),
        ({"types": []}, "no document type"),
    ):
        with pytest.raises(ValueError, match=why):
            next(synthesise(tmp_path, 1, **wrong))


def test_room_for_a_mark_is_free() -> None:
    for doctype in TYPES:
        for page in range(1, len(doctype.pages) + 1):
            image = blank(doctype, page)
            box = free(doctype, page, image, 38, 11, np.random.default_rng(page))
            assert box is not None
            assert all(box.overlap(one.where) == 0 for one in doctype.fields if one.page == page)
            x0, y0, x1, y1 = box.pixels(image.shape[1], image.shape[0])
            assert cv2.countNonZero((image[y0:y1, x0:x1] < 160).astype(np.uint8)) < 0.2 * (x1 - x0) * (y1 - y0)
