"""Events are written in one way and hold ids only; Aadhaar numbers are crossed out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.canonical import as_id, canonical, digest
from records.privacy import masked

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.from_regex(r"[A-Za-z0-9._:@/+=-]{1,20}", fullmatch=True),
    lambda each: (
        st.lists(each, max_size=3)
        | st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), each, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), plain, max_size=4))
def test_the_order_of_keys_changes_nothing(value: dict[str, object]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical(value) == canonical(turned)
    assert json.loads(canonical(value)) == json.loads(json.dumps(value))
    assert digest(value) == digest(turned)


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Anita Desai"},
        {"name": "अनीता"},
        {"path": "a b.pdf"},
        {"number": 1.5},
        {"number": 2**60},
        {"Key": 1},
        {"nested": {"text": "two words"}},
        {"nested": ["two words"]},
        {"bytes": b"x"},
        {"line": "a\n"},
    ],
)
def test_what_is_no_id_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="event"):
        canonical(value)


def test_names_of_people_become_digests_and_ids_stay() -> None:
    assert as_id("alice@example.org") == "alice@example.org"
    assert as_id("Anita Desai").startswith("sha256:") and as_id("Anita Desai") == as_id("Anita Desai")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("234567890123", "XXXXXXXX0123"),
        ("2345 6789 0123", "XXXX XXXX 0123"),
        ("2345-6789-0123", "XXXX-XXXX-0123"),
        ("a 2345 6789 0123 b 999999999999.", "a XXXX XXXX 0123 b XXXXXXXX9999."),
        ("1234 5678 9012", "1234 5678 9012"),
        ("IN30012345678901", "IN30012345678901"),
        ("12345678901234567", "12345678901234567"),
        ("2345 6789 012", "2345 6789 012"),
        ("XXXX XXXX 0123", "XXXX XXXX 0123"),
    ],
)
def test_aadhaar_numbers_keep_their_last_four_digits(text: str, shown: str) -> None:
    assert masked(text) == shown


@given(st.from_regex(r"([^0-9]{0,2}[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}){1,3}[^0-9]?", fullmatch=True))
def test_masking_is_done_once(text: str) -> None:
    assert masked(masked(text)) == masked(text)
