"""Identifiers are right or say in a sentence why not, and no Aadhaar number leaves whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import isin, verhoeff

from pipeline import identifiers
from pipeline.doctypes.schema import Identifier
from pipeline.identifiers import Aadhaar

AADHAAR = "234567890124"


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        (Identifier.PAN, "ABCPE1234F"),
        (Identifier.PAN, "abcpe 1234 f"),
        (Identifier.ISIN, "INE002A01018"),
        (Identifier.BO_ID, "1201230001234567"),
        (Identifier.BO_ID, "IN30012310012345"),
        (Identifier.IFSC, "HDFC0001234"),
        (Identifier.PIN_CODE, "400001"),
        (Identifier.SERIAL, "A-102938"),
        (Identifier.AADHAAR_LAST4, "0124"),
        (Identifier.AADHAAR, "0124"),
    ],
)
def test_well_formed(identifier: Identifier, text: str) -> None:
    assert identifiers.check(identifier, text) is None


@pytest.mark.parametrize(
    ("identifier", "text", "says"),
    [
        (Identifier.PAN, "ABCXE1234F", "fourth letter"),
        (Identifier.PAN, "ABCPE12345", "five letters"),
        (Identifier.PAN, "ABCPE0000F", "0001"),
        (Identifier.ISIN, "INE002A01019", "check digit"),
        (Identifier.ISIN, "INE002A0101", "two letters"),
        (Identifier.ISIN, "ZZE002A01018", "check digit"),
        (Identifier.BO_ID, "120123000123456", "15 characters"),
        (Identifier.BO_ID, "IN3001231001234", "15 characters"),
        (Identifier.IFSC, "HDFC1001234", "a zero"),
        (Identifier.PIN_CODE, "040001", "not begin with 0"),
        (Identifier.PIN_CODE, "4", "1 character "),
        (Identifier.SERIAL, "ABC", "digits"),
        (Identifier.AADHAAR_LAST4, "012", "3 characters"),
    ],
)
def test_problems_are_sentences(identifier: Identifier, text: str, says: str) -> None:
    problem = identifiers.check(identifier, text)
    assert problem is not None and says in problem


@pytest.mark.parametrize("identifier", Identifier)
def test_alphabet_and_length_fit_each_identifier(identifier: Identifier) -> None:
    assert set("0123456789") <= set(identifiers.alphabet(identifier)) <= set(identifiers.alphabet(None))
    assert 4 <= identifiers.length(identifier) <= identifiers.LONGEST


def test_aadhaar_keeps_four_digits_and_validity() -> None:
    assert identifiers.aadhaar(AADHAAR) == Aadhaar("0124", whole=True, valid=True)
    assert identifiers.aadhaar("2345 6789 0125") == Aadhaar("0125", whole=True, valid=False)
    assert identifiers.aadhaar("0124") == Aadhaar("0124", whole=False, valid=None)
    assert identifiers.aadhaar("890124") == Aadhaar("0124", whole=True, valid=None)


@given(
    st.from_regex(r"[2-9][0-9]{10}", fullmatch=True),
    st.sampled_from(["", " ", "-"]),
    st.sampled_from(["No. ", "/", ""]),
)
def test_no_whole_number_leaves(eleven: str, gap: str, before: str) -> None:
    number = eleven + verhoeff.calc_check_digit(eleven)
    grouped = gap.join((number[:4], number[4:8], number[8:]))
    assert number not in repr(identifiers.aadhaar(grouped))
    hidden = identifiers.without_aadhaar(f"{before}{grouped}")
    assert hidden == f"{before}{gap.join(('XXXX', 'XXXX', number[8:]))}"


def test_other_numbers_stay_as_they_are() -> None:
    for text in ("1201230001234567", "Rs 2,05,000", "INE002A01018", "023456789012", "22/03/2016"):
        assert identifiers.without_aadhaar(text) == text


def test_no_single_misreading_of_an_isin_passes() -> None:
    right = "INE002A01018"
    misread = [
        right[:at] + digit + right[at + 1 :] for at in range(3, 12) for digit in "0123456789" if right[at] != digit
    ]
    passing = [one for one in misread if isin.is_valid(one)]
    assert len(passing) / len(misread) <= identifiers.HIDDEN[Identifier.ISIN]


def test_a_pass_is_surer_than_the_reading() -> None:
    assert identifiers.certainty(Identifier.ISIN, 0.4) == pytest.approx(0.94)
    assert identifiers.certainty(Identifier.PAN, 0.4) == pytest.approx(0.82)
    assert identifiers.certainty(Identifier.BO_ID, 1.0) == 1.0


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("O123456789", "0123456789"),
        ("C9I70057", "C9170057"),
        ("12 34-I0O", "1234100"),
        ("ABO12", "ABO12"),  # a letter beside it: it may be one too
        ("IO", "IO"),
        ("INR0065", "INR0065"),
        ("B12I", "B121"),
        ("012345678987G5432101", "01234567898765432101"),
        ("KA05Z1234", "KA05Z1234"),  # a third of it are letters
        ("G123456789", "G123456789"),  # what it begins with may be one
    ],
)
def test_letters_written_like_digits_are_digits_among_digits(written: str, meant: str) -> None:
    assert identifiers.numbered(written) == meant
