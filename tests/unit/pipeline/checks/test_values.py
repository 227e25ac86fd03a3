"""Identifiers, Aadhaar and amounts."""

from __future__ import annotations

import pytest

from pipeline.checks.weighed import COMMON_IDENTIFIER
from pipeline.findings import Outcome
from pipeline.reading import Answer
from tests.unit.pipeline.filled import EMPTY, ILLEGIBLE, chosen, flags, form, judged, only, said

AADHAAR = "234567890124"


@pytest.mark.parametrize(
    ("name", "answer", "outcome"),
    [
        ("pan", said("ABCPE1234F", 0.3), None),
        ("pan", said("ABCXE1234F"), "anomaly"),
        ("pan", said("ABCXE1234F", 0.4), "uncertain"),
        ("pan", ILLEGIBLE, "uncertain"),
        ("isin_1", said("INE002A01019"), "anomaly"),
        ("isin_2", said("INE002A01018"), None),
        ("isin_2", said("INE002A01019"), "anomaly"),
    ],
)
def test_identifiers(name: str, answer: Answer, outcome: str | None) -> None:
    # A second line is used: its figures stand there.
    found = judged(form(**{name: answer, "quantity_2": said("2,500") if name == "isin_2" else EMPTY}))
    assert flags(found) == ([("identifier.invalid", name, outcome)] if outcome else [])


def test_a_wrong_identifier_that_may_be_a_right_one_misread_passes_and_says_so() -> None:
    found = only(judged(form(isin_1=said("INE002A01013", 0.6, INE002A01018=0.3))), "identifier.invalid", "isin_1")
    assert found.outcome is Outcome.PASS and found.value == "INE002A01013", "what was read is not repaired"
    assert found.confidence == pytest.approx(1 - 0.6 / (0.6 + COMMON_IDENTIFIER * 0.3))
    assert found.message == "Isin 1 reads INE002A01013, but INE002A01018 is likelier to stand there."


@pytest.mark.parametrize(
    "answer",
    [
        said("INE002A01013", 0.6, INE002A01018=0.2),
        said("INE002A01013", 0.6, INE002A01019=0.3),
    ],
    ids=["the right one is too unlikely", "the other is wrong too"],
)
def test_a_wrong_identifier_stands_where_nothing_right_is_likely(answer: Answer) -> None:
    assert flags(judged(form(isin_1=answer))) == [("identifier.invalid", "isin_1", "anomaly")]


def test_other_readings_of_an_aadhaar_number_go_nowhere() -> None:
    one = form(aadhaar=said("0134", 0.6, **{"0124": 0.3})).of("aadhaar")[0]
    assert one.value == "0134" and one.alternatives == ()


def test_the_value_is_shown_as_written() -> None:
    found = only(judged(form(pan=said("ABCXE1234F"))), "identifier.invalid", "pan")
    assert found.value == "ABCXE1234F"
    assert found.message == "Pan: The fourth letter of a PAN tells the holder's kind; X is none."


@pytest.mark.parametrize("written", [AADHAAR, "234567890125", "56789"])
def test_more_than_four_digits_of_an_aadhaar_number(written: str) -> None:
    found = judged(form(aadhaar=said(written)))
    assert flags(found) == [("aadhaar.unmasked", "aadhaar", "anomaly")]
    assert not [one for one in found if written in repr(one)]
    assert only(found, "aadhaar.unmasked").value == written[-4:]


def test_validity_of_a_whole_aadhaar_number_is_told() -> None:
    for written, says in ((AADHAAR, "right"), ("234567890125", "wrong")):
        message = only(judged(form(aadhaar=said(written))), "aadhaar.unmasked").message
        assert message.endswith(f"Its check digit is {says}.")


def test_four_digits_are_right_and_three_are_not() -> None:
    assert only(judged(form()), "aadhaar.unmasked").outcome is Outcome.PASS
    assert flags(judged(form(aadhaar=said("012")))) == [("identifier.invalid", "aadhaar", "anomaly")]


@pytest.mark.parametrize(
    ("figures", "words", "flagged"),
    [
        ("2,500", "two thousand five hundred", None),
        ("2,500", "TWO THOUSAND\nFIVE HUNDRED ONLY", None),
        ("2,600", "two thousand five hundred", "anomaly"),
        ("25,000", "two thousand five hundred", "anomaly"),
        ("2,600", "tvo thousamd five hundred", None),
        (",", "two thousand five hundred", None),
    ],
)
def test_figures_and_words(figures: str, words: str, flagged: str | None) -> None:
    found = judged(form(quantity_1=said(figures), words_1=[chosen("filled"), said(words)]))
    assert flags(found) == ([("amount.mismatch", "quantity_1", flagged)] if flagged else [])


def test_words_that_can_not_be_read_judge_nothing() -> None:
    found = judged(form(quantity_1=said("9"), words_1=[chosen("filled"), ILLEGIBLE]))
    assert flags(found) == []
    assert not [one for one in found if one.check == "amount.mismatch"]


def test_a_mismatch_is_as_sure_as_both_readings() -> None:
    found = judged(form(quantity_1=said("9", 0.8), words_1=[chosen("filled"), said("eight", 0.9)]))
    mismatch = only(found, "amount.mismatch", "quantity_1")
    assert mismatch.confidence == pytest.approx(0.72)
    assert mismatch.message == "Quantity 1 is 9 in figures but 8 in words."


def test_illegible_figures_are_a_doubt() -> None:
    assert flags(judged(form(quantity_1=ILLEGIBLE))) == [("amount.mismatch", "quantity_1", "uncertain")]
