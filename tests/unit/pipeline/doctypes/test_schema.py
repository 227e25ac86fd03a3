"""What a description may say, and the sentences for what it may not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.doctypes.schema import FieldKind, parse


def description(**more: Any) -> dict[str, Any]:
    """A type with a signature and a date; `more` replaces keys."""
    return {
        "name": "letter",
        "title": "Letter",
        "pages": [{"blank": "page-1.png"}],
        "fields": [
            {"name": "signed", "label": "Signature", "kind": "signature", "box": [0.1, 0.8, 0.5, 0.9]},
            {"name": "day", "label": "Date", "kind": "date", "box": [0.6, 0.1, 0.9, 0.15]},
        ],
        **more,
    }


def test_a_description_as_people_write_it() -> None:
    doctype = parse(description(rules=[{"id": "r.1", "text": "Signed.", "source": "A circular"}]))
    assert doctype.key == "letter@1"
    assert doctype.field("day").kind is FieldKind.DATE
    assert doctype.field("signed").where.height == pytest.approx(0.1)
    with pytest.raises(KeyError):
        doctype.field("stamp")


def test_two_fields_of_one_name() -> None:
    fields = description()["fields"]
    with pytest.raises(ValidationError, match="two fields have the same name: day"):
        parse(description(fields=[*fields, fields[1]]))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"box": [0.6, 0.1, 1.2, 0.15]}, "leaves the page"),
        ({"box": [0.6, 0.15, 0.9, 0.1]}, "an empty box"),
        ({"page": 2}, "stands on page 2, but the type has 1"),
        ({"required_if": "nobody"}, "refers to a field 'nobody' that does not exist"),
        ({"kind": "identifier"}, "`identifier` belongs to fields of kind identifier"),
        ({"identifier": "pan"}, "`identifier` belongs to fields of kind identifier"),
        ({"checks": [{"check": "date.soon"}]}, "there is no check 'date.soon'; known are signature.missing"),
        ({"checks": [{"check": "date.stale"}]}, "max_age_days belongs to date.stale"),
        ({"checks": [{"check": "date.missing", "max_age_days": 3}]}, "max_age_days belongs to date.stale"),
        ({"checks": [{"check": "date.order"}]}, "not_before belongs to date.order"),
        ({"checks": [{"check": "date.order", "not_before": "birth"}]}, "refers to a field 'birth'"),
        ({"checks": [{"check": "date.missing", "rule": "r.9"}]}, "refers to a rule 'r.9' that does not exist"),
        ({"format": "MMDDYYYY"}, "DDMMYYYY"),
        ({"cells": 0}, "greater than or equal to 1"),
        ({"colour": "blue"}, "Extra inputs are not permitted"),
        ({"name": "The day"}, "pattern"),
    ],
)
def test_what_is_wrong_with_a_field(change: dict[str, Any], sentence: str) -> None:
    signed, day = description()["fields"]
    with pytest.raises(ValidationError) as wrong:
        parse(description(fields=[signed, {**day, **change}]))
    assert sentence in str(wrong.value)


def test_a_type_needs_pages_and_fields() -> None:
    for key in ("pages", "fields"):
        with pytest.raises(ValidationError, match=key):
            parse(description(**{key: []}))
