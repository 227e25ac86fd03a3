"""Which pages of a file make one form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.doctypes.schema import DocumentType, parse
from pipeline.instances import group
from pipeline.locate import Location


def a_type(name: str, pages: int) -> DocumentType:
    blanks = [{"blank": f"page-{number}.png"} for number in range(1, pages + 1)]
    box = [0.1, 0.1, 0.4, 0.2]
    field = {"name": "signature", "label": "Signature", "kind": "signature", "box": box}
    return parse({"name": name, "title": name, "pages": blanks, "fields": [field]})


A, B, LONG = a_type("form-a", 2), a_type("form-b", 2), a_type("form-c", 3)


def at(number: int, doctype: DocumentType | None, form_page: int | None = None) -> Location:
    return Location(number, doctype, form_page, None, None, 0, 1.0, doctype is not None, "")


def test_forms_in_a_file() -> None:
    file = [at(1, A, 1), at(2, A, 2), at(3, B, 2), at(4, B, 1), at(5, A, 1), at(6, None), at(7, A, 2)]
    assert [(one.doctype, one.pages, one.missing) for one in group(file)] == [
        (A, (1, 2), ()),
        (B, (3, 4), ()),
        (A, (5, 7), ()),
        (None, (6,), ()),
    ]
    assert group([]) == []


@pytest.mark.parametrize(
    ("doctype", "numbers", "forms"),
    [
        (A, "121212", ["12", "12", "12"]),
        (A, "122112", ["12", "21", "12"]),
        (A, "212121", ["21", "21", "21"]),
        # One page of one form is missing: its neighbours stay whole.
        (A, "12212", ["12", "2", "12"]),
        (A, "11212", ["1", "12", "12"]),
        (A, "12112", ["12", "1", "12"]),
        # A page is there twice.
        (A, "1221", ["12", "21"]),
        (A, "122", ["12", "2"]),
        (A, "22", ["2", "2"]),
        (LONG, "1233121", ["123", "312", "1"]),
        (LONG, "132", ["132"]),
        (LONG, "12123", ["12", "123"]),
    ],
)
def test_pages_of_one_type_that_follow_each_other(doctype: DocumentType, numbers: str, forms: list[str]) -> None:
    found = group([at(place, doctype, int(page)) for place, page in enumerate(numbers, 1)])
    assert ["".join(str(one.form_page) for one in form.locations) for form in found] == forms
    assert [page for form in found for page in form.pages] == list(range(1, len(numbers) + 1))


def test_another_form_in_between_ends_a_form() -> None:
    file = [at(1, A, 1), at(2, B, 1), at(3, B, 2), at(4, A, 2)]
    assert [(one.pages, one.missing) for one in group(file)] == [((1,), (2,)), ((2, 3), ()), ((4,), (1,))]


def test_a_page_that_editions_share_goes_with_its_neighbour() -> None:
    shared = replace(at(2, A, 2), sure=False, why="The print is the same.", twins=(at(2, A, 2), at(2, B, 2)))
    (form,) = group([at(1, B, 1), shared])
    assert form.doctype is B and form.pages == (1, 2) and not form.missing
    assert all(one.sure for one in form.locations)
