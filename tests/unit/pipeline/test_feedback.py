"""The folder of feedback: what may stand in it, what may not, and on which side it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.doctypes.schema import FormField
from pipeline.evidence import row_of
from pipeline.feedback import LIST, Example, add, as_asked, examples, held_out, picture, sides
from pipeline.reading import AnswerState, QuestionKind

IMAGE = np.random.default_rng(0).integers(0, 256, (30, 200)).astype(np.uint8)
NAME, DATA = picture(IMAGE)


def document(number: int) -> str:
    return f"{number:064x}"


def example(**given: Any) -> Example:
    known: dict[str, Any] = {
        "file_name": NAME,
        "kind": QuestionKind.DATE,
        "state": AnswerState.PRESENT,
        "value": "31/02/2016",
        "document": document(1),
        "review": "7",
        "model_version": "abc",
    }
    return Example(**{**known, **given})


def test_what_is_added_is_read_as_it_was(tmp_path: Path) -> None:
    one = example(cells=8)
    add(tmp_path, one, DATA)
    assert examples(tmp_path) == [one]
    assert (cv2.imread(str(tmp_path / one.file_name), cv2.IMREAD_GRAYSCALE) == IMAGE).all()
    assert list(json.loads((tmp_path / LIST).read_text())) == list(Example.model_fields)


def test_a_later_review_of_the_same_evidence_counts(tmp_path: Path) -> None:
    add(tmp_path, example(review="7"), DATA)
    add(tmp_path, example(review="8", value="3/2/16"), DATA)
    add(tmp_path, example(kind="mark", value=None, label="handwriting"), DATA)
    assert [(one.kind, one.review) for one in examples(tmp_path)] == [("date", "8"), ("mark", "7")]


def test_a_picture_belongs_to_its_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="another picture"):
        add(tmp_path, example(), picture(255 - IMAGE)[1])
    assert not (tmp_path / LIST).exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"kind": "identifier", "identifier": "aadhaar", "value": "1234"}, "Aadhaar field"),
        ({"kind": "identifier", "identifier": "aadhaar_last4", "value": "1234"}, "Aadhaar field"),
        ({"kind": "identifier", "value": "2234 5678 9017"}, "Aadhaar number"),
        ({"kind": "print"}, "OCR"),
        ({"value": None}, "a value belongs"),
        ({"state": "empty"}, "a value belongs"),
        ({"kind": "signature", "value": None}, "a label belongs"),
        ({"label": "signature"}, "a label belongs"),
        ({"file_name": "../../etc/passwd"}, "pattern"),
        ({"document": "form.pdf"}, "pattern"),
        ({"name": "Somebody"}, "Extra"),
    ],
)
def test_what_may_not_be_learned_is_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        example(**wrong)


def test_a_line_that_is_no_example_is_named_and_not_repeated(tmp_path: Path) -> None:
    add(tmp_path, example(), DATA)
    line = example().model_dump(mode="json") | {"kind": "identifier", "value": "2234 5678 9017"}
    with (tmp_path / LIST).open("a") as file:
        file.write(json.dumps(line) + "\n")
    with pytest.raises(ValueError, match=r"line 2.*Aadhaar number") as wrong:
        examples(tmp_path)
    assert "2234" not in str(wrong.value)
    with pytest.raises(FileNotFoundError, match=r"holds no metadata\.jsonl"):
        examples(tmp_path / "evidence")


def test_no_document_and_no_picture_is_on_both_sides() -> None:
    every = [
        example(document=document(number), file_name=f"evidence/{number % 400:064x}.png", review=str(field))
        for number in range(500)
        for field in range(3)
    ]
    learned, kept = sides(every)
    assert not {one.document for one in learned} & {one.document for one in kept}
    assert not {one.file_name for one in learned} & {one.file_name for one in kept}
    assert {one.document for one in kept} == {one.document for one in every if held_out(one.document)}
    assert 0.05 < len(kept) / len(every) < 0.16
    assert sides(every) == sides(every), "a document stays on its side"


FIELD = {
    "name": "dated",
    "label": "Dated",
    "kind": "date",
    "box": [0.1, 0.1, 0.6, 0.15],
    "cells": 8,
    "groups": [2, 2, 4],
    "gap": 1.0,
}


def test_boxes_in_groups_are_learned_from_as_they_are_asked_about() -> None:
    row = row_of(FormField.model_validate(FIELD))
    assert row is not None
    image = np.full((40, 600), 255, np.uint8)
    ends = [(row.middles[number] + row.middles[number + 1]) / 2 * 600 for number in (1, 3)]
    for middle in ends:
        image[18:22, int(middle) - 6 : int(middle) + 6] = 0
    given = picture(image)[1]
    asked = cv2.imdecode(np.frombuffer(as_asked(given, FIELD), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert asked is not None and asked.shape[1] < 600 and asked.min() == 255
    assert as_asked(given, {**FIELD, "groups": None}) == given
    for broken in (b"no PNG at all", b""):
        with pytest.raises(ValueError, match="no picture"):
            as_asked(broken, FIELD)
