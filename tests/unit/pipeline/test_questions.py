"""Each field is asked what can be read there, and answers become readings that keep no whole Aadhaar number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline import dates
from pipeline.doctypes.schema import FormField, Identifier
from pipeline.geometry import Box
from pipeline.questions import questions, reading
from pipeline.reading import Answer, AnswerState, Evidence, QuestionKind
from tests.unit.pipeline.filled import BLANK, EMPTY, ILLEGIBLE, SLIP, chosen, evidence, said


def field(kind: str, **more: Any) -> FormField:
    return FormField.model_validate({"name": "one", "label": "One", "kind": kind, "box": [0.1, 0.1, 0.2, 0.2], **more})


def cut(kind: QuestionKind, cells: int | None = None) -> Evidence:
    return Evidence("one", kind, 1, Box(0.1, 0.1, 0.2, 0.2), BLANK, cells=cells, alternate=BLANK)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("slip_date", ["date"]),
        ("pan", ["identifier"]),
        ("quantity_1", ["amount"]),
        ("remarks", ["text"]),
        ("words_1", ["text", "print"]),
        ("holder_signature", ["signature"]),
        ("agreed", ["checkbox"]),
        ("receipt_stamp", ["endorsement", "print"]),
    ],
)
def test_kinds(name: str, kinds: list[str]) -> None:
    assert [one.kind.value for one in questions(evidence(name), SLIP.field(name))] == kinds


def test_a_string_on_a_line_is_shown_from_near_and_next_in_its_whole_field() -> None:
    image = np.full((100, 600), 255, np.uint8)
    for x in range(100, 220, 30):
        image[40:60, x : x + 12] = 20
    for cells in (None, 8):
        (asked,) = questions(replace(cut(QuestionKind.DATE, cells), image=image), field("date", cells=cells))
        if cells is None:
            assert asked.image.size < 0.6 * image.size and asked.alternate is image
        else:
            assert asked.image is image and asked.alternate is BLANK


def test_marks_are_asked_without_a_field() -> None:
    kinds = [one.kind for one in questions(cut(QuestionKind.MARK), None)]
    assert kinds == [QuestionKind.MARK, QuestionKind.PRINT]


@pytest.mark.parametrize(
    ("of", "cells", "alphabet", "longest"),
    [
        (field("date", cells=8, format="DDMMYYYY"), 8, "0123456789", 8),
        (field("date"), None, dates.LINE_ALPHABET, dates.LONGEST),
        (field("identifier", identifier="pin_code", cells=6), 6, "0123456789", 6),
        (field("identifier", identifier="pin_code"), None, "0123456789", 8),
        (field("identifier", identifier="bo_id", cells=16), 16, "0123456789IN", 16),
        (field("identifier", identifier="aadhaar_last4", cells=4), 4, "0123456789", 12),
        (field("amount"), None, "0123456789,.", 16),
        (field("text"), None, None, None),
    ],
)
def test_alphabets_and_lengths(of: FormField, cells: int | None, alphabet: str | None, longest: int | None) -> None:
    (asked,) = questions(cut(QuestionKind(of.kind.value), cells), of)
    assert (asked.alphabet, asked.max_length) == (alphabet, longest)
    assert asked.image is BLANK and asked.alternate is BLANK


@pytest.mark.parametrize(
    ("of", "cells", "written", "normalised"),
    [
        (field("date", cells=8, format="DDMMYYYY"), 8, "15032016", "2016-03-15"),
        (field("date", cells=8, format="DDMMYYYY"), 8, "31022016", None),
        (field("date"), None, "15th Mar 2016", "2016-03-15"),
        (field("identifier", identifier="pan"), None, "ABCPE1234F", "ABCPE1234F"),
        (field("amount"), None, "2,05,000.00", "205000"),
        (field("amount"), None, ",", None),
    ],
)
def test_values_as_written_and_normalised(
    of: FormField, cells: int | None, written: str, normalised: str | None
) -> None:
    read = reading(cut(QuestionKind(of.kind.value), cells), of, [said(written, 0.7)])
    assert (read.state, read.value, read.normalised, read.confidence) == (
        AnswerState.PRESENT,
        written,
        normalised,
        0.7,
    )
    assert read.filled


@pytest.mark.parametrize(("answer", "filled"), [(EMPTY, False), (ILLEGIBLE, True)])
def test_absent_and_illegible_have_no_value(answer: Answer, filled: bool) -> None:
    read = reading(cut(QuestionKind.DATE), field("date"), [answer])
    assert (read.value, read.normalised, read.filled, read.present) == (None, None, filled, answer.present)


def test_a_stamp_is_its_print() -> None:
    stamp = field("endorsement")
    read = reading(cut(QuestionKind.ENDORSEMENT), stamp, [chosen("stamp", 0.9), said("ANITA DESAI\nMANAGER", 0.8)])
    assert (read.value, read.label, read.confidence, read.printed) == ("ANITA DESAI\nMANAGER", "stamp", 0.9, 0.8)


def test_print_of_an_empty_box_is_the_forms_own() -> None:
    read = reading(cut(QuestionKind.ENDORSEMENT), field("endorsement"), [EMPTY, said("Stamp of participant")])
    assert (read.value, read.printed) == (None, None)


def test_unread_print_is_no_value() -> None:
    read = reading(cut(QuestionKind.ENDORSEMENT), field("endorsement"), [chosen("stamp"), ILLEGIBLE])
    assert (read.value, read.printed, read.filled) == (None, None, True)


@pytest.mark.parametrize("identifier", [Identifier.AADHAAR, Identifier.AADHAAR_LAST4])
@pytest.mark.parametrize(
    ("written", "whole", "valid"),
    [("234567890124", True, True), ("234567890125", True, False), ("0124", False, None), ("890124", True, None)],
)
def test_aadhaar_is_cut_to_four_digits(identifier: Identifier, written: str, whole: bool, valid: bool | None) -> None:
    read = reading(cut(QuestionKind.IDENTIFIER), field("identifier", identifier=identifier.value), [said(written)])
    assert (read.value, read.normalised, read.whole, read.valid) == (written[-4:], written[-4:], whole, valid)
    assert "89012" not in repr(read)


def test_aadhaar_in_other_print_is_masked() -> None:
    read = reading(cut(QuestionKind.MARK), None, [chosen("stamp"), said("UID 2345 6789 0124\nRECEIVED")])
    assert read.value == "UID XXXX XXXX 0124\nRECEIVED"


def test_a_wrong_number_of_answers_is_refused() -> None:
    with pytest.raises(ValueError, match="1 answers to the 2 questions"):
        reading(cut(QuestionKind.ENDORSEMENT), field("endorsement"), [EMPTY])


def test_nothing_is_asked_of_an_untouched_field() -> None:
    """Not even where print would be asked for; an answer nobody asked for is refused."""
    for kind in (QuestionKind.SIGNATURE, QuestionKind.ENDORSEMENT, QuestionKind.DATE):
        bare = replace(cut(kind), untouched=True)
        assert questions(bare, field(kind.value)) == []
        told = reading(bare, field(kind.value), [])
        assert told.state is AnswerState.EMPTY and not told.filled and told.value is None
        assert told.confidence > 0.99 and told.present < 0.01
    with pytest.raises(ValueError, match="1 answers to the 0 questions"):
        reading(bare, field("date"), [EMPTY])
