"""Labels from strangers' files: what can't be kept is refused with a sentence, a number is never kept whole."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.doctypes.load import builtin
from pipeline.doctypes.schema import FieldKind, Identifier
from pipeline.labels import LabelledField, Labelling, file_name, kept, of_coco, of_label_studio, of_line

FIELD = {"name": "sign", "kind": "signature", "page": 1, "box": [0.1, 0.1, 0.2, 0.2], "value": None}


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "drawing"},
        {"page": 0},
        {"page": True},
        {"value": 5},
        {"value": "a\0b"},
        {"value": "a" * 201},
        {"value": "\ud800"},
        {"box": [0.2, 0.1, 0.1, 0.2]},
        {"box": [0.1, 0.1, float("nan"), 0.2]},
        {"box": [2, 2, 3, 3]},
        {"box": "abcd"},
        {"name": ""},
    ],
    ids=str,
)
def test_a_field_that_can_not_be_kept_is_refused(wrong: dict[str, Any]) -> None:
    LabelledField.of(FIELD)
    with pytest.raises(ValueError, match="field"):
        LabelledField.of({**FIELD, **wrong})


@pytest.mark.parametrize(
    "line", [[], "x", {}, {"path": "a", "fields": "b"}, {"path": "a", "fields": [], "defects": "x"}]
)
def test_a_line_that_is_none_is_refused(line: Any) -> None:
    with pytest.raises(ValueError, match="fields"):
        of_line(line)


@pytest.mark.parametrize("data", [{"annotations": 1}, {"annotations": [{}], "images": [], "categories": []}])
def test_a_file_that_is_no_coco_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="no COCO file"):
        of_coco(data)


@pytest.mark.parametrize(
    "tasks", [[1], [{}], [{"data": {"image": "a"}, "annotations": [{"result": [{"type": "x"}, 1]}]}]]
)
def test_a_file_that_is_no_export_of_label_studio_is_refused(tasks: Any) -> None:
    with pytest.raises(ValueError, match="no Label Studio export"):
        of_label_studio(tasks)


def test_of_an_aadhaar_number_four_digits_are_kept() -> None:
    doctype, field = next(
        (one, each) for one in builtin() for each in one.fields if each.identifier is Identifier.AADHAAR_LAST4
    )
    label = LabelledField(field.name, FieldKind.IDENTIFIER, 1, None, "2345 6789 0124")
    assert kept(doctype, label).value == "0124"


def test_a_file_names_its_document() -> None:
    document = "0123456789abcdef" * 4
    for path in (file_name(document, "image/tiff"), f"some/where/{document}.pdf", document):
        assert Labelling(path, None, (), ()).document_id == document
    assert Labelling("form.pdf", None, (), ()).document_id is None
